"""Results in the forms of other tools: Inspect AI, CSV, datasets of Hugging Face."""
