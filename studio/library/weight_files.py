"""The safetensors files that a model's weights are read from: each part's in one precision."""

from __future__ import annotations

from pathlib import Path

from studio.library.hub_pipelines import UNUSED
from studio.library.model_files import files_of


def weight_files(path: Path) -> list[Path]:
    """The safetensors files that a model's weights are read from, each part's in one precision."""
    if path.is_file():
        return [path]
    folders: dict[Path, list[Path]] = {}
    candidates = [*files_of(path), *(path / "unet").glob("*.safetensors")]
    for file in sorted(set(candidates)):
        if file.suffix == ".safetensors" and file.parent.name not in UNUSED:
            folders.setdefault(file.parent, []).append(file)
    whole = (path / "model_index.json").is_file()
    return [
        file
        for folder, files in folders.items()
        if not (whole and folder == path)  # of a pipeline, its preview or a whole file beside it
        for file in one_precision(files)
    ]


def one_precision(files: list[Path]) -> list[Path]:
    """Of a part's files the plain ones, else those of one variant (``fp16``)."""
    variants: dict[str, list[Path]] = {}
    for file in files:
        variants.setdefault(_variant(file), []).append(file)
    if not variants:
        return []
    return variants.get("") or variants.get("fp16") or next(iter(variants.values()))


def _variant(file: Path) -> str:
    """What stands between a file's name and its suffix: ``fp16``, ``non_ema`` …"""
    return ".".join(part.partition("-")[0] for part in file.name.split(".")[1:-1])
