"""An empty module in the place of torchaudio, for packages that import it and are not asked for sounds."""

from __future__ import annotations

import importlib.machinery
import sys
import types

sys.modules["torchaudio"] = types.ModuleType("torchaudio")
sys.modules["torchaudio"].__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
