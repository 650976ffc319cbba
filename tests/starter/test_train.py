"""The starter's concept networks and adapters are made by the studio's own `train`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import load_file

from studio.__main__ import main
from studio.engine.networks.null_text import NullTextUNet
from studio.library import LORA_FILE
from studio.starter import trainer
from studio.starter.pictures import food
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, HELD_OUT, STYLES
from studio.starter.stages import concept, lora
from tests.support import tiny

CPU = torch.device("cpu")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny prior in a work folder, with two drawings of a ghost and a hero."""
    folder = tmp_path / "work"
    tiny.pipeline(folder)
    entries = [
        {"slug": slug, "name": "", "style": style}
        for slug in ("ghost", "ninja")
        for style in ("flat", "blob")
    ]
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (len(entries), 128, 128, 4), dtype=np.uint8)
    np.save(folder / "pictures.npy", pixels)
    (folder / "pictures.json").write_text(json.dumps(entries))
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "untouched"))
    return folder


def figures(work: Path, name: str) -> dict:
    return json.loads((work / "figures" / f"{name}.json").read_text())


def test_a_concept_network_goes_on_and_begins_anew_with_another_prior(
    work: Path, capsys: pytest.CaptureFixture
) -> None:
    (work / "faces").mkdir()
    (work / "faces" / "stale.json").write_text("{}")
    concept.train(work, "faces", 0.001, CPU)
    first = figures(work, "faces")
    assert first["pictures"] == len(BACKGROUNDS)  # one content in one style on every background
    assert first["steps"] >= 1 and first["minutes"] >= 0.001 and first["batch"] == 32
    NullTextUNet.from_pretrained(work / "faces")
    assert not (work / "faces" / "stale.json").exists()
    concept.train(work, "faces", 4 * first["minutes"] + 0.05, CPU)  # loading counts too
    second = figures(work, "faces")
    assert second["steps"] > first["steps"] and "going on" in capsys.readouterr().err
    prior = UNet2DConditionModel.from_pretrained(work / "unet")
    with torch.no_grad():
        prior.conv_in.bias += 1
    prior.save_pretrained(work / "unet")
    concept.train(work, "faces", 0.001, CPU)
    assert "beginning" in capsys.readouterr().err
    assert figures(work, "faces")["minutes"] < second["minutes"]
    assert len(list((work / "studio" / "models").glob("prior-*"))) == 1
    assert not Path(os.environ["STUDIO_HOME"]).exists()  # the person's own folder is left alone


def test_an_adapter_is_kept_in_half_precision_and_is_the_commands_own(
    work: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer.time, "monotonic", lambda: 0.0)
    settings = []
    resolve = trainer.resolve
    monkeypatch.setattr(
        trainer,
        "resolve",
        lambda given, library: (
            settings.append(
                resolve({**given, "steps": 2, "minutes": None, "precision": "no"}, library)
            )
            or settings[-1]
        ),
    )
    lora.train(work, "hero", 1.0, CPU)
    made = _tensors(work / "lora-hero" / LORA_FILE)
    assert {t.dtype for t in made.values()} == {torch.float16}
    assert figures(work, "lora-hero")["pictures"] == 2 * len(BACKGROUNDS)
    # The very same through the command line, as the log tells it.
    told = trainer.command(settings[0])
    assert told in capsys.readouterr().err
    monkeypatch.setenv("STUDIO_HOME", str(work / "studio"))
    arguments = [*told.split(), "--restart", "--device", "cpu"]
    assert main(arguments) == 0
    again = _tensors(work / "studio" / "models" / "lora-hero" / LORA_FILE)
    assert all(torch.equal(again[name].half(), made[name]) for name in made)


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_other_processes_leave_it_to_the_first(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")

    def none() -> Iterator[trainer.Example]:
        raise AssertionError("asked for pictures")

    assert trainer.train_in(work, "faces", none, {"method": "concept"}, CPU) is None
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with trainer.home(work / "studio"):
        assert "WORLD_SIZE" not in os.environ
        assert os.environ["STUDIO_HOME"] == str(work / "studio")
    assert os.environ["WORLD_SIZE"] == "2"


def test_concepts_see_held_out_contents_and_adapters_captions_hold_the_word(work: Path) -> None:
    faces = [c.slug for c in CONTENTS + HELD_OUT if c.group == "face"]
    entries = [{"slug": slug, "name": "", "style": style} for slug in faces for style in STYLES]
    np.save(work / "pictures.npy", np.zeros((len(entries), 128, 128, 4), np.uint8))
    (work / "pictures.json").write_text(json.dumps(entries))
    made = [name for name, _, _ in concept.examples(work, concept.CONCEPTS["faces"])]
    assert len(set(made)) == len(made) == len(faces) * len(STYLES) * len(BACKGROUNDS)
    assert not list(concept.examples(work, concept.CONCEPTS["animals"]))
    rng = np.random.default_rng(0)
    for part, word in enumerate(("hero", "blob")):
        texts = {lora.caption_with(part, ("hero", "blob", "blue"), rng) for _ in range(100)}
        assert len(texts) > 5 and all(word in text.replace(",", "").split() for text in texts)


def test_foods_words_are_contents_and_no_drawing_is_named_twice() -> None:
    known = {c.name for c in CONTENTS + HELD_OUT}
    assert known >= food.NAMES and not food.NAMES & {
        c.name for c in CONTENTS if c.group != "object"
    }
    assert len(set(food.slugs())) == len(list(food.slugs())) == len(food.NAMES) + len(food.NAMELESS)


def test_a_concept_lora_is_kept_in_half_precision_without_a_word(work: Path) -> None:
    entries = [{"slug": "red-apple", "name": "apple", "style": "flat"}]
    (work / "pictures.json").write_text(json.dumps(entries))
    (work / "food").mkdir()
    (work / "food" / "stale.json").write_text("{}")
    concept.train(work, "food", 0.001, CPU)
    assert [f.name for f in (work / "food").iterdir()] == [LORA_FILE]
    assert {t.dtype for t in load_file(work / "food" / LORA_FILE).values()} == {torch.float16}
    made = figures(work, "food")
    shown = [n for n, _, _ in concept.examples(work, concept.CONCEPTS["food"])]
    assert len({name.rsplit("-", 1)[1] for name in shown}) == len(shown)  # backgrounds in turn
    assert made["rank"] == 16 and made["pictures"] == concept.CONCEPTS["food"].backgrounds
