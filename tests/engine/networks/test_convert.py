"""Pickled checkpoints as safetensors: the same tensors, and no code that a pickle holds."""

from __future__ import annotations

import json
import os
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from studio.__main__ import main
from studio.engine.networks.convert import convert
from studio.errors import StudioError
from studio.library import Library

TENSORS = {"a.weight": torch.arange(6.0).view(2, 3).T, "b": torch.ones(2, dtype=torch.float16)}
T = torch.ones(2, 768)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
def test_tensors_come_over_as_they_are(wrapped: bool, zipped: bool, tmp_path: Path) -> None:
    """Also those that share memory, with trainers' numbers beside them left out."""
    tensors = {**TENSORS, "tied": TENSORS["a.weight"]}
    data = {"state_dict": tensors, "epoch": 3} if wrapped else {**tensors, "global_step": 7}
    torch.save(data, tmp_path / "old.ckpt", _use_new_zipfile_serialization=zipped)
    found = load_file(convert(tmp_path / "old.ckpt"))
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[key], value) for key, value in tensors.items())
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["old.ckpt", "old.safetensors"]


class Runs:
    """A pickle that would make a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def test_nothing_in_a_pickle_runs(tmp_path: Path) -> None:
    torch.save({"state_dict": TENSORS, "callbacks": Runs(tmp_path / "ran")}, tmp_path / "bad.ckpt")
    (tmp_path / "worse.ckpt").write_bytes(pickle.dumps(Runs(tmp_path / "ran")))
    for name in ("bad", "worse"):
        with pytest.raises(StudioError) as caught:
            convert(tmp_path / f"{name}.ckpt")
        assert "\n" not in str(caught.value) and name in caught.value.field
        assert not (tmp_path / f"{name}.safetensors").exists()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (  # AUTOMATIC1111's embeddings
            {
                "string_to_token": {"*": torch.tensor(265)},
                "string_to_param": {"*": torch.ones(3, 768)},
                "name": "cat",
                "sd_checkpoint": None,
            },
            ["string_to_param.*"],
        ),
        (  # and those of the first trainer of them
            {
                "string_to_token": {"*": 265},
                "string_to_param": torch.nn.ParameterDict({"*": torch.ones(3, 768)}),
            },
            ["string_to_param.*"],
        ),
        (  # IP-Adapters
            {"image_proj": {"latents": torch.ones(1, 2)}, "ip_adapter": {"1.to_k_ip.weight": T}},
            ["image_proj.latents", "ip_adapter.1.to_k_ip.weight"],
        ),
    ],
)
def test_mappings_within_mappings(data: dict[str, Any], kept: list[str], tmp_path: Path) -> None:
    torch.save(data, tmp_path / "cat.pt")
    assert sorted(load_file(convert(tmp_path / "cat.pt"))) == kept
    assert Library((tmp_path,))["cat"].kind in ("embedding", "ip-adapter")


def test_what_a_trainer_left_beside_the_weights_is_neither_read_nor_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the first published checkpoints: Lightning's callbacks by their class, numpy's numbers."""
    name = "pytorch_lightning.callbacks.model_checkpoint"
    theirs = types.ModuleType(name)
    for place in (name, name.rpartition(".")[0], "pytorch_lightning"):
        monkeypatch.setitem(sys.modules, place, theirs)
    ran: list[int] = []

    class ModelCheckpoint:
        def __setstate__(self, state: Any) -> None:
            ran.append(1)

    ModelCheckpoint.__module__, ModelCheckpoint.__qualname__ = name, "ModelCheckpoint"
    theirs.ModelCheckpoint = ModelCheckpoint  # type: ignore[attr-defined]
    one = ModelCheckpoint()
    one.best = 3  # type: ignore[attr-defined]
    beside = {ModelCheckpoint: {"best": torch.ones(1), "score": np.float64(3), "it": one}}
    torch.save({"state_dict": TENSORS, "callbacks": beside, "epoch": 0}, tmp_path / "old.ckpt")
    assert load_file(convert(tmp_path / "old.ckpt")).keys() == TENSORS.keys()
    assert ran == []


def test_what_cannot_be_converted_is_one_line(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    (tmp_path / "cut.ckpt").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "there.ckpt").write_bytes(b"")
    (tmp_path / "there.safetensors").write_bytes(b"kept")
    for name, why in (
        ("empty.pt", "holds no tensors"),
        ("cut.ckpt", "is damaged"),
        ("there.ckpt", "is there already"),
        ("missing.ckpt", "No such file"),
        ("some.png", "is no pickle"),
    ):
        with pytest.raises(StudioError, match=why) as caught:
            convert(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "there.safetensors").read_bytes() == b"kept"


def test_the_library_names_the_command_and_it_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"emb_params": torch.ones(2, 768)}, tmp_path / "word.pt")
    (refused,) = Library((tmp_path,)).refused()
    assert "'python -m studio convert word.pt'" in refused.problem
    assert main(["convert", str(tmp_path / "word.pt")]) == 0
    assert json.loads(capsys.readouterr().out)["path"].endswith("word.safetensors")
    assert Library((tmp_path,))["word"].kind == "embedding"
