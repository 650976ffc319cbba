"""What the record of a family says; the records stand in :mod:`studio.library.families`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

EPSILON, V, FLOW = "epsilon", "v_prediction", "flow_prediction"
Config = Mapping[str, Any]
Shapes = Mapping[str, tuple[int, ...]]

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CONTROL = "control_model."
# A tensor that a network's own file begins with, and what precedes it in a whole model's.
_ALONE = {
    "input_hint_block.0.weight": CONTROL,
    "input_blocks.0.0.weight": UNET,
    "encoder.down.0.block.0.conv1.weight": VAE,
}
_BARE_CLIP = re.compile(
    r"^((?:cond_stage_model|conditioner\.embedders\.0)\.transformer\.)"
    r"(?=embeddings\.|encoder\.|final_layer_norm\.)"
)


@dataclass(frozen=True)
class Tower:
    """A text tower in a whole-model file.

    ``names``: whose layer names it has, transformers' (``clip``) or OpenCLIP's. ``prefixes``:
    what they may begin with. ``unused``: last layers that the networks were not trained on.
    """

    names: Literal["clip", "open_clip"]
    prefixes: tuple[str, ...]
    unused: int = 0


@dataclass(frozen=True)
class FileLayout:
    """A whole model in one file, as the original code saves it.

    ``prediction``: what such a file predicts when it does not say so itself; "" for a file that
    is not the family's. ``towers``: by their names in a pipeline. ``blocks``: the network's
    levels. ``network``: what its config holds that tensors do not show.
    """

    prediction: Callable[[Shapes], str]
    towers: Mapping[str, Tower]
    blocks: tuple[str, ...]
    network: Config


@dataclass(frozen=True)
class Unfit:
    """Why a setting of a training is refused for a family, and the values that are not."""

    why: str
    allowed: tuple[Any, ...] = ()


@dataclass(frozen=True)
class ModelFamily:
    """What is known of a family without loading one of its models.

    ``title``: its name on the page. ``runs``: its class in the engine, as ``module:Class``.
    ``recognises``: whether the config of a network, in a pipeline of that class ("" for a lone
    one), is of the family; the family registered last is asked first. ``in_file``: its whole-model
    files, ``None`` where there are none. ``problem``: why a network's config cannot be used, "" for
    what can. ``marks``: what stands in the metadata of adapters trained
    on it, ``adapter_names``: beginnings of names in them that are the family's alone. ``pipelines``: diffusers' classes, results are saved in the first; ``network``: class and
    ``part`` of its denoising network there. ``predicts``: parameterisations, the usual one first.
    ``text``: its text towers in words, ``window``: tokens of text that they read at once, and
    ``windows``: whether a longer prompt goes into further windows (else it is refused); ``text_width``: of the states that the network reads (0:
    no mark of the family). ``latent_channels``, ``latent_factor`` (pixels per position) and
    ``scaling``: the latent space where no file states it; ``position``: the edge of latent positions that the network takes as one.
    ``latents``: its autoencoder's config in the words of ``AutoencoderKL``'s (``latent_channels``,
    ``block_out_channels``, ``scaling_factor``), and what else it says.
    ``shift_rule``: how the flow's shift grows with the picture, where not linearly;
    ``distilled_shift``: its exponent in pipelines that say they are distilled (0: as in the others).
    ``own_sigmas``: diffusers' pipelines begin with σ of their own instead of the scheduler's. ``size``: native edge in pixels.
    ``guidance``: the advised scale of classifier-free guidance; ``distilled``: what networks that
    read a distilled one as a number get where a preset says nothing, 0 where none do. ``clip_skip``: the
    layer of its CLIP towers that networks read, 1 for the last, where a preset can choose another; 0
    where it cannot. ``seamless``: whether its networks know no place of a picture by its number, so
    that opposite edges can meet. ``has_middle``: whether they have levels and self-attention in the
    lowest. ``freeu``: the factors b1, b2, s1 and s2 that FreeU's authors advise for them, () where networks have no
    such levels. ``t2i_adapters``: types of
    T2I-Adapters (as diffusers names them) that fit its levels.

    Limits: ``controls``, ``image_prompts``, ``concepts``, ``learned_words``, ``prompt_weights``:
    whether rows can have them. ``trains``: whether training is offered, by the methods that fit its
    parts; ``unfit``: settings refused there. ``one_tower``: whether captions are read by one CLIP tower, through which words learn.
    """

    title: str
    runs: str
    recognises: Callable[[Config, str], bool]
    pipelines: tuple[str, ...]
    predicts: tuple[str, ...]
    text: str
    size: int
    guidance: float
    scaling: float
    text_width: int = 0
    window: int = 75
    windows: bool = True
    network: str = "UNet2DConditionModel"
    part: str = "unet"
    distilled: float = 0.0
    clip_skip: int = 0
    seamless: bool = False
    has_middle: bool = False
    freeu: tuple[float, ...] = ()
    latent_channels: int = 4
    latent_factor: int = 8
    position: int = 1
    own_sigmas: bool = False
    shift_rule: str = ""
    distilled_shift: float = 0.0
    latents: Callable[[Config], Config] = lambda config: config
    t2i_adapters: tuple[str, ...] = ()
    in_file: FileLayout | None = None
    problem: Callable[[Config], str] = lambda config: ""
    marks: tuple[str, ...] = ()
    adapter_names: tuple[str, ...] = ()
    controls: bool = True
    image_prompts: bool = True
    concepts: bool = True
    learned_words: bool = True
    prompt_weights: bool = True
    one_tower: bool = True
    trains: bool = False
    unfit: Mapping[str, Unfit] = field(default_factory=dict)

    @property
    def flow(self) -> bool:
        """Whether its networks follow a flow instead of removing noise by a table."""
        return self.predicts[0] == FLOW

    @property
    def unused_layers(self) -> int:
        """Last layers of its text towers that no network of it was trained on, and no model has."""
        return (
            max((t.unused for t in self.in_file.towers.values()), default=0) if self.in_file else 0
        )

    @property
    def latent_space(self) -> str:
        """As :attr:`studio.library.ModelEntry.latent_space`, where no file states it."""
        return f"{self.latent_channels}x{self.latent_factor}:{self.scaling:.6g}"


def canonical_names(names: Iterable[str]) -> dict[str, str]:
    """Names of a file's tensors → their names in a whole-model file of the original code.

    A network that lies alone in its file has lost the beginning of its names there, and some
    savers leave out ``text_model`` in CLIP's.
    """
    names = list(names)
    before = next((prefix for mark, prefix in _ALONE.items() if mark in names), "")
    return {name: _BARE_CLIP.sub(r"\1text_model.", before + name) for name in names}


def shapes_of(header: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shapes by canonical name, of a header of :func:`studio.library.read_header`."""
    shapes = {
        name: tuple(value["shape"])
        for name, value in header.items()
        if name != "__metadata__" and isinstance(value, Mapping) and "shape" in value
    }
    names = canonical_names(shapes)
    return {names[name]: shape for name, shape in shapes.items()}


def has(shapes: Shapes, *prefixes: str) -> bool:
    """Whether a file holds a tensor whose name begins with one of ``prefixes``."""
    return any(key.startswith(prefixes) for key in shapes)
