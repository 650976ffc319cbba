"""What a training learns from, to know whether a resumed one has the same pictures and captions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from studio.train.examples import Example
from studio.train.latents import Latents, digest

UNSURE = (
    "whether the pictures are those that it began with cannot be told: it was begun by an earlier "
    "version, on another kind of processor or with other pictures"
)


@dataclass(frozen=True)
class Identity:
    """``pictures``: of the files' bytes, masks among them. ``texts``: of all captions, with the
    repeats. ``latents``: of the encoded pictures' bits, which earlier versions kept in place of the
    files'; on another kind of processor these are other bits."""

    pictures: str
    texts: str
    latents: str

    @classmethod
    def of(cls, examples: Sequence[Example], encoded: Sequence[Latents]) -> Identity:
        """That of ``examples`` with their latents."""
        files = hashlib.sha256()
        for example in examples:
            for path in (example.path, example.mask):
                files.update(hashlib.sha256(path.read_bytes() if path else b"").digest())
        captions = [e.caption for e in examples if e.caption is not None]
        texts = repr([(c.text, c.target, c.general) for c in captions]).encode()
        repeats = [example.repeats for example in examples]
        more = "" if set(repeats) == {1} else f"x{repeats}"
        return cls(
            files.hexdigest()[:16], hashlib.sha256(texts).hexdigest()[:16] + more, digest(encoded)
        )

    def __str__(self) -> str:
        return f"{self.pictures}-{self.texts}"

    def kept_before(self, kept: object) -> bool:
        """Whether ``kept`` is how earlier versions wrote these texts, whatever the latents' bits."""
        return isinstance(kept, str) and "-" not in kept and kept[16:] == self.texts

    def surely(self, kept: object) -> bool:
        """Whether the latents of :meth:`kept_before` are these to the bit."""
        return kept == self.latents + self.texts
