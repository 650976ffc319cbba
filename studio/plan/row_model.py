"""The weights and words of one row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowModel:
    """The weights and words of one row.

    ``kind``: prior (the preset's base), finetune (a full fine-tune of it), concept (a null-text
    network) or other (another network of the same latent space). ``network``: its id. ``loras``:
    pairs (id, strength); ``texts``: pairs (id, strength in the text encoders). ``edits``: whether
    it changes a picture; ``paints``: whether it paints into one. ``concept``: whether all its adapters
    learned a concept under the null prompt. ``words``: pairs (id of
    the model that holds it, learned word); ``eyes``: those of these models that read theirs from
    the row's picture.
    """

    kind: str
    network: str
    loras: tuple[tuple[str, float], ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, float], ...] = ()
    eyes: tuple[str, ...] = ()
    edits: bool = False
    paints: bool = False
    concept: bool = False

    @property
    def names(self) -> set[str]:
        """The models that it adds to the base, or that stand in the base's place."""
        own = set() if self.kind == "prior" else {self.network}
        return own.union(name for name, _ in (*self.loras, *self.texts))

    @property
    def personal(self) -> bool:
        """Whether it is the prior plus a weight change Δ that ω scales; a concept's is left alone."""
        adapted = self.kind == "prior" and bool(self.loras)
        return self.kind == "finetune" or (adapted and not self.concept)
