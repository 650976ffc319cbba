"""What goes to a worker, and by what it knows that it would make the same picture."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from studio.errors import MissingModel, StudioError
from studio.library import Library, ModelEntry
from studio.preset import validate
from studio.workers import versions
from studio.workers.job import Packer
from studio.workers.models import identity, lacking
from studio.workers.versions import difference
from tests.support.studio_page import needs_starter


def _entry(folder: Path, seed: int = 0) -> ModelEntry:
    """A pipeline of one network, with another model in a folder below it."""
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text('{"_class_name": "P", "unet": ["diffusers", "U"]}')
    weights = np.random.default_rng(seed).normal(size=(64, 4096)).astype(np.float32)
    save_file({"a": weights}, folder / "unet" / "model.safetensors")
    (folder / "other").mkdir()
    save_file({"b": weights[0]}, folder / "other" / "model.safetensors")
    return ModelEntry("mine", "base", "sd", 0, str(folder))


def test_copies_are_one_model_and_another_training_is_not(tmp_path: Path) -> None:
    """Of equal names, shapes and bytes; far by what the files hold, near by their times too."""
    one = _entry(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copy = ModelEntry("mine", "base", "sd", 0, str(tmp_path / "b"))
    os.utime(tmp_path / "b" / "unet" / "model.safetensors", (1, 1))
    assert identity(one, far=True) == identity(copy, far=True)
    assert identity(one, far=False) != identity(copy, far=False)
    trained = _entry(tmp_path / "c", seed=1)
    sizes = [Path(e.path, "unet/model.safetensors").stat().st_size for e in (one, trained)]
    assert sizes[0] == sizes[1] and identity(one, far=True) != identity(trained, far=True)
    before = identity(one, far=True)
    (tmp_path / "a" / "other" / "model.safetensors").unlink()  # not its own
    assert identity(one, far=True) == before
    shutil.rmtree(tmp_path / "a" / "unet")
    assert identity(one, far=True) != before
    assert identity(ModelEntry("owner/name", "base", "", 0, ""), far=True) == ""


def test_what_a_worker_lacks_is_said_by_name(tmp_path: Path) -> None:
    library = Library(roots=(tmp_path,))
    library.__dict__["_entries"] = {"mine": _entry(tmp_path / "a")}
    known = identity(library["mine"], far=True)
    assert lacking({"mine": known, "owner/name": ""}, library, far=True) == {}
    assert lacking({"mine": "0" * 16, "style": "1" * 16}, library, far=True) == {
        "mine": "has another model named 'mine'",
        "style": "lacks the model 'style'",
    }


@needs_starter
def test_a_job_for_another_machine_brings_what_lies_here_alone(
    tmp_path: Path, studio_home: Path
) -> None:
    (studio_home / "wildcards").mkdir()
    (studio_home / "wildcards" / "animal.txt").write_text("a cat\n")
    Image.new("RGB", (16, 16), "red").save(tmp_path / "map.png")
    rows = [
        {"prompt": "__animal__ in flat style", "weight": 3.0, "mask": "map.png"},
        {"model": "starter/faces", "weight": 1.5},
    ]
    preset = validate({"base": "starter", "rows": rows, "sampler": {"seed": 1}})
    near, far = Packer([tmp_path])(preset), Packer([tmp_path], far=True)(preset)
    assert near.pictures == {} and far.pictures == {"map.png": (tmp_path / "map.png").read_bytes()}
    assert far.preset.rows[0].prompt == "a cat in flat style"
    assert set(far.models) == {"starter", "starter/faces"} and all(far.models.values())
    assert {"starter", "starter/faces"} <= far.networks
    assert set(near.models.values()).isdisjoint(far.models.values())
    with pytest.raises(StudioError, match=r"rows\.0\.mask: there is no image"):
        Packer([], far=True)(preset)


def test_a_model_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(MissingModel, match="is not in the library"):
        Packer()(validate({"base": "nobody", "rows": [{"prompt": "x"}]}))


def test_versions_differ_by_the_release_not_by_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def torch_is(version: str) -> Callable[[str], str]:
        return lambda name: version if name == "torch" else real(name)

    found = []
    for version in ("2.10.0", "2.10.0+cu128", "2.9.1"):
        versions.versions.cache_clear()
        monkeypatch.setattr(importlib.metadata, "version", torch_is(version))
        found.append(versions.versions())
    versions.versions.cache_clear()
    assert difference(found[0], found[1]) == ""
    assert difference(found[0], found[2]) == "torch 2.9.1 there, 2.10.0 here"
    assert difference({"studio": "1"}, {}) == "studio missing there, 1 here"
