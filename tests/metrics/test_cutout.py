"""Subjects cut out: against shapes drawn by hand, masks, and a segmenter of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from studio.__main__ import main
from studio.errors import MissingModel, StudioError
from studio.metrics import Scored, measure
from studio.metrics.cutout import CutOut, without_background
from tests.support.studio_page import needs_starter


def drawn(ground: str, path: Path | None = None, inside: str = "") -> Image.Image:
    """A red ring around ``inside``, or around more of the ground's colour, and a little noise."""
    image = Image.new("RGB", (64, 48), ground)
    ImageDraw.Draw(image).ellipse((16, 8, 48, 40), fill=(200, 20, 20))
    ImageDraw.Draw(image).ellipse((26, 18, 38, 30), fill=inside or ground)
    noise = np.random.default_rng(0).integers(-6, 7, (48, 64, 3))
    noisy = Image.fromarray((np.asarray(image, np.int16) + noise).clip(0, 255).astype(np.uint8))
    if path is not None:
        noisy.save(path)
    return noisy


@pytest.mark.parametrize("ground", ["white", "black", "steelblue"])
def test_what_the_border_s_colour_does_not_reach_is_the_subject(ground: str) -> None:
    whole = Image.new("L", (64, 48), 0)
    ImageDraw.Draw(whole).ellipse((16, 8, 48, 40), fill=1)  # the hole is the subject's own
    assert np.array_equal(without_background(drawn(ground)), np.asarray(whole))


@needs_starter
def test_the_background_counts_for_nothing(tmp_path: Path, studio_home: Path) -> None:
    paths = [tmp_path / f"{name}.png" for name in ("white", "green", "reference")]
    for path, ground in zip(paths, ("white", "darkgreen", "steelblue"), strict=True):
        drawn(ground, path, inside="yellow")
    plain = Scored(paths[:2], references=paths[2:])
    cut = Scored(paths[:2], references=paths[2:], cut=CutOut("background"))
    whole, alone = measure("clip-i", plain)[1], measure("clip-i", cut)[1]
    assert whole is not None and alone is not None and cut.cut is not None
    assert (alone > 0.999).all() and (whole < 0.95).all()
    assert not cut.cut.missed and cut.cut(paths) == cut.cut(paths)
    kept = np.asarray(Image.open(cut.cut(paths)[1]))
    assert (kept[0] == 255).all() and abs(kept[24, 20].astype(int) - (200, 20, 20)).max() <= 6


def test_masks_are_taken_and_what_has_none_is_named(tmp_path: Path, studio_home: Path) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for path in paths:
        drawn("white", path)
    mask = Image.new("L", (32, 24), 0)  # of half the size
    mask.paste(255, (0, 0, 16, 24))
    mask.save(folder / "one.png")
    cut = CutOut(f"masks:{folder}")
    first, second = cut(paths)
    made = np.asarray(Image.open(first), int)
    before = np.asarray(Image.open(paths[0]), int)
    assert np.array_equal(made[:, :28], before[:, :28]) and (made[:, 36:] == 255).all()
    assert second == paths[1] and cut.missed == ["two.png"]


def test_what_is_no_mask_is_passed_over_and_names_are_taken_as_they_are(
    tmp_path: Path, studio_home: Path
) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    paths = [tmp_path / "a[1].png", tmp_path / "a1.png"]
    for path in paths:
        drawn("white", path)
    mask = Image.new("L", (64, 48), 0)
    mask.paste(255, (0, 0, 32, 48))
    mask.save(folder / "a[1].webp", lossless=True)
    (folder / "a[1].json").write_text("{}")
    cut = CutOut(f"masks:{folder}")
    first = cut.settings()
    assert cut(paths)[0] != paths[0] and cut.missed == ["a1.png"]
    mask.save(folder / "a1.png")
    assert cut.settings() != first  # another search, by what its masks show


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("masks:nowhere", "'nowhere' is no folder of masks; give one as masks:DIR"),
        ("masks", "'' is no folder of masks; give one as masks:DIR"),
        ("background:soft", "background takes nothing after it, got 'soft'"),
        ("backgrund", "is not in the library.*; ways without a model: background, masks"),
        ("starter/clip", "starter/clip is a clip, which is no model for semantic segmentation"),
    ],
)
@needs_starter
def test_a_way_that_there_is_not_is_named(way: str, said: str, studio_home: Path) -> None:
    with pytest.raises(StudioError, match=f"--cut-out: .*{said}"):
        CutOut(way)


def test_a_segmenter_s_own_classes(tmp_path: Path, studio_home: Path) -> None:
    from transformers import (
        SegformerConfig,
        SegformerForSemanticSegmentation,
        SegformerImageProcessor,
    )

    torch.manual_seed(0)
    config = SegformerConfig(
        num_encoder_blocks=1,
        depths=[1],
        sr_ratios=[1],
        hidden_sizes=[8],
        patch_sizes=[3],
        strides=[2],
        num_attention_heads=[1],
        mlp_ratios=[1],
        decoder_hidden_size=8,
        num_labels=3,
    )
    model = SegformerForSemanticSegmentation(config).eval()
    folder = studio_home / "models" / "a" / "segmenter"
    model.save_pretrained(folder)
    processor = SegformerImageProcessor(size={"height": 32, "width": 32})
    processor.save_pretrained(folder)
    path = tmp_path / "one.png"
    picture = drawn("white", path)
    (found,) = CutOut("a/segmenter")([path])
    with torch.no_grad():
        logits = model(**processor(images=[picture], return_tensors="pt")).logits
    grown = torch.nn.functional.interpolate(logits, (48, 64), mode="bilinear", align_corners=False)
    classes = grown[0].argmax(0)
    rim = torch.cat([classes[0], classes[-1], classes[:, 0], classes[:, -1]])
    subject = classes != rim.mode().values
    if 0.005 <= subject.float().mean() <= 0.98:
        white = (np.asarray(Image.open(found)) == 255).all(-1)
        assert (white | subject.numpy()).all()
        assert np.array_equal(np.asarray(Image.open(found))[subject], np.asarray(picture)[subject])
    else:
        assert found == path
    with pytest.raises(MissingModel, match="download"):
        CutOut("b/absent")


@needs_starter
def test_evaluate_says_what_it_cut_and_what_it_could_not(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn("white", tmp_path / "a.png")
    Image.new("RGB", (64, 64), "green").save(tmp_path / "b.png")
    asked = ["evaluate", "--images", str(tmp_path), "--reference", str(tmp_path / "a*.png")]
    assert main([*asked, "--metrics", "clip-i", "--cut-out", "background"]) == 0
    printed = capsys.readouterr()
    settings = json.loads(printed.out)["settings"]
    assert settings["cut_out"] == "background" and settings["missed"] == ["b.png"]
    assert "found no subject in 1 pictures, which are compared whole: b.png" in printed.err


@needs_starter
def test_scores_that_a_cut_out_changes_nothing_for_are_named(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "abcd":
        drawn("white", tmp_path / f"{name}.png")
    asked = ["evaluate", "--images", str(tmp_path), "--reference", str(tmp_path)]
    assert main([*asked, "--metrics", "diversity,clip-i", "--cut-out", "background"]) == 0
    assert "note: --cut-out changes nothing for diversity\n" in capsys.readouterr().err
