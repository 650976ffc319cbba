"""The house's rules, read from the sources: imports point down, and files stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import REPOSITORY

SOURCES = sorted([*(REPOSITORY / "studio").rglob("*.py"), REPOSITORY / "app.py"])

# The one list of rooms, lowest first. A file imports from the rooms below its own, and within it.
ROOMS = (
    {"errors", "home"},
    {"extensions", "logs"},
    {"files", "image_files"},
    {"outputs"},
    {"images"},
    {"preset"},
    {"events", "library", "diffusion", "preprocessors"},
    {"plan"},
    {"share"},
    {"history"},
    {"engine"},
    {"integrations"},
    {"train", "metrics"},
    {"experiments", "bench"},
    {"starter"},
    {"ui"},
    {"cli"},
    {"hard"},
    {"app", "__main__"},
)
LEVEL = {name: level for level, names in enumerate(ROOMS) for name in names}
EXPORTS = {"Engine": "engine", "Preset": "preset", "StudioError": "errors"}
HEAVY = {"torch", "diffusers", "transformers", "gradio", "peft", "xformers", "controlnet_aux"}
LIGHT = [
    "errors",
    "home",
    "files",
    "images",
    "outputs",
    "preset",
    "events",
    "library",
    "plan",
    "share",
    "history",
]
MUST_NOT_KNOW = {
    **dict.fromkeys(LIGHT, HEAVY),
    "ui": {"torch", "diffusers", "transformers"},
    "engine": {"gradio"},
    "train": {"gradio"},
    "diffusion": {"transformers", "gradio", "peft"},
}


def owner(path: Path) -> str:
    """The module or package directly under ``studio`` that a file belongs to."""
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return parts[0] if len(parts) == 1 else parts[1]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            if node.module == "studio":
                names = [alias.name for alias in node.names]
                yield from (f"studio.{EXPORTS.get(name, name)}" for name in names)
            else:
                yield node.module or ""


def own_imports(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("studio.")}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_imports_point_down(path: Path) -> None:
    source = owner(path)
    if source == "__init__":  # the package's front door, which every module passes
        assert own_imports(path) <= set(EXPORTS.values())
        return
    assert source in LEVEL, f"give studio/{source} a place in ROOMS"
    for target in own_imports(path) - {source, "__version__"}:
        assert target in LEVEL, f"give studio/{target} a place in ROOMS"
        assert LEVEL[target] < LEVEL[source], f"{source} imports {target}, which is not below it"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_what_a_file_must_not_know(path: Path) -> None:
    known = {name.split(".")[0] for name in imported(path)}
    assert not known & MUST_NOT_KNOW.get(owner(path), set())


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize(
    "module",
    [
        "plan",
        "share",
        "library",
        "cli.plan",
        "cli.generate",
        "cli.code",
        "cli.sweep",
        "preset.sweep",
        "outputs",
    ],
)
def test_no_torch_is_loaded(module: str) -> None:
    code = f"import sys, studio.{module}; print(sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert found.stdout.strip() == "[]"


def test_the_front_door_is_light() -> None:
    code = "import sys, studio; print('torch' in sys.modules); studio.Engine; studio.Preset"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert found.stdout.strip() == "False"
