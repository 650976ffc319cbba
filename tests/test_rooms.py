"""The house's rules, read from the sources: imports point down, and files stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.support import REPOSITORY

SOURCES = sorted([*(REPOSITORY / "studio").rglob("*.py"), REPOSITORY / "app.py"])
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
STATIC = REPOSITORY / "studio" / "ui" / "static"
PAGE = sorted(path for path in STATIC.rglob("*") if path.suffix in (".js", ".css"))

# The one list of rooms, lowest first. A file imports from the rooms below its own, and within it.
ROOMS = (
    {"auxiliary", "errors", "heap", "home", "numbering"},
    {"extensions", "languages", "logs"},
    {"files", "image_files", "locks"},
    {"named_folders", "settings"},
    {"outputs"},
    {"images"},
    {"preset"},
    {"events", "library", "diffusion", "preprocessors"},
    {"plan"},
    {"share"},
    {"history"},
    {"engine"},
    {"integrations"},
    {"workers"},
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
    "locks",
    "images",
    "outputs",
    "settings",
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


@cache
def is_module(name: str) -> bool:
    """Whether a dotted name is a module of this repository, not something inside one."""
    place = REPOSITORY.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def imported(path: Path) -> Iterator[str]:
    """Every module that a file names, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            names = [alias.name for alias in node.names]
            if node.module == "studio":
                yield from (f"studio.{EXPORTS.get(name, name)}" for name in names)
                continue
            inner = [f"{node.module}.{name}" for name in names]
            yield from (name if is_module(name) else node.module or "" for name in inner)


@cache
def own_imports(path: Path) -> frozenset[str]:
    return frozenset(name.split(".")[1] for name in modules(path) if name.startswith("studio."))


@cache
def modules(path: Path) -> tuple[str, ...]:
    return tuple(imported(path))


def broken(rule: Callable[[Path], Iterable[str]], files: Iterable[Path] = SOURCES) -> list[str]:
    """What a rule says of every file, each with its name."""
    return [f"{path.relative_to(REPOSITORY)}: {why}" for path in files for why in rule(path)]


def upwards(path: Path) -> Iterator[str]:
    source, targets = owner(path), own_imports(path)
    if source == "__init__":  # the package's front door, which every module passes
        yield from (f"imports {name}" for name in targets - set(EXPORTS.values()))
        return
    for name in {source, *targets} - {"__version__"}:
        if name not in LEVEL:
            yield f"give studio/{name} a place in ROOMS"
        elif name != source and LEVEL[name] >= LEVEL.get(source, 0):
            yield f"{source} imports {name}, which is not below it"


def test_imports_point_down() -> None:
    assert not broken(upwards)


def test_no_imports_in_a_circle() -> None:
    """Neither lazily nor for types alone: what depends on nothing that is left is taken away."""

    def name(path: Path) -> str:
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    files = {name(path): path for path in SOURCES}
    left = {one: set(modules(path)) & files.keys() - {one} for one, path in files.items()}
    while free := [one for one, needs in left.items() if not needs & left.keys()]:
        for one in free:
            del left[one]
    assert not left, f"these import each other, or what does: {sorted(left)}"


def test_what_a_file_must_not_know() -> None:
    def known(path: Path) -> set[str]:
        roots = {name.split(".")[0] for name in modules(path)}
        return {f"imports {name}" for name in roots & MUST_NOT_KNOW.get(owner(path), set())}

    assert not broken(known)


def test_files_stay_small() -> None:
    def long(path: Path) -> Iterator[str]:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > 300:
            yield f"{lines} lines"

    assert not broken(long, [*SOURCES, *TESTS, *PAGE])


WITHOUT_TORCH = (
    "plan",
    "share",
    "library",
    "cli.plan",
    "cli.generate",
    "cli.sweep",
    "preset.sweep",
    "outputs",
)


def test_no_torch_is_loaded() -> None:
    """One process for all: the first module that loads anything heavy is named."""
    code = (
        f"import importlib, sys\nfor name in {WITHOUT_TORCH!r}:\n"
        "    importlib.import_module(f'studio.{name}')\n"
        f"    found = sorted({HEAVY!r} & set(sys.modules))\n"
        "    if found: sys.exit(f'studio.{name} loads {found}')"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert found.returncode == 0, found.stderr


def test_the_front_door_is_light() -> None:
    code = "import sys, studio; print('torch' in sys.modules); studio.Engine; studio.Preset"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert found.stdout.strip() == "False"


def test_the_page_stands_before_torch_is_loaded() -> None:
    code = "import sys, studio.ui.page; print('torch' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert found.stdout.strip() == "False"
