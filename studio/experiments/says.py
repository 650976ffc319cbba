"""What the places in the presets of an experiment's cells stand for."""

from __future__ import annotations

from collections.abc import Mapping

from studio.experiments.experiment import WORD, Cell, Study, without_subject
from studio.experiments.trainings import word_of

PARTS = " | "  # between the parts of a prompt that rows can take apart
ORDINALS = ("{first}", "{second}", "{third}")


def says(cell: Cell, prompt: str, study: Study) -> Mapping[str, str]:
    """Place in braces → the text that belongs there, for a cell's preset and one prompt."""
    subject = study.subjects.get(cell.learned)
    word, kind = "", ""
    if subject is not None:
        word = word_of(cell.training, subject) if cell.training else subject.word
        kind = subject.superclass
    parts = [part.strip() for part in prompt.replace(WORD, word).split(PARTS)]
    return {
        "{prompt}": " ".join(parts),
        "{class prompt}": prompt.replace(WORD, kind).replace(PARTS, " "),
        "{parts}": " AND ".join(parts),
        "{rest}": " ".join(parts[1:]),
        "{without}": without_subject(prompt),
        **dict(zip(ORDINALS, parts, strict=False)),
    }
