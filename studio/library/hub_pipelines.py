"""A pipeline on the hub: what it is, from its configs alone, and whether the hub's cache has all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.errors import MissingModel, StudioError
from studio.library.folders import read_json
from studio.library.gguf_files import gguf_files
from studio.library.hub import (
    TIMEOUT_SECONDS,
    answers_named,
    check_reachable,
    in_cache,
    is_closed,
)
from studio.library.model_files import is_plain

INDEX, VAE = "model_index.json", "vae"
# Of a pipeline these parts are not run here: the last two rewrite prompts for ERNIE-Image.
UNUSED = ("safety_checker", "feature_extractor", "image_encoder", "pe", "pe_tokenizer")


def parts_of(index: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The parts that a ``model_index.json`` names and that are run here, each with its class."""
    for name, value in index.items():
        if not is_plain(name) or name in UNUSED:
            continue
        if isinstance(value, list) and len(value) == 2:
            library, kind = value
            if isinstance(library, str) and isinstance(kind, str):
                yield name, kind


def is_whole(folder: Path, decodes: bool = True) -> bool:
    """Whether all parts of a pipeline that are run here lie in its folder.

    Args:
        decodes: its autoencoder too, which a row's model does without.
    """
    try:
        parts = [part for part in parts_of(read_json(folder / INDEX)) if decodes or part[0] != VAE]
        return all(_is_whole(folder / name, kind) for name, kind in parts)
    except (OSError, ValueError):  # a name in a stranger's file that can be none
        return False


def _is_whole(folder: Path, kind: str) -> bool:
    if not folder.is_dir():
        return False
    if "Scheduler" in kind or "Tokenizer" in kind or "Processor" in kind:
        return any(folder.glob("*.json"))
    if not (any(folder.glob("*.safetensors")) or gguf_files(folder)):
        return False
    pieces = {
        piece
        for index in folder.glob("*.safetensors.index.json")
        for piece in _pieces(str(index), index.stat().st_mtime_ns)
    }
    return all((folder / piece).is_file() for piece in pieces)


@lru_cache(maxsize=64)
def _pieces(index: str, stamp: int) -> frozenset[str]:
    """The files that an index of weights names."""
    found = read_json(Path(index)).get("weight_map")
    return frozenset(map(str, found.values())) if isinstance(found, dict) else frozenset()


def serves_rows(identity: str) -> bool:
    """Whether the hub's cache has all of a pipeline that a row's model needs."""
    cached = in_cache(identity, INDEX)
    return cached is not None and is_whole(cached.parent, decodes=False)


def describe(identity: str) -> None:
    """Fetch what says which family a pipeline of the hub is of: its index and the parts' configs, a few
    kilobytes. What the hub's cache has is not fetched again, and of a lone network nothing is.

    Raises:
        MissingModel: no network, no such model, or one that asks for an account.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    def fetched(name: str) -> Path | None:
        try:
            return Path(hf_hub_download(identity, name, etag_timeout=TIMEOUT_SECONDS))
        except LocalEntryNotFoundError:  # no network
            raise
        except EntryNotFoundError:
            return None

    if is_closed():
        return
    if not in_cache(identity, INDEX):
        check_reachable(identity)
    try:
        with answers_named(identity, "base"):
            index = fetched(INDEX)
            for name, kind in parts_of(read_json(index)) if index else ():
                config = "scheduler_config.json" if "Scheduler" in kind else "config.json"
                if "Tokenizer" not in kind and not in_cache(identity, f"{name}/{config}"):
                    fetched(f"{name}/{config}")
    except StudioError as error:
        raise MissingModel(error.message, field="base", model=identity) from error
