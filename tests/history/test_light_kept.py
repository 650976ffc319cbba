"""Pictures as JPEG files: whatever form they have, what makes them again goes along or is said to lack."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from studio.errors import StudioError
from studio.history import History
from studio.history.intake import take_in
from studio.history.light import Left, jpegs
from studio.preset import validate
from studio.share import read_image, write_metadata
from studio.share.lighter import lighter
from studio.share.write import comment_of, saved
from studio.ui.history import view

TEXT = "a cat\nNegative prompt: a dog\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 8x8"
GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a Kätzchen", "clip": ["1", 1]}},
    "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}},
    "4": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7,
            "steps": 20,
            "cfg": 7.0,
            "sampler_name": "euler",
            "denoise": 1.0,
            "scheduler": "normal",
            "model": ["1", 0],
            "latent_image": ["3", 0],
            "positive": ["2", 0],
            "negative": ["2", 0],
        },
    },
}


def _light(path: Path) -> Path:
    found = lighter(path)
    assert found.complete
    kept = path.with_name("light.jpg")
    kept.write_bytes(found.data)
    return kept


@pytest.mark.parametrize("suffix", [".webp", ".jpg"])
def test_the_studio_s_own_keep_their_presets(
    studio_home: Path, tmp_path: Path, suffix: str
) -> None:
    preset = validate({"rows": [{"prompt": "a cat"}], "sampler": {"seed": 3}})
    path = write_metadata(Image.new("RGB", (8, 8)), preset, tmp_path / f"own{suffix}")
    assert read_image(_light(path)) == (preset, [])


def test_another_tool_s_jpeg_keeps_its_text(studio_home: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.jpeg"
    Image.new("RGB", (8, 8)).save(path, exif=comment_of(TEXT))
    assert read_image(_light(path))[0].rows == read_image(path)[0].rows


def test_a_graph_goes_along(studio_home: Path, tmp_path: Path) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("prompt", json.dumps(GRAPH))
    chunks.add_text("workflow", '{"nodes": [], "links": []}')
    Image.new("RGB", (64, 64)).save(tmp_path / "graph.png", pnginfo=chunks)
    found = read_image(_light(tmp_path / "graph.png"))[0]
    assert found.rows == read_image(tmp_path / "graph.png")[0].rows
    assert found.rows[0].prompt == "a Kätzchen"


def test_what_does_not_go_along_is_named(studio_home: Path) -> None:
    outputs = studio_home / "outputs"
    outputs.mkdir(parents=True)
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("guidance_studio", '{"rows": 3}')
    Image.new("RGB", (8, 8)).save(outputs / "bad.png", pnginfo=chunks)
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("parameters", "🦊" * 40_000 + TEXT)
    Image.new("RGB", (8, 8)).save(outputs / "long.png", pnginfo=chunks)
    own = History(studio_home, outputs)
    take_in(own)
    ids = [one.id for one in own.search().records]
    said = view.answer(own, {"do": "jpeg", "ids": ids})["left_out"]
    assert said.startswith("without what makes them again") and "bad.png" in said
    assert "long.png" in said
    bad = next(one.id for one in own.search().records if one.path == "bad.png")
    assert "bad.png" in view.answer(own, {"do": "jpeg", "ids": [bad]})["left_out"]


def test_names_differ_as_jpegs_too(studio_home: Path) -> None:
    outputs = studio_home / "outputs"
    outputs.mkdir(parents=True)
    for name in ("cat.png", "cat.webp", "CAT.bmp"):
        Image.new("RGB", (8, 8)).save(outputs / name)
    (outputs / "cat.jpeg").write_bytes(b"nothing")
    own = History(studio_home, outputs)
    take_in(own)
    ids, left = [one.id for one in own.search().records], Left()
    names = [name for name, _ in jpegs(own, ids, left)]
    assert len({name.casefold() for name in names}) == len(names) == 3
    assert all(name.endswith(".jpg") for name in names)
    answer = view.answer(own, {"do": "jpeg", "ids": ids})
    with zipfile.ZipFile(answer["file"]["path"]) as archive:
        assert sorted(archive.namelist()) == sorted(names)


def test_emoji_end_no_export_and_no_saving(studio_home: Path, tmp_path: Path) -> None:
    rows = [{"prompt": "🦊" * 3900 + str(n)} for n in range(6)]
    for suffix in (".jpg", ".webp"):
        path = write_metadata(
            Image.new("RGB", (8, 8)), validate({"rows": rows}), tmp_path / f"fox{suffix}"
        )
        assert read_image(path)[0].rows[5].prompt == "🦊" * 3900 + "5"
    Image.new("RGB", (8, 8)).save(tmp_path / "long.jpg", exif=comment_of("x" + "🦊" * 40_000))
    with Image.open(tmp_path / "long.jpg") as image:
        image.load()


def test_what_a_form_cannot_hold_is_refused_by_name() -> None:
    with pytest.raises(StudioError, match="path: the picture cannot be saved as JPEG"):
        saved(Image.new("RGB", (70_000, 1)), "JPEG")


def test_size_and_colours_stay(studio_home: Path, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    wide = tmp_path / "wide.png"
    Image.new("RGB", (5000, 8)).save(wide, icc_profile=profile)
    with Image.open(_light(wide)) as image:
        assert image.size == (5000, 8) and image.info["icc_profile"] == profile
    preset = validate({"rows": [{"prompt": "a cat"}]})
    image = Image.new("RGB", (4500, 8))
    image.info["icc_profile"] = profile
    path = write_metadata(image, preset, tmp_path / "own.png")
    with Image.open(_light(path)) as image:
        assert image.size == (4500, 8) and image.info["icc_profile"] == profile
