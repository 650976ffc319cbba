"""The folders of other tools: AUTOMATIC1111's and Forge's, ComfyUI's, SwarmUI's, InvokeAI's, the hub's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.files import read_regular
from studio.library.invoke_records import records_of
from studio.library.places import LAYOUTS, Layout, Place

MAX_BYTES = 2**20
MAX_PLACES = 200
MAX_REPOSITORIES = 2000
_COMFY_FILES = ("extra_model_paths.yaml", "extra_model_paths.yml", "extra_models_config.yaml")
_NO_MODELS = ("base_path", "is_default", "custom_nodes", "configs")
_SWARM_FOLDERS = re.compile(r"^\s*SD(\w+?)s?Folder:[ \t]*(\S.*?)\s*$", re.MULTILINE)
_REPOSITORY = re.compile(r"models--([A-Za-z0-9][\w.-]*)--([\w.-]+)$")


def _web_ui(folder: Path) -> list[Place]:
    """AUTOMATIC1111's web UI, Forge, reForge, SD.Next: ``models``, and ``embeddings`` beside it.

    Their ``models`` folder alone may be named, too.
    """
    top = folder.parent if folder.name == "models" else folder
    if not ((top / "webui.py").is_file() and (top / "models").is_dir()):
        return []
    beside = (
        (top / "embeddings", "embeddings"),
        (top / "extensions/sd-webui-controlnet/models", "ControlNet"),
        (top / "extensions-builtin/sd-webui-controlnet/models", "ControlNet"),
    )
    return [
        Place(top / "models", follows=True),
        *(Place(one, name, follows=True) for one, name in beside if one.is_dir()),
    ]


def _comfy_ui(folder: Path) -> list[Place]:
    """ComfyUI's folder, or its ``extra_model_paths.yaml`` alone."""
    if folder.is_file():
        return _extra_paths(folder) if folder.suffix in (".yaml", ".yml") else []
    files = [folder / name for name in _COMFY_FILES if (folder / name).is_file()]
    models = folder / "models"
    if not files and not ((folder / "comfy").is_dir() and models.is_dir()):
        return []
    own = [Place(models, follows=True)] if models.is_dir() else []
    named = [place for file in files for place in _extra_paths(file)]
    within = models.resolve()  # what the file names there is seen already
    return own + [one for one in named if not (own and one.folder.resolve().is_relative_to(within))]


def _extra_paths(file: Path) -> list[Place]:
    """The folders that ComfyUI's file names, as ComfyUI reads it.

    ``base_path`` is taken from the file's own folder, the others from it; several stand in lines.
    """
    import yaml

    try:
        data = yaml.safe_load(read_regular(file, MAX_BYTES))
    except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        return [Place(file, problem=f"is damaged ({reason})")]
    if not isinstance(data, dict):
        return [Place(file, problem="is no list of folders as ComfyUI reads it")]
    found: dict[Path, Place] = {}  # a folder that stands under two kinds is of the first
    for group in data.values():
        for place in _group(group, file.parent):
            found.setdefault(place.folder.resolve(), place)
    return list(found.values())[:MAX_PLACES]


def _group(group: Any, beside: Path) -> Iterator[Place]:
    if not isinstance(group, dict):
        return
    base = beside / _expanded(str(group.get("base_path") or ""))
    for kind, folders in group.items():
        if kind in _NO_MODELS or not isinstance(folders, str):
            continue
        for line in filter(None, map(str.strip, folders.split("\n"))):
            folder = Path(os.path.normpath(base / _expanded(line)))
            yield (
                Place(folder, str(kind), follows=True)
                if folder.is_dir()
                else Place(folder, problem="is not there; extra_model_paths.yaml names it")
            )


def _expanded(text: str) -> str:
    return os.path.expandvars(os.path.expanduser(text.replace("\\", "/")))


def _swarm_ui(folder: Path) -> list[Place]:
    """SwarmUI: ``Models`` or the roots that its settings name, and full paths named for one kind."""
    settings = folder / "Data/Settings.fds"
    if not settings.is_file() and not (folder / "SwarmUI.sln").is_file():
        return []
    roots, further = ["Models"], []
    if settings.is_file():
        text = read_regular(settings, MAX_BYTES).decode("utf-8", "replace")
        if match := re.search(r"^\s*ModelRoot:[ \t]*(\S.*?)\s*$", text, re.MULTILINE):
            roots = _in_line(match[1])
        further = [
            (place, kind.lower())
            for kind, line in _SWARM_FOLDERS.findall(text)
            for place in map(_expanded, _in_line(line))
            if os.path.isabs(place)
        ]
    named = [(_expanded(root), "") for root in roots] + further
    return [
        Place(place, kind, follows=True) if place.is_dir() else Place(place, problem="is not there")
        for place, kind in ((folder / one, kind) for one, kind in named[:MAX_PLACES])
    ]


def _in_line(text: str) -> list[str]:
    return [one.strip() for one in text.split(";") if one.strip()]


def _invoke_ai(folder: Path) -> list[Place]:
    """InvokeAI: its root or the ``models`` there, with the names that its database holds."""
    top = folder.parent if folder.name == "models" else folder
    if not ((top / "invokeai.yaml").is_file() or (top / "databases/invokeai.db").is_file()):
        return []
    records, elsewhere = records_of(top)
    return [
        Place(top / "models", follows=True, records=records),
        *(
            Place(
                one.parent, "in place", follows=True, only=frozenset((one.name,)), records=records
            )
            for one in elsewhere[:MAX_PLACES]
            if one.exists()
        ),
    ]


def _hub_cache(folder: Path) -> list[Place]:
    """The cache of the Hugging Face Hub (its ``hub`` folder): each model under its id there."""
    if (folder / "hub").is_dir() and not any(folder.glob("models--*")):
        folder = folder / "hub"
    places = []
    for item in sorted(folder.glob("models--*"))[:MAX_REPOSITORIES]:
        match = _REPOSITORY.match(item.name)
        snapshot = _snapshot(item) if match else None
        if match and snapshot is not None:
            places.append(Place(snapshot, f"{match[1]}/{match[2]}", whole=True, follows=True))
    return places


def _snapshot(repository: Path) -> Path | None:
    """The newest state of a repository in the cache: what ``main`` is, else the latest folder."""
    try:
        name = read_regular(repository / "refs/main", 200).decode().strip()
        if re.fullmatch(r"[0-9a-f]{7,64}", name) and (repository / "snapshots" / name).is_dir():
            return repository / "snapshots" / name
    except (OSError, ValueError):
        pass
    folders = [one for one in (repository / "snapshots").glob("*") if one.is_dir()]
    return max(folders, key=lambda one: one.stat().st_mtime, default=None)


for _name, _layout in {
    "web-ui": Layout("AUTOMATIC1111 / Forge", _web_ui),
    "comfyui": Layout("ComfyUI", _comfy_ui),
    "swarmui": Layout("SwarmUI", _swarm_ui),
    "invokeai": Layout("InvokeAI", _invoke_ai),
    "hub-cache": Layout("Hugging Face Hub cache", _hub_cache),
}.items():
    LAYOUTS.register(_name, _layout)
