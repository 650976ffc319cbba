"""Another tool's sum of predictions as rows of the studio.

Classifier-free guidance of scale w with a negative prompt, ``ε(neg) + w·(ε(pos) − ε(neg))``, is
the rows ``+w: pos`` and ``−(w−1): neg``; whatever the tool's sum is, its coefficients add up to 1,
and a row of that weight against the base term is that coefficient.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from studio.images import store
from studio.preset import Control, Row
from studio.preset.bounds import bounds
from studio.preset.preprocessors import FINISHED, PREPROCESSORS, preprocessor_of
from studio.preset.rows import MOST_CONTROLS, control_field
from studio.share.tools.additions import Additions, row_model
from studio.share.tools.image_prompts import picture_notes, usable, with_picture
from studio.share.tools.prompts import Lora, read_prompt
from studio.share.tools.sums import CELL, Share, shares
from studio.share.tools.table import Condition, ControlUse, Found

MAX_ROWS = 100


def rows_of(found: Found, additions: Additions) -> tuple[list[dict[str, Any]], list[Lora]]:
    """The rows as plain data, and every LoRA that the tool named, carried over or not."""
    writer = _Rows(found, additions)
    terms = found.to_terms()
    first = next((term for term in terms if term.coefficient > 0), terms[0])
    writer.read_loras(first.conditions, found.loras)
    for term in terms:
        conditions = [writer.controlled(one) for one in term.conditions]
        if not all(one.is_empty for one in conditions):  # the empty prompt is the base term
            for share in shares(conditions, found.size, additions.notes):
                writer.add(share, term.coefficient, ignore_tags=term is not first)
    if not writer.rows:
        writer.add_plain(first.coefficient)
    if writer.seen is not None:
        additions.notes += picture_notes(writer.rows[:MAX_ROWS], writer.seen)
    return writer.rows[:MAX_ROWS], writer.loras


class _Rows:
    """Writes rows; prompts are read once each, and LoRAs go onto all of them."""

    def __init__(self, found: Found, additions: Additions) -> None:
        self.found = found
        self.additions = additions
        self.rows: list[dict[str, Any]] = []
        self.loras: list[Lora] = []
        self.adapters: list[dict[str, Any]] = []
        self.seen = usable(found.image_prompts, additions)
        # Whose pictures a note asks for, of equal ones in a row each; chosen once, every row has it.
        self.told: set[tuple[ControlUse, int]] = set()

    def read_loras(self, conditions: tuple[Condition, ...], apart: list[Lora]) -> None:
        """The tags of the first term's prompts, and what the tool keeps apart from them."""
        tagged: list[Lora] = []
        for condition in conditions:
            for text, _ in condition.texts:
                tagged += read_prompt(text, self.found.grammar, "rows.0.prompt", [])[1]
        self.loras = (
            list(dict.fromkeys([*tagged, *apart])) if len(conditions) > 1 else [*tagged, *apart]
        )
        self.adapters = self.additions.loras(self.loras, "rows.0.model")

    def controlled(self, condition: Condition) -> Condition:
        """The condition with what of its controls a row can hold: those that the library has."""
        kept: list[ControlUse] = []
        for used in condition.controls:
            found = self._network(used)
            if found is None:
                self._left_out(used, "it is not in the library")
                if used.named:
                    self.additions.lacks(used.model, used.hash)
            elif len(kept) == MOST_CONTROLS:
                self._left_out(used, f"a row has at most {MOST_CONTROLS}")
            else:
                kept.append(replace(used, model=found))
        return replace(condition, controls=tuple(kept))

    def _network(self, used: ControlUse) -> str | None:
        """The id of a control's network; "" where none is named and the base has one for its kind."""
        shelf = self.additions.shelf
        if used.named:
            return shelf.find(used.model, ("controlnet",)) if used.model else None
        return "" if shelf.controls(self.additions.base, preprocessor_of(used.kind)) else None

    def add_plain(self, weight: float) -> None:
        """A row without a prompt, where the picture was made with none."""
        self._keep({"prompt": "", "weight": weight, "model": row_model(self.adapters, [])})

    def _keep(self, row: dict[str, Any]) -> None:
        self.rows += [row] if self.seen is None else with_picture(row, self.seen)

    def add(self, share: Share, coefficient: float, ignore_tags: bool) -> None:
        """The rows of one share, one for each of its texts."""
        for text, part in share.condition.texts:
            weight = coefficient * share.factor * part
            if not text.strip() and not share.controls:
                continue
            if len(self.rows) == MAX_ROWS:
                self.additions.notes.append(f"only the first {MAX_ROWS} rows are kept")
            if len(self.rows) <= MAX_ROWS:
                self._row(text, weight, share, ignore_tags)

    def _row(self, text: str, weight: float, share: Share, ignore_tags: bool) -> None:
        field, notes = f"rows.{len(self.rows)}", self.additions.notes
        prompt, tags = read_prompt(text, self.found.grammar, f"{field}.prompt", notes)
        if ignore_tags and self.found.grammar == "AUTOMATIC1111":  # looks for tags in the prompt
            for tag in tags:
                notes.append(
                    f"{field}.prompt: {tag} had no effect in a negative prompt; it is left out"
                )
        prompt, words = self.additions.embeddings(
            prompt, self.found.embeddings, self.found.bare_words, f"{field}.prompt"
        )
        low, high = bounds(Row, "weight")
        bounded = max(low, min(high, weight)) + 0.0
        if bounded != weight:
            notes.append(f"{field}.weight: {weight:g} became {bounded:g}")
        row: dict[str, Any] = {
            "prompt": prompt,
            "weight": bounded,
            "model": row_model(self.adapters, words),
        }
        if share.range != (0.0, 1.0):
            row["range"] = list(share.range)
        if share.where is not None:
            row["mask"] = _stored(share.where, f"{field}.mask")
        shown = [
            self._control(used, share.controls[:at].count(used), f"{field}.{control_field(at)}")
            for at, used in enumerate(share.controls)
        ]
        if shown:
            row["control"] = shown[0]
        if shown[1:]:
            row["controls"] = shown[1:]
        self._keep(row)

    def _control(self, used: ControlUse, equal: int, field: str) -> dict[str, Any]:
        """A row's control.

        Args:
            equal: how many before it in the row are the same.
        """
        low, high = bounds(Control, "strength")
        strength = float(max(low, min(high, used.strength)))
        control: dict[str, Any] = {
            "type": preprocessor_of(used.kind) or FINISHED,
            "image": used.picture,
            "strength": strength,
            "model": used.model or None,
        }
        if used.finished and control["type"] != FINISHED:
            control["finished"] = True
        if used.thresholds and PREPROCESSORS[control["type"]].thresholds:
            control["low"], control["high"] = used.thresholds
        if (used, equal) not in self.told:
            self.additions.notes.append(_missing(used, field))
        self.told.add((used, equal))
        if strength != used.strength:
            self.additions.notes.append(f"{field}.strength: {used.strength:g} became {strength:g}")
        return control

    def _left_out(self, used: ControlUse, reason: str) -> None:
        """A note, once for all rows that have the same control."""
        note = f"the {used.what} {used.model[:80]!r} ({used.shown}) is left out, because {reason}"
        if note not in self.additions.notes:
            self.additions.notes.append(note)


def _missing(used: ControlUse, field: str) -> str:
    parts = (used.image and repr(used.image[:80]), used.kind and f"({used.kind[:60]})")
    shown = " ".join(filter(None, parts))
    if shown:
        return f"{field}.image: the control picture {shown} is not in the file; choose it"
    return f"{field}.image: the control picture is not in the file; choose it"


def _stored(where: np.ndarray, field: str) -> str:
    """A map of latent cells among the studio's inputs, as a mask of the picture's size."""
    values = np.rint(where * 255).astype(np.uint8).repeat(CELL, axis=0).repeat(CELL, axis=1)
    return store(Image.fromarray(values), field)
