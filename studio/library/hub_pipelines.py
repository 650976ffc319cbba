"""A pipeline on the hub: what it is, from its configs alone, and whether the hub's cache has all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.errors import MissingModel, StudioError
from studio.files import read_regular
from studio.library.hub import TIMEOUT_SECONDS, answers_named, check_reachable, is_closed

INDEX = "model_index.json"
# Of a pipeline these parts are not run here: the last two rewrite prompts for ERNIE-Image.
UNUSED = ("safety_checker", "feature_extractor", "image_encoder", "pe", "pe_tokenizer")
_MAX_BYTES = 2**24  # of an index, and of one of the files that hold a network together


def parts_of(index: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The parts that a ``model_index.json`` names and that are run here, each with its class."""
    for name, value in index.items():
        if isinstance(value, list) and len(value) == 2 and name not in UNUSED:
            library, kind = value
            if isinstance(library, str) and isinstance(kind, str):
                yield name, kind


def is_whole(folder: Path) -> bool:
    """Whether all parts of a pipeline that are run here lie in its folder."""
    index = _json(folder / INDEX)
    return all(_is_whole(folder / name, kind) for name, kind in parts_of(index))


def _is_whole(folder: Path, kind: str) -> bool:
    if not folder.is_dir():
        return False
    if "Scheduler" in kind or "Tokenizer" in kind or "Processor" in kind:
        return any(folder.glob("*.json"))
    pieces = [
        piece
        for index in folder.glob("*.safetensors.index.json")
        for piece in dict(_json(index).get("weight_map") or {}).values()
    ]
    if not any(folder.glob("*.safetensors")):
        return False
    return all((folder / str(piece)).is_file() for piece in pieces)


def describe(identity: str) -> None:
    """Fetch what says which family a pipeline of the hub is of: its index and the parts' configs, a few
    kilobytes. What the hub's cache has is not fetched again, and of a lone network nothing is.

    Raises:
        MissingModel: no network, no such model, or one that asks for an account.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError

    def has(name: str) -> bool:
        return isinstance(try_to_load_from_cache(identity, name), str)

    def fetched(name: str) -> Path | None:
        try:
            return Path(hf_hub_download(identity, name, etag_timeout=TIMEOUT_SECONDS))
        except EntryNotFoundError:
            return None

    if is_closed():
        return
    if not has(INDEX):
        check_reachable(identity)
    try:
        with answers_named(identity, "base"):
            index = fetched(INDEX)
            for name, kind in parts_of(_json(index)) if index else ():
                config = "scheduler_config.json" if "Scheduler" in kind else "config.json"
                if "Tokenizer" not in kind and not has(f"{name}/{config}"):
                    fetched(f"{name}/{config}")
    except StudioError as error:
        raise MissingModel(error.message, field="base", model=identity) from error


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_regular(file, _MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}  # loading it says what is wrong
    return found if isinstance(found, dict) else {}
