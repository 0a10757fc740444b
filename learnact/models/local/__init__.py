"""Small language models that run on this machine: weights from installed packages or a GGUF file, served by
llama.cpp (`learnact serve-model`, docs/local-models.md). Nothing is downloaded.

    weights    which models there are, and where an installed package keeps their weights
    server     the server's process (`python -m learnact.models.local`)
"""
