"""The families of models: one record each, which whatever depends on a family reads.

Those that diffusers has modular blocks for stand in :mod:`studio.library.flow_families`.
A family takes this record and one file of ``studio/engine/families``, which the record names. A
package that is installed adds one in the same way: ``FAMILIES.register(name, record)``, most
simply a copy of a record here (:func:`dataclasses.replace`) with what differs.
"""

from __future__ import annotations

from studio.extensions import Table
from studio.library.family import (
    EPSILON,
    FLOW,
    UNET,
    Config,
    FileLayout,
    ModelFamily,
    Shapes,
    Tower,
    Unfit,
    V,
    has,
)
from studio.library.flow_families import FLOW_FAMILIES

FAMILIES: Table[ModelFamily] = Table("family")
DEFAULT = "sd1"  # of an id of the hub that nothing is known of yet


def family_of(name: str) -> ModelFamily:
    """The record of an entry's family; the default one's for "".

    Raises:
        StudioError: no such family; names those that there are.
    """
    return FAMILIES.require(name or DEFAULT, "family")


def title_of(name: str) -> str:
    """A family's name for people; its id where it is unknown."""
    return FAMILIES[name].title if name in FAMILIES else name


def family_of_config(config: Config, pipeline: str = "") -> str:
    """The family of a network's config; the family registered last is asked first."""
    return next((name for name in _latest() if FAMILIES[name].recognises(config, pipeline)), "")


def family_of_file(shapes: Shapes) -> tuple[str, str]:
    """Family and prediction of a whole-model file, ("", "") where no family knows it."""
    for name in _latest():
        layout = FAMILIES[name].in_file
        if layout and (prediction := layout.prediction(shapes)):
            return name, prediction
    return "", ""


def family_of_width(width: int) -> str:
    """The family whose networks read text of ``width``; "" for no or an unknown one."""
    return next((n for n, f in FAMILIES.items() if width and f.text_width == width), "")


def family_of_mark(text: str) -> str:
    """The family that an adapter's trainer names, such as ``sdxl_base_v1-0``; "" for none."""
    text = text.lower()
    return next((n for n in _latest() if any(mark in text for mark in FAMILIES[n].marks)), "")


def family_of_names(shapes: Shapes) -> str:
    """The family that alone has such names in its adapters; "" for none."""
    return next((n for n in _latest() if has(shapes, *FAMILIES[n].adapter_names)), "")


def networks() -> tuple[str, ...]:
    """Classes of diffusers that denoising networks are saved as."""
    return tuple(dict.fromkeys(family.network for family in FAMILIES.values()))


def _latest() -> list[str]:
    return list(FAMILIES)[::-1]


_CROSS, _PLAIN = "CrossAttn{}Block2D", "{}Block2D"
_CLIP = "cond_stage_model."
_FIRST, _SECOND = "conditioner.embedders.0.", "conditioner.embedders.1."


def _other_towers(title: str) -> dict[str, Unfit]:
    why = Unfit(f"PDLoss reads one CLIP text tower, and {title} has others; leave it out")
    return {"pdloss": why, "clip": why}


def _sd2_in_file(shapes: Shapes) -> str:
    if has(shapes, f"{_CLIP}model."):
        return V  # as diffusers takes it: the 768 model unless the file says otherwise
    turbo = has(shapes, f"{_FIRST}model.") and not has(shapes, _SECOND, f"{UNET}label_emb.")
    return EPSILON if turbo else ""


FAMILIES.register(
    "sd1",
    ModelFamily(
        title="Stable Diffusion 1.x",
        runs="studio.engine.families.stable_diffusion:StableDiffusion",
        recognises=lambda config, pipeline: True,  # whatever no other family knows
        pipelines=("StableDiffusionPipeline",),
        predicts=(EPSILON, V),
        text="CLIP",
        text_width=768,
        size=512,
        guidance=7.5,
        scaling=0.18215,
        clip_skip=1,
        seamless=True,
        has_middle=True,
        freeu=(1.5, 1.6, 0.9, 0.2),
        t2i_adapters=("full_adapter", "light_adapter"),
        in_file=FileLayout(
            prediction=lambda shapes: EPSILON if has(shapes, f"{_CLIP}transformer.") else "",
            towers={"text_encoder": Tower("clip", (_CLIP,))},
            blocks=(_CROSS, _CROSS, _CROSS, _PLAIN),
            network={"attention_head_dim": 8},
        ),
        marks=("v1", "1.", "sd_1"),
        trains=True,
    ),
)
FAMILIES.register(
    "sd2",
    ModelFamily(
        title="Stable Diffusion 2.x",
        runs="studio.engine.families.stable_diffusion:StableDiffusion",
        recognises=lambda config, _: config.get("cross_attention_dim") == 1024,
        pipelines=("StableDiffusionPipeline",),
        predicts=(V, EPSILON),
        text="OpenCLIP",
        text_width=1024,
        size=768,
        guidance=7.5,
        scaling=0.18215,
        clip_skip=2,
        seamless=True,
        has_middle=True,
        freeu=(1.4, 1.6, 0.9, 0.2),
        in_file=FileLayout(
            prediction=_sd2_in_file,
            # The network was trained on the last layer but one, so the last is not even loaded.
            towers={"text_encoder": Tower("open_clip", (f"{_CLIP}model.", f"{_FIRST}model."), 1)},
            blocks=(_CROSS, _CROSS, _CROSS, _PLAIN),
            network={"use_linear_projection": True},
        ),
        marks=("v2", "2.", "sd_2"),
        trains=True,
    ),
)
FAMILIES.register(
    "sdxl",
    ModelFamily(
        title="Stable Diffusion XL",
        runs="studio.engine.families.sdxl:StableDiffusionXL",
        recognises=lambda config, pipeline: (
            "XL" in pipeline
            or config.get("addition_embed_type") == "text_time"
            or config.get("cross_attention_dim") == 2048
        ),
        pipelines=("StableDiffusionXLPipeline",),
        predicts=(EPSILON, V),
        text="CLIP and OpenCLIP, pooled text and size",
        text_width=2048,
        size=1024,
        guidance=5.0,
        scaling=0.13025,
        clip_skip=2,
        seamless=True,
        has_middle=True,
        freeu=(1.3, 1.4, 0.9, 0.2),
        t2i_adapters=("full_adapter_xl",),
        in_file=FileLayout(
            prediction=lambda shapes: EPSILON if has(shapes, _SECOND) else "",
            towers={
                "text_encoder": Tower("clip", (_FIRST,)),
                "text_encoder_2": Tower("open_clip", (f"{_SECOND}model.",)),
            },
            blocks=(_PLAIN, _CROSS, _CROSS),
            network={
                "use_linear_projection": True,
                "transformer_layers_per_block": [1, 2, 10],
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": 256,
            },
        ),
        adapter_names=("lora_te2_", "text_encoder_2.", "clip_g"),
        marks=("xl", "pony", "illustrious"),
        one_tower=False,
        trains=True,
        unfit=_other_towers("SDXL"),
    ),
)
_FLOW = Unfit(
    "the denoising discrepancy is one of diffusion steps, SANA follows a flow; leave it out"
)
FAMILIES.register(
    "sana",
    ModelFamily(
        title="SANA",
        runs="studio.engine.families.sana:Sana",
        recognises=lambda config, pipeline: (
            "Sana" in pipeline or config.get("_class_name") == "SanaTransformer2DModel"
        ),
        pipelines=("SanaPipeline",),
        network="SanaTransformer2DModel",
        part="transformer",
        predicts=(FLOW,),
        text="Gemma 2",
        window=299,
        windows=False,
        size=1024,
        guidance=4.5,
        scaling=0.41407,
        latent_channels=32,
        latent_factor=32,
        problem=lambda config: (
            "is a distilled SANA (Sprint), which takes its guidance as a number, not as rows"
            if config.get("guidance_embeds")
            else ""
        ),
        controls=False,
        image_prompts=False,
        concepts=False,
        learned_words=False,
        prompt_weights=False,
        one_tower=False,
        trains=True,
        unfit={
            **_other_towers("SANA"),
            "ddloss": _FLOW,
            "measure_every": _FLOW,
            "targets": Unfit("SANA's other layers are convolutions; use attention", ("attention",)),
        },
    ),
)
for _name, _record in FLOW_FAMILIES.items():
    FAMILIES.register(_name, _record)
