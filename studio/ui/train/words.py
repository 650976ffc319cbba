"""What the Train tab calls the settings of a training, and how a line names them there."""

from __future__ import annotations

from studio.train.config import DDLOSS
from studio.ui.errors import on_page

LABELS = {
    "name": "Name of the model",
    "base": "Base model",
    "method": "Method",
    "word": "Word",
    "superclass": "Superclass",
    "template": "Caption of pictures without one",
    "sample_prompts": "Prompts of the samples, one a line",
    "null_text": "Constants of a concept network",
    "flips": "Mirror half of the pictures",
}
# Labels and help of the numbers; their bounds are those of the settings' own schema.
NUMBERS: dict[str, tuple[str, str]] = {
    "ddloss": ("DDLoss (ACCORD)", f"{DDLOSS} is a good start (paper: 0.1–0.3); 0 is off."),
    "pdloss": ("PDLoss (ACCORD)", "0.001–0.003, where the word is learned; 0 is off."),
    "steps": ("Steps", ""),
    "batch": ("Batch", ""),
    "rate": ("Rate", ""),
    "token_rate": ("Rate of the word", ""),
    "rank": ("Rank", ""),
    "vectors": ("Vectors", ""),
    "sample_every": ("Samples every … steps", ""),
    "prior_weight": ("Prior weight", "DreamBooth: 1"),
    "sample_weight": ("Weight", "of the samples"),
    "sample_omega": ("ω", "of the samples"),
}
_NAMES = {
    **LABELS,
    **{name: title for name, (title, _) in NUMBERS.items()},
    "sample_weight": "Weight of the samples",
    "sample_omega": "ω of the samples",
    "images": "Pictures",
    "captions": "Captions",
}


def called(name: str) -> str:
    """What the tab calls a setting."""
    return _NAMES.get(name, name)


def on_tab(text: str) -> str:
    """A line in the tab's words: ``token_rate`` is Rate of the word."""
    return on_page(text, _NAMES)
