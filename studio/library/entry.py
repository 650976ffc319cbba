"""What the library says of one model."""

from __future__ import annotations

from dataclasses import dataclass

# Kinds whose weight change a row adds to a full network, at a strength.
ADAPTERS = ("lora", "custom-diffusion")


@dataclass(frozen=True)
class ModelEntry:
    """One model of the library.

    ``kind``: base, finetune, concept, lora, custom-diffusion, embedding, controlnet, ip-adapter.
    ``family``: a name of :data:`studio.library.FAMILIES` ("" where not known before loading).
    ``latent_space``: equal for models whose predictions can be summed ("" where not known yet).
    ``bytes``: size on disk. ``trigger``: what to write in a prompt to call it. ``words``: learned
    words whose vectors it holds. ``control``: the ControlNet's type. ``size``: native edge in
    pixels; ``multiple``: what width and height must be divisible by. ``prediction``: of a
    whole-model file, where it says so. ``channels``: what its network takes in (8: a picture to
    edit beside the latent). ``problem``: why it cannot be used, "" for what can.
    """

    id: str
    kind: str
    family: str
    bytes: int
    path: str
    title: str = ""
    trigger: str = ""
    base: str = ""
    control: str = ""
    latent_space: str = ""
    size: int = 0
    multiple: int = 8
    words: tuple[str, ...] = ()
    prediction: str = ""
    channels: int = 0
    thumbnail: str = ""
    problem: str = ""

    @property
    def a_kind(self) -> str:
        """The kind with its article, for a sentence: "a lora", "an embedding"."""
        return f"{'an' if self.kind[:1] in 'aeiou' else 'a'} {self.kind}"
