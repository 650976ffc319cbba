"""``pip install`` of the package: the wheel is built, installed elsewhere and used there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from studio.__main__ import build_parser
from tests.support import REPOSITORY

PARTS = (
    "studio",
    "assets",
    "presets",
    "docs",
    "pyproject.toml",
    "setup.py",
    "README.md",
    "LICENSE",
)
Run = Callable[..., str]


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was installed: without its requirements, which are here."""
    folder = tmp_path_factory.mktemp("wheel")
    source, wheels, site = (folder / name for name in ("source", "wheels", "site"))
    source.mkdir()
    lists = [path.name for path in REPOSITORY.glob("requirements*.txt")]
    for name in (*PARTS, "THIRD_PARTY.md", *lists):
        (source / name).symlink_to(REPOSITORY / name)
    stored = "--config-settings=--build-option=--compression=stored"  # 80 MB of weights
    pip("wheel", "--no-deps", "--no-build-isolation", stored, "--wheel-dir", wheels, source)
    pip("install", "--no-deps", "--no-compile", "--target", site, *wheels.glob("*.whl"))
    return site


def test_the_page_of_the_api_is_in_it_and_no_other_documentation(site: Path) -> None:
    assert [path.name for path in (site / "studio/packed/docs").iterdir()] == ["api.md"]


@pytest.fixture
def run(site: Path, tmp_path: Path) -> Run:
    """Run the console script in an empty folder, with an empty home."""

    def ran(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, site / "bin" / "guidance-studio", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(site), "STUDIO_HOME": str(tmp_path / "home")},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    return ran


def metadata(site: Path) -> Distribution:
    (found,) = site.glob("guidance_studio-*.dist-info")
    return PathDistribution(found)


def listed(name: str) -> set[Requirement]:
    lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
    plain = (line.partition(" #")[0].strip() for line in lines)
    return {Requirement(line) for line in plain if line and not line.startswith(("#", "-r"))}


def test_requirements_are_those_of_the_lists(site: Path) -> None:
    found = metadata(site)
    required = {Requirement(line) for line in found.requires or []}
    plain = {one for one in required if "extra ==" not in str(one.marker or "")}
    assert plain == listed("requirements.txt")
    extras = set(found.metadata.get_all("Provides-Extra") or [])
    assert extras == {
        "train",
        "ray",
        "metrics",
        "pictures",
        "faces",
        "quantised",
        "starter",
        "upscale",
    }
    for extra in extras - {"train"}:
        own = {one.name for one in required if f'extra == "{extra}"' in str(one.marker or "")}
        assert own == {one.name for one in listed(f"requirements-{extra}.txt")}


def test_nothing_is_installed_beside_the_package(site: Path) -> None:
    names = {path.name for path in site.iterdir()}
    assert names == {"bin", "studio", f"guidance_studio-{metadata(site).version}.dist-info"}
    weights = [p.stat().st_size for p in site.rglob("*.safetensors")]
    own = [p.stat().st_size for p in (REPOSITORY / "assets").rglob("*.safetensors")]
    assert sorted(weights) == sorted(own)  # each once
    assert not list(site.rglob("tests")) and list(site.rglob("*.css")) and list(site.rglob("*.js"))
    assert list(site.rglob("languages/*.json"))


def test_the_installed_studio_makes_a_picture(site: Path, run: Run, tmp_path: Path) -> None:
    preset = site / "studio/packed/presets/01-plain-guidance.json"
    said = run("generate", str(preset), "--out", "pictures", "--set", "sampler.steps=2")
    picture = tmp_path / json.loads(said)["path"]
    assert picture.is_file() and picture.stat().st_size > 1000


def test_the_console_script_has_every_verb(run: Run) -> None:
    assert run("--help").startswith("usage: guidance-studio ")
    assert "--allow-host" in run("page", "--help")
    assert build_parser().prog == "python -m studio"
