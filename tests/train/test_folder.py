"""Training folders as other trainers lay them out: subfolders, masks, texts, dataset configs."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.errors import MissingFile, StudioError
from studio.train import losses
from studio.train.captions import caption_pictures, read_file
from studio.train.events import Note, TrainEvent
from studio.train.examples import Example, choose
from studio.train.folder import Subset, find_pictures, repeats_of, subsets
from studio.train.machine import accelerator_for, release
from tests.support import train_tiny

WORD = ("<hero>", "ghost", "a {word} {superclass}")


def picture(path: Path, mode: str = "RGB", seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def chosen(config: object) -> tuple[list[Example], list[str]]:
    notes: list[str] = []
    running = choose(config)  # type: ignore[arg-type]
    while True:
        try:
            event: TrainEvent = next(running)
        except StopIteration as end:
            return end.value, notes
        if isinstance(event, Note):
            notes.append(event.text)


@pytest.fixture
def base(studio_home: Path) -> Path:
    train_tiny.base(studio_home)
    return studio_home


def test_kohyas_subfolders_repeat_and_name_their_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    a = picture(folder / "10_<hero> ghost" / "a.png")
    b = picture(folder / "2_other" / "b.png")
    (b.parent / "b.caption").write_text("a <hero> at sea")
    picture(folder / "samples" / "no.png")
    found = find_pictures(folder)
    assert found == [a, b] and [repeats_of(p) for p in found] == [10, 2]
    captions, notes = caption_pictures(found, *WORD)
    assert [c.text for c in captions] == ["<hero> ghost", "a <hero> at sea"] and notes == []
    with pytest.raises(MissingFile, match=r"its subfolders \(samples\) are read where .*10_hero"):
        find_pictures(picture(tmp_path / "plain" / "samples" / "a.png").parent.parent)


def test_repeats_are_in_the_epoch(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    picture(folder / "3_<hero>" / "a.png", seed=1)
    picture(folder / "1_<hero>" / "b.png", seed=2)
    config = train_tiny.config(folder, steps=1, captions=None, batch=4)
    examples, notes = chosen(config)
    assert {e.path.name: e.repeats for e in examples} == {"a.png": 3, "b.png": 1}
    assert "1 of 2 pictures are repeated; an epoch has 4" in notes
    accelerator = accelerator_for(config, "cpu")
    try:
        stepper = train_tiny.stepper(config, accelerator)
        batch = stepper.batch(stepper.job.pictures, stepper.order, 0, 2)
        assert stepper.order.per_epoch == 1 and len(batch.captions) == 4
        assert len(stepper.job.pictures.latents) == 4
    finally:
        release(accelerator)


def test_metadata_lines_are_captions_also_unasked(tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{name}.png") for name in "ab"]
    lines = [{"file_name": "a.png", "text": "a <hero> on a hill", "other": 3}]
    file = tmp_path / "metadata.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    assert find_pictures(tmp_path, read_file(file)) == paths[:1]
    for written in (None, read_file(file)):
        captions, _ = caption_pictures(paths, *WORD, written)
        assert [c.text for c in captions] == ["a <hero> on a hill", "a <hero> ghost"]
    for text, message in (
        ("{", "line 1"),
        ('{"text": "x"}', "line 1: expected an object with a file_name"),
        ('{"file_name": "a.png"}', "no text, caption, prompt beside a.png"),
        ('{"file_name": "a.png", "text": 3}', "a.png: expected a caption"),
        ("[" * 100_000, "line 1"),
    ):
        file.write_text(text)
        with pytest.raises(StudioError, match=message) as refused:
            read_file(file)
        assert refused.value.field == str(file)


def test_names_are_the_same_in_both_forms_of_unicode(tmp_path: Path) -> None:
    composed = "héros.png"
    apart = unicodedata.normalize("NFD", composed)
    assert apart != composed
    path = picture(tmp_path / apart)
    written = {composed: "a <hero> at home"}
    assert find_pictures(tmp_path, written) == [path]
    assert caption_pictures([path], *WORD, written)[0][0].text == "a <hero> at home"
    (tmp_path / "héros.txt").write_text("a <hero> outside")
    assert caption_pictures([path], *WORD)[0][0].text == "a <hero> outside"


def test_a_text_that_is_too_long_for_a_caption_is_refused_and_not_cut(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("a <hero> " + 4000 * "x")
    with pytest.raises(StudioError, match="has 4009 characters; a caption has at most 4000"):
        caption_pictures([path], *WORD)
    (tmp_path / "a.txt").write_text("a <hero> " + 3991 * "x" + "\n")
    assert len(caption_pictures([path], *WORD)[0][0].text) == 4000


def test_masks_are_no_pictures_and_weigh_the_loss(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    picture(folder / "a.png", seed=1)
    picture(folder / "b.png", seed=2)
    half = np.zeros((16, 16), dtype=np.uint8)
    half[:, :8] = 255
    Image.fromarray(half).save(folder / "a-masklabel.png")
    clear = Image.open(folder / "b.png").convert("RGBA")
    clear.putalpha(Image.fromarray(half.T.copy()))
    clear.save(folder / "b.png")
    assert [p.name for p in find_pictures(folder)] == ["a.png", "b.png"]
    config = train_tiny.config(folder, "lora", steps=1, captions=None, batch=2)
    found = {}
    for masks in (True, False):
        given = config.model_copy(update={"masks": masks, "name": f"m{masks}"})
        accelerator = accelerator_for(given, "cpu")
        try:
            stepper = train_tiny.stepper(given, accelerator)
            latents = stepper.job.pictures.latents
            batch = stepper.batch(stepper.job.pictures, stepper.order, 0, 2)
            with torch.no_grad():
                texts = [c.text for c in batch.captions]
                output = stepper.trainee(batch.noisy, batch.times, texts, None)
            found[masks] = (latents, batch, output, stepper(0).mse)
        finally:
            release(accelerator)
    latents, batch, output, mse = found[True]
    expected = torch.zeros(8, 8)
    expected[:, :4] = 1
    assert torch.equal(latents[0].weight, expected) and torch.equal(latents[1].weight, expected.T)
    errors = (output - batch.wanted).square().double()
    by_hand = [
        float((e.mean(0) * w[0]).sum() / w[0].sum())
        for e, w in zip(errors, batch.weight.double(), strict=True)
    ]
    assert mse == pytest.approx(sum(by_hand) / 2, rel=1e-5)
    latents, batch, _, plain = found[False]
    assert all(item.weight is None for item in latents) and batch.weight is None
    assert plain == pytest.approx(float(errors.mean()), rel=1e-5) and plain != mse


def test_a_weight_of_ones_is_none_and_flat_weights_do_not_matter() -> None:
    output, wanted = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    for flat in (1.0, 0.25):
        weight = torch.full((2, 1, 8, 8), flat)
        torch.testing.assert_close(
            losses.mse(output, wanted, weight), losses.mse(output, wanted), rtol=1e-5, atol=1e-6
        )


def test_a_mask_that_leaves_nothing_is_named(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    picture(folder / "a.png")
    Image.new("L", (16, 16)).save(folder / "a.mask.png")
    with pytest.raises(StudioError, match=r"a\.mask\.png: leaves nothing of the picture"):
        train_tiny.run(train_tiny.config(folder, steps=1, captions=None))


CONFIG = """
[general]
caption_extension = ".tags"
shuffle_caption = true

[[datasets]]
resolution = 512

  [[datasets.subsets]]
  image_dir = "one"
  num_repeats = 4
  alpha_mask = true
  conditioning_data_dir = "masks"

  [[datasets.subsets]]
  image_dir = "two"
  class_tokens = "<hero> ghost"
  alpha_mask = false

  [[datasets.subsets]]
  is_reg = true
  image_dir = "reg"
"""


def test_a_dataset_config_of_sd_scripts(base: Path, tmp_path: Path) -> None:
    file = tmp_path / "data.toml"
    file.write_text(CONFIG)
    a, b = picture(tmp_path / "one" / "a.png"), picture(tmp_path / "two" / "b.jpg")
    (tmp_path / "one" / "a.tags").write_text("a <hero> on a hill")
    mask = picture(tmp_path / "masks" / "a.png", "L")
    found, notes = subsets(file)
    assert found[0] == Subset(a.parent, 4, "", (".tags",), mask.parent, None)
    assert "datasets.0.subsets.0.resolution" in notes[0] and "shuffle_caption" in notes[0]
    assert "datasets.0.subsets.2 (pictures of the superclass" in notes[0]
    assert "subsets.0.alpha_mask" not in notes[0]  # as it is here in any case
    assert "datasets.0.subsets.1.alpha_mask (transparency weighs" in notes[0]
    examples, notes = chosen(train_tiny.config(file, steps=1, captions=None))
    assert [(e.path, e.repeats, e.mask) for e in examples] == [(a, 4, mask), (b, 1, None)]
    assert [e.caption.text for e in examples if e.caption] == ["a <hero> on a hill", "<hero> ghost"]
    assert any("not read from data.toml" in note for note in notes)


@pytest.mark.parametrize(
    "text, message",
    [
        ("[[", "is no TOML"),
        ("a = 1", "names no subset"),
        ("datasets = 3", "datasets must be a list"),
        ("[[datasets]]\n[[datasets.subsets]]\nnum_repeats = 2", "image_dir is needed"),
        ('[[datasets]]\n[[datasets.subsets]]\nimage_dir = "a"\nnum_repeats = 0', "num_repeats"),
        ("[[datasets]]\n[[datasets.subsets]]\nimage_dir = 3", "image_dir: expected text, got 3"),
        ("a = " + "[" * 5000, "is no TOML"),
    ],
)
def test_a_dataset_config_that_is_none_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "data.toml"
    file.write_text(text)
    with pytest.raises(StudioError, match=message) as refused:
        subsets(file)
    assert refused.value.field == str(file)
    with pytest.raises(MissingFile):
        subsets(tmp_path / "nowhere.toml")


def test_an_error_stays_a_line_whatever_a_file_calls_its_pictures(tmp_path: Path) -> None:
    file = tmp_path / "metadata.jsonl"
    file.write_text(json.dumps({"file_name": "a" * 50_000}))
    with pytest.raises(StudioError) as refused:
        read_file(file)
    assert len(str(refused.value)) < 3000 and str(refused.value).endswith("…")
