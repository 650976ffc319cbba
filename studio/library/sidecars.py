"""What other tools keep beside a model, or write into its header: words, description, base, hashes.

Each dialect is a function from a file's contents to :class:`ModelEntry` fields; it registers under
the ending that follows the model's name. The model's own header counts where no file says more.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.extensions import Table
from studio.files import shown
from studio.library.folders import PICTURES, picture_of, read_json, read_text
from studio.preset import ModelRef
from studio.preset.bounds import bounds

MAX_WORDS, MAX_TEXT, MAX_NAME = 200, 1000, 60
PREDICTIONS = ("epsilon", "v_prediction")
_TAG = re.compile(r"<[^<>]{0,500}>")
_HASH = re.compile(r"(?:0x)?([0-9a-f]{8,64})", re.IGNORECASE)
# Hashes of the whole file, of its tensors alone, and of a part of it: what other tools call models by.
_HASHES = ("AutoV1", "AutoV2", "AutoV3", "SHA256")

Reader = Callable[[Mapping[str, Any]], dict[str, Any]]
SIDECARS: Table[Reader] = Table("sidecar of a model")


def _web_ui(data: Mapping[str, Any]) -> dict[str, Any]:
    """A1111's and Forge's user metadata."""
    weight = data.get("preferred weight")
    return {
        "trigger": data.get("activation text"),
        "advised": _strength(weight),
        "description": _sentences(
            data.get("description"),
            f"Preferred weight {weight:g}" if isinstance(weight, int | float) and weight else "",
            data.get("notes"),
        ),
        "made_for": data.get("sd version"),
        "prediction": data.get("prediction_type"),
        "hashes": _hashes(data),
    } | {key: value for key, value in _civitai(data).items() if "trainedWords" in data and value}


def _civitai(data: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of civitai.com, as its helpers keep it."""
    model = data.get("model")
    name = model.get("name") if isinstance(model, Mapping) else None
    files = data.get("files")
    given = (
        [one.get("hashes") for one in files if isinstance(one, Mapping)]
        if isinstance(files, list)
        else []
    )
    about = model.get("description") if isinstance(model, Mapping) else None
    version = None if "modelVersions" in data else data.get("id")  # else the model's number
    return {
        "version": str(version) if type(version) is int and version > 0 else "",
        "title": " ".join(str(one) for one in (name, data.get("name")) if one) if name else None,
        "trigger": _listed(data.get("trainedWords")),
        "description": _sentences(data.get("description"), about),
        "made_for": data.get("baseModel"),
        "hashes": tuple(h for one in given if isinstance(one, Mapping) for h in _hashes(one)),
    }


def _stability_matrix(data: Mapping[str, Any]) -> dict[str, Any]:
    """Stability Matrix's connected models."""
    given = data.get("Hashes")
    return {
        "title": data.get("ModelName"),
        "trigger": _listed(data.get("TrainedWords")),
        "description": _sentences(data.get("ModelDescription")),
        "made_for": data.get("BaseModel"),
        "version": str(data["VersionId"]) if type(data.get("VersionId")) is int else "",
        "hashes": _hashes(given) if isinstance(given, Mapping) else (),
    }


def _lora_manager(data: Mapping[str, Any]) -> dict[str, Any]:
    """ComfyUI's LoRA Manager: its own fields, and civitai.com's answer in one of them."""
    inner = data.get("civitai")
    found = _civitai(inner) if isinstance(inner, Mapping) else {}
    return found | {
        "advised": _strength(_tips(data.get("usage_tips")).get("strength")),
        "title": data.get("model_name") or found.get("title"),
        "made_for": data.get("base_model") or found.get("made_for"),
        "description": _sentences(data.get("modelDescription")) or found.get("description"),
        "hashes": (*found.get("hashes", ()), *_hashes({"SHA256": data.get("sha256")})),
    }


def _model_spec(data: Mapping[str, Any]) -> dict[str, Any]:
    """The model specification's fields, as headers and SwarmUI's files hold them."""
    values = {str(key).removeprefix("modelspec."): value for key, value in data.items()}
    return {
        "title": values.get("title"),
        "trigger": values.get("trigger_phrase"),
        "description": _sentences(values.get("description"), values.get("usage_hint")),
        "made_for": values.get("architecture"),
        "prediction": values.get("prediction_type"),
        "hashes": _hashes({"SHA256": values.get("hash_sha256")}),
    }


for _ending, _reader in {
    ".json": _web_ui,
    ".civitai.info": _civitai,
    ".cm-info.json": _stability_matrix,
    ".metadata.json": _lora_manager,
    ".swarm.json": _model_spec,
}.items():
    SIDECARS.register(_ending, _reader)


def endings() -> tuple[str, ...]:
    """What follows a model's name in the files that are kept beside it."""
    return (*SIDECARS, ".yaml", *PICTURES)


def beside(file: Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the model in ``file``, from what lies beside it and its own header's metadata.

    Args:
        metadata: of its header.

    Returns:
        ``trigger`` and ``title`` only where they say something, ``thumbnail`` in any case.
    """
    found: dict[str, Any] = {}
    hashes: dict[str, None] = dict.fromkeys(_of_header(metadata))
    for one in _read(file, metadata):
        hashes |= dict.fromkeys(one.pop("hashes", ()))
        found = {key: text for key, value in one.items() if (text := _text(key, value))} | found
    if found.get("prediction") not in PREDICTIONS:
        found.pop("prediction", None)
        if _says_v(file.with_suffix(".yaml")):
            found["prediction"] = PREDICTIONS[1]
    return found | {"hashes": tuple(hashes), "thumbnail": picture_of(file.with_suffix(""))}


def _read(file: Path, metadata: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each dialect's fields, those that count first in front."""
    for ending, reader in SIDECARS.items():
        data = read_json(file.with_name(f"{file.stem}{ending}"))
        if data:
            yield dict(reader(data))
    # What a header says of words and prediction is read with its tensors.
    yield {
        k: v for k, v in _model_spec(metadata).items() if k in ("title", "description", "hashes")
    }


def _of_header(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The hashes that kohya's scripts write: of the tensors alone, and of a part of the file."""
    return _hashes(
        {"SHA256": metadata.get("sshs_model_hash"), "AutoV1": metadata.get("sshs_legacy_hash")}
    )


def _hashes(data: Mapping[str, Any]) -> tuple[str, ...]:
    values = (data.get(name) or data.get(name.lower()) for name in _HASHES)
    found = (_HASH.fullmatch(value.strip()) for value in values if isinstance(value, str))
    return tuple(match[1].lower() for match in found if match)


def _strength(given: Any) -> str:
    """A strength as a preset takes it, in digits; "" for none, and for 0, which other tools write for it."""
    least, most = bounds(ModelRef, "strength")
    plain = isinstance(given, int | float) and not isinstance(given, bool)
    return f"{given:g}" if plain and given and least <= given <= most else ""


def _tips(text: Any) -> dict[str, Any]:
    """An object of JSON inside a text; {} for none."""
    try:
        found = json.loads(text) if isinstance(text, str) and len(text) < MAX_TEXT else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _listed(words: Any) -> str:
    return ", ".join(str(one) for one in words) if isinstance(words, list) else ""


def _sentences(*texts: Any) -> str:
    """Texts in one line, without the tags of a page."""
    plain = (html.unescape(_TAG.sub(" ", one[:20_000])) for one in texts if isinstance(one, str))
    return ". ".join(" ".join(one.split()).rstrip(".") for one in plain if one.strip())


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        return ""
    most = {"trigger": MAX_WORDS, "description": MAX_TEXT}.get(key, MAX_NAME)
    return shown(" ".join(value.split())[:most].encode("utf-8", "replace").decode())


def _says_v(config: Path) -> bool:
    """Whether the original config beside a checkpoint (as web UIs keep it) trains on v."""
    text = read_text(config, 2**20)[:20000]
    return any(
        line.split("#")[0].replace('"', "").replace("'", "").split() == ["parameterization:", "v"]
        for line in text.splitlines()
    )
