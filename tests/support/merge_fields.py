"""What the fields of a merge hold in tests: two models, by a weighted sum."""

from __future__ import annotations

FIELDS = {
    "method": "weighted-sum",
    "A": "a",
    "B": "b",
    "C": "",
    "multiplier": 0.3,
    "loras": "",
    "precision": "fp16",
    "name": "mix",
}
