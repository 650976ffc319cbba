"""What a folder of the library is: a pipeline, a lone network, an adapter, learned words."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from studio.files import entries, holds_something, listed, read_regular
from studio.library.control_networks import CONTROL_NETWORKS, form_of
from studio.library.entry import ADAPTERS, ModelEntry
from studio.library.families import family_of, family_of_config, networks
from studio.library.family import ModelFamily
from studio.library.gguf_files import gguf_files
from studio.library.guard import damage, header_of
from studio.library.headers import describe
from studio.library.model_files import is_weights
from studio.library.networks import control_of, network_problem
from studio.library.quantised import method_of, problem_of_network, problem_of_part

CARD = "card.json"
PART = "part_of"  # in a card: the model that a folder belongs to, and so none of its own
LORA_FILE = "pytorch_lora_weights.safetensors"
CUSTOM_DIFFUSION_FILE = "pytorch_custom_diffusion_weights.safetensors"
EMBEDDING_FILE = "learned_embeds.safetensors"
PROJECTION_FILE = "visual_projection.safetensors"
PEFT_CONFIG = "adapter_config.json"
COMING = ".coming"  # beside files of a download that has not ended
PEFT_FOLDERS = (".", "unet", "transformer", "text_encoder", "text_encoder_2")
_NETWORKS = ("unet", "transformer")
_TEXT = ("text_encoder", "text_encoder_2", "text_encoder_3")
_TASKS = re.compile("Img2Img|Inpaint|PAG")  # pipelines of the same model
MAX_CONFIG_BYTES = 4 * 2**20
_IMAGES = ("png", "jpg", "jpeg", "webp")
PICTURES = (
    *(f"{mark}.{image}" for mark in (".preview", "") for image in _IMAGES),
    *(".swarmpreview.jpg", ".thumb.jpg", ".thumb.png"),
)
MOST_SAID = 1000  # characters of a card's description
_CARD_FIELDS = ("title", "trigger", "base", "control", "family")


def folder_entry(path: Path, identity: str) -> ModelEntry | None:
    """What a folder in diffusers' or peft's layout is, from its configs; ``None`` for no model.

    Args:
        identity: the id that it gets.
    """
    config, card = read_json(path / "config.json"), read_json(path / CARD)
    details: dict[str, Any] = {}
    if (path / "model_index.json").is_file():
        kind, details = "base", _describe_pipeline(path)
        if card.get("base"):
            kind = "finetune"
    elif config.get("null_text") or config.get("_class_name") == "NullTextUNet":
        kind, details = "concept", _describe_concept(config)
    elif config.get("_class_name") == "AutoencoderKL":
        space, factor = _latents(config)
        kind, details = "vae", {"latent_space": space, "multiple": factor}
    elif form := form_of(config):
        kind = "controlnet"
        family = CONTROL_NETWORKS[form].family(config)
        details = {"control": control_of(path.name), "family": family, "form": form}
    elif (network := _lone_network(path, config)) is not None:
        kind, details = "finetune", network
    elif (path / CUSTOM_DIFFUSION_FILE).is_file():
        kind, details = "custom-diffusion", _described(path / CUSTOM_DIFFUSION_FILE)
    elif (path / LORA_FILE).is_file():
        kind, details = "lora", _described(path / LORA_FILE)
    elif any((path / part / PEFT_CONFIG).is_file() for part in PEFT_FOLDERS):
        kind = "lora"
    elif (path / EMBEDDING_FILE).is_file() and words_in(path):
        kind, details = "embedding", {"sees": _sees(path / PROJECTION_FILE)}
    else:
        return None
    words = words_in(path) if kind in (*ADAPTERS, "embedding") else ()
    if words:
        details |= {"words": words, "trigger": " ".join(words)}
    details |= {k: str(card[k])[:200] for k in _CARD_FIELDS if k in card}
    if isinstance(said := card.get("description"), str):
        details["description"] = said[:MOST_SAID]
    if isinstance(edition := card.get("edition"), int) and 0 < edition < 2**31:
        details["edition"] = edition
    if kind in ADAPTERS and card.get("concept") is True:
        details["concept"] = True
    if (path / COMING).is_file():
        details["problem"] = "has not come whole from the hub; downloading it goes on from there"
    return ModelEntry(
        id=identity,
        kind=kind,
        bytes=size_of(path),
        path=str(path),
        **{"family": "", "title": identity, "thumbnail": picture_of(path / "thumbnail"), **details},
    )


def _described(file: Path) -> dict[str, Any]:
    """The family that an adapter's header tells, and what is wrong with the file."""
    try:
        fields = describe(header_of(file), file.stem) or {}
    except Exception as error:  # anything can stand in a stranger's file
        return {"problem": damage(error)}
    return {key: fields[key] for key in ("family", "trigger") if fields.get(key)}


def _sees(file: Path) -> int:
    """The width of the image embeddings that a visual encoder's projection reads; 0 for none."""
    try:
        shape = header_of(file)["image_embeds.weight"]["shape"]
        return int(shape[1])
    except Exception:  # there is none, or it is damaged: the word stands alone
        return 0


def words_in(path: Path) -> tuple[str, ...]:
    """Words of the embeddings in a folder: learned ones beside an adapter, or alone."""
    words: list[str] = []
    for file in sorted(listed(path, (".safetensors",))):
        if file.name not in (LORA_FILE, CUSTOM_DIFFUSION_FILE):
            try:
                fields = describe(header_of(file), file.stem) or {}
            except Exception:  # a file that is no model of its own either
                continue
            words += fields.get("words", ()) if fields.get("kind") == "embedding" else ()
    return tuple(dict.fromkeys(words))


def _lone_network(path: Path, config: dict[str, Any]) -> dict[str, Any] | None:
    """A denoising network without a pipeline around it (as Diffusion-DPO was published)."""
    nested = read_json(path / "unet/config.json")
    for folder, found in ((path, config), (path / "unet", nested)):
        if found.get("_class_name") in networks():
            parts = {"vae": "vae", "text": "text_encoder"}
            lacks = tuple(part for part, name in parts.items() if not (path / name).is_dir())
            return _describe_network(found, folder) | {"lacks": lacks}
    return None


def _describe_concept(config: dict[str, Any]) -> dict[str, Any]:
    """A null-text network's family, from the U-Net that it was made of."""
    inner = config.get("unet")
    if not isinstance(inner, dict) or inner.get("addition_embed_type") != "text_time":
        return {}
    problem = (
        "" if config.get("factor") else "is a null-text network of XL without XL's pooled text"
    )
    return {"family": family_of_config(inner), "problem": problem}


def _describe_network(config: dict[str, Any], folder: Path, pipeline: str = "") -> dict[str, Any]:
    channels = int(config.get("in_channels", 4))
    labelled = config.get("class_embed_type") or config.get("num_class_embeds")
    kind = str(config.get("_class_name", ""))
    problem = network_problem(
        channels, int(config.get("out_channels") or 4), pipeline, bool(labelled), kind
    )
    family = family_of_config(config, pipeline)
    record = family_of(family)
    rounded = problem_of_network(config, folder, family)
    if config or not rounded:  # where there is no config, nothing else can be said
        rounded = record.problem(config) or problem or _other(pipeline, record) or rounded
    quantised = method_of(config, folder)
    return {"family": family, "channels": channels, "problem": rounded, "quantised": quantised}


def _other(pipeline: str, family: ModelFamily) -> str:
    """Why a transformer's pipeline cannot be used: one that edits pictures has the same network."""
    plain = _TASKS.sub("", pipeline)
    if family.part == "unet" or not pipeline or plain in family.pipelines:
        return ""
    return f"is a {pipeline}, which the studio does not run; of {family.title} it runs {family.pipelines[0]}"


def _describe_pipeline(path: Path) -> dict[str, Any]:
    kind = str(read_json(path / "model_index.json").get("_class_name", ""))
    vae = read_json(path / "vae/config.json")
    folder = _network_folder(path)
    network = read_json(folder / "config.json")
    details = _describe_network(network, folder, kind)
    parts = [path / part for part in (*_TEXT, "vae")]
    found = (problem_of_part(read_json(part / "config.json"), part) for part in parts)
    details["problem"] = next(filter(None, found), details["problem"])
    family = family_of(details["family"])
    plain = {"latent_channels": network.get("in_channels", family.latent_channels)}
    stated = dict(family.latents(vae)) if vae else {}
    space, factor = _latents({**plain, "scaling_factor": family.scaling, **stated})
    return details | {
        "latent_space": space,
        "size": _sample_size(network, family) * factor,
        "multiple": factor * family.position,
        "lacks": ("vae",) if network and not (path / "vae").is_dir() else (),
    }


def _network_folder(path: Path) -> Path:
    """Where a pipeline's denoising network lies."""
    folders = [path / part for part in _NETWORKS]
    there = (one for one in folders if (one / "config.json").is_file() or gguf_files(one))
    return next(there, folders[0])


def _sample_size(network: dict[str, Any], family: ModelFamily) -> int:
    return int(network.get("sample_size") or family.size // family.latent_factor)


def _latents(vae: dict[str, Any]) -> tuple[str, int]:
    """Latent space of an autoencoder's config, and pixels per position."""
    widths = vae.get("block_out_channels") or vae.get("encoder_block_out_channels") or [0] * 4
    factor = 2 ** (len(widths) - 1)
    channels, scale = vae.get("latent_channels", 4), vae.get("scaling_factor", 0.18215)
    return f"{channels}x{factor}:{scale:.6g}", factor


def size_of(path: Path) -> int:
    """Bytes of a model's own weights: a pipeline's components, or one network's files."""
    components = read_json(path / "model_index.json")
    folders = [path / name for name in components if _is_part(path, name)] or [
        path,
        *(path / part for part in PEFT_FOLDERS[1:]),
    ]
    items = (item for folder in folders for item in entries(folder, ("",), 0))
    own = (item for item in items if is_weights(item.name) and holds_something(item))
    return sum(item.stat().st_size for item in own)


def _is_part(path: Path, name: str) -> bool:
    """Whether a pipeline's component has a folder of its own, within the pipeline's."""
    return (
        len(name) < 100 and name not in (".", "..") and "/" not in name and (path / name).is_dir()
    )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; {} where there is none, or one that is damaged or too long."""
    try:
        data = json.loads(read_text(path, MAX_CONFIG_BYTES))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def read_text(path: Path, limit: int) -> str:
    """The text of a file; "" where there is none that can be read."""
    try:
        return read_regular(path, limit).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def picture_of(stem: Path) -> str:
    """A picture kept beside a model under its name; "" for none."""
    names = (f"{stem}{suffix}" for suffix in PICTURES)
    return next((name for name in names if os.path.isfile(name)), "")
