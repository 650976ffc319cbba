"""What the library says of one model."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

from studio.files import is_text

# Kinds whose weight change a row adds to a full network, at a strength.
ADAPTERS = ("lora", "custom-diffusion")

SAFETENSORS = (".safetensors", ".sft")  # the same under two names, in small letters
MOST_CHARACTERS = 8192
_PATHS = ("path", "thumbnail")  # their folder's name may be anything


@dataclass(frozen=True)
class ModelEntry:
    """One model of the library.

    ``kind``: base, finetune, concept, lora, custom-diffusion, embedding, controlnet, ip-adapter,
    vae, upscaler. ``family``: a name of :data:`studio.library.FAMILIES` ("" where not known before loading).
    ``latent_space``: equal for models whose predictions can be summed ("" where not known yet).
    ``bytes``: size on disk. ``trigger``: what to write in a prompt to call it. ``words``: learned
    words whose vectors it holds. ``control``: the ControlNet's type, ``form``: what of its
    relatives it is (:data:`studio.library.control_networks.CONTROL_NETWORKS`; "" for a plain one). ``size``: native edge in
    pixels; ``multiple``: what width and height must be divisible by. ``prediction``: of a
    whole-model file, where it says so. ``channels``: what its network takes in (8: a picture to
    edit beside the latent; 9: a mask and the picture around it). ``sees``: width of the image embeddings that it reads its word from (a
    visual encoder; 0 for what reads none). ``lacks``: parts of a whole model (``vae``, ``text``)
    that its file does not hold. ``made_for`` and ``description``: what its maker says of it;
    ``advised``: the strength to begin with, in digits.
    ``quantised``: what has rounded its network's weights to few bits, "" for plain ones.
    ``edition``: of a base, which of its editions these weights are; of what was trained, which it
    was trained on (1 where nothing is said).
    ``concept``: whether an adapter learned a concept under the null prompt, so that it takes no part in
    θ_ω. ``hashes``: those that it is known by (see :mod:`studio.library.hashes`). ``version``: the number of
    its version on civitai.com, in digits. ``problem``: why it
    cannot be used, "" for what can.
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
    form: str = ""
    latent_space: str = ""
    size: int = 0
    multiple: int = 8
    words: tuple[str, ...] = ()
    prediction: str = ""
    channels: int = 0
    sees: int = 0
    lacks: tuple[str, ...] = ()
    thumbnail: str = ""
    made_for: str = ""
    description: str = ""
    advised: str = ""
    quantised: str = ""
    edition: int = 1
    concept: bool = False
    hashes: tuple[str, ...] = ()
    version: str = ""
    problem: str = ""

    @property
    def one_file(self) -> bool:
        """Whether it is one file rather than a folder or a hub id."""
        return self.path.lower().endswith(SAFETENSORS)

    @property
    def latent_factor(self) -> int:
        """Pixels of a latent position; ``multiple`` is more where the network takes several together."""
        stated = self.latent_space.partition(":")[0].partition("x")[2]
        return int(stated) if stated.isdecimal() and int(stated) else self.multiple

    def decodes(self, base: ModelEntry) -> bool:
        """Whether an autoencoder's latents are those of ``base``, as far as both are known.

        As many channels at one scale. A file does not state the scale of its latents; it is taken
        for the base's. How many pixels it makes of a latent is its own matter.
        """
        (mine, own), (theirs, scale) = (
            entry.latent_space.partition(":")[::2] for entry in (self, base)
        )
        same = mine.partition("x")[0] == theirs.partition("x")[0]
        return not mine or not theirs or (same and (not own or own == scale))

    @property
    def scaling(self) -> float:
        """The factor on its latents, 0 where that is not known."""
        return float(self.latent_space.partition(":")[2] or 0)

    @property
    def a_kind(self) -> str:
        """The kind with its article, for a sentence: "a lora", "an embedding"."""
        return f"{'an' if self.kind[:1] in 'aeiou' else 'a'} {self.kind}"

    def checked(self) -> ModelEntry:
        """Itself, where every value is what it must be.

        Raises:
            ValueError: a value of another type or size, or text that cannot be written; names it.
        """
        for name, kind, many in _types():
            value = getattr(self, name)
            for part in value if many and isinstance(value, tuple) else (value,):
                if type(part) is not kind:
                    raise ValueError(f"{name} is of type {type(part).__name__}")
                if not part:
                    continue  # most of them
                if isinstance(part, str) and len(part) > MOST_CHARACTERS:
                    raise ValueError(f"{name} has {len(part)} characters")
                if isinstance(part, str) and name not in _PATHS and not is_text(part):
                    raise ValueError(f"{name} is no UTF-8 text")
                if isinstance(part, int) and not 0 <= part < 2**53:
                    raise ValueError(f"{name} is out of bounds")
        return self


_PLAIN = {"int": int, "bool": bool}


@lru_cache(maxsize=1)
def _types() -> tuple[tuple[str, type, bool], ...]:
    """Each field's name, the type of its values, and whether it has several."""
    return tuple(
        (one.name, _PLAIN.get(str(one.type), str), one.type == "tuple[str, ...]")
        for one in fields(ModelEntry)
    )
