"""Presets in images and links: out, and back in unchanged."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sd_parsers import ParserManager

from studio import images, share
from studio.errors import BadPreset, MissingFile, StudioError
from studio.preset import Preset, validate
from studio.share import write


def same(a: Any, b: Any) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def noise(width: int = 32, height: int = 32, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def sample(image: str = "") -> Preset:
    control = {"type": "canny", "image": image, "strength": 0.8} if image else None
    tricky = 'a "quoted", thing: with\nlines, é 猫 \\ Guidance Studio: x'
    return validate(
        {
            "name": "A picture",
            "rows": [
                {"prompt": tricky, "weight": 7.5, "control": control},
                {"prompt": "blurry", "weight": -6.5, "reference": {"prompt": "Steps: 3"}},
                {"model": {"lora": "starter/lora", "strength": 0.5}, "range": [0.1, 0.6]},
            ],
            "omega": 0.3,
            "sampler": {"seed": 2**53 - 1},
        }
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp"])
@pytest.mark.parametrize("control", [False, True])
def test_images_carry_their_preset(
    studio_home: Path, tmp_path: Path, suffix: str, control: bool
) -> None:
    preset = sample(images.store(noise(seed=1)) if control else "")
    path = share.write_metadata(noise(), preset, tmp_path / f"made{suffix}")
    assert share.read_any(path) == (preset, [])
    assert Image.open(path).size == (32, 32)


def test_every_control_image_of_a_row_travels(studio_home: Path, tmp_path: Path) -> None:
    one, two = (images.store(noise(seed=seed)) for seed in (1, 2))
    first, second = ({"type": "canny", "image": image} for image in (one, two))
    rows = [{"prompt": "a", "control": first, "controls": [second, second]}]
    path = share.write_metadata(noise(), validate({"rows": rows}), tmp_path / "made.png")
    for folder in images.inputs_folder().parent.glob("inputs/*"):
        folder.unlink()  # elsewhere, where they are not
    found, notes = share.read_any(path)
    (row,) = found.rows
    assert not notes and len(row.controls) == 2
    shown = [one.image for one in row.all_controls.values()]
    assert same(images.resolve(shown[0]), noise(seed=1))
    assert same(images.resolve(shown[1]), noise(seed=2)) and shown[1] == shown[2]
    dropped, said = share.drop_images(found)
    assert [one.image for one in dropped.rows[0].all_controls.values()] == ["", "", ""]
    assert any("controls.1" in note for note in said)


def test_the_chunk_and_what_other_tools_read(tmp_path: Path) -> None:
    preset = sample()
    path = share.save_image(noise(), preset, tmp_path)
    chunks = Image.open(path).info
    assert json.loads(chunks["guidance_studio"])["schema_version"] == 1
    assert same(Image.open(path), noise())
    for file in (path, share.write_metadata(noise(), preset, tmp_path / "a.jpg")):
        info = ParserManager().parse(file)
        assert info is not None
        assert info.samplers[0].name == "DPM++ 2M"
        assert info.samplers[0].parameters["cfg_scale"] == "7.5"
        assert str(info.negative_prompts[0]) == "blurry"
        assert str(info.prompts[0]) == preset.rows[0].prompt


def test_parameters_text() -> None:
    rows = [{"prompt": "cat", "weight": 4.0}, {"prompt": "dog", "weight": 1.0}, {"weight": 2.0}]
    preset = validate({"base": "a/b: c", "rows": rows, "sampler": {"steps": 3}})
    assert share.parameters_text(preset, (64, 48)) == (
        "cat :1 AND dog :0.25\nSteps: 3, Sampler: DPM++ 2M, CFG scale: 4, Seed: 7, "
        'Size: 64x48, Model: "a/b: c"'
    )


def test_names_sort_by_time_and_are_unique(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = share.save_image(noise(), sample(), tmp_path)
    second = share.save_image(noise(), sample(), tmp_path)
    assert first.name < second.name
    assert first.name.endswith("-seed9007199254740991-a-picture.png")

    class Stopped(write.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2030, 1, 2, 3, 4, 5, 6)

    monkeypatch.setattr(write, "datetime", Stopped)
    names = [share.save_image(noise(), sample(), tmp_path).name for _ in range(2)]
    assert names[0].startswith("20300102-030405-000006-seed")
    assert names[1] == names[0].replace(".png", "-2.png")


def test_made_again_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "here"))
    preset = sample(images.store(noise(seed=1)))
    path = share.save_image(noise(), preset, tmp_path)
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "elsewhere"))
    found, _ = share.read_image(path)
    assert found == preset
    assert same(images.resolve(found.rows[0].control.image), noise(seed=1))  # type: ignore[union-attr]


def test_embedding_keeps_within_its_caps(studio_home: Path) -> None:
    large = images.store(noise(1200, 900))
    rows = [{"control": {"type": "map", "image": large}}] * 12
    rows.append({"control": {"type": "map", "image": "assets/examples/cat.png"}})
    rows.append({"control": {"type": "map", "image": "inputs/lost.png"}})
    embedded = share.embed_images(validate({"rows": rows}))
    given = [row.control.image for row in embedded.rows if row.control]
    assert all(uri.startswith("data:image/png;base64,") for uri in given[:12])
    assert given[12:] == ["assets/examples/cat.png", "inputs/lost.png"]
    assert sum(map(len, given)) < 7 * 2**20
    one = share.embed_images(validate({"rows": rows[:1]}))
    assert len(base64.b64decode(one.rows[0].control.image.partition(",")[2])) <= 2**20  # type: ignore[union-attr]
    back = share.extract(embedded)
    assert all(row.control.image.startswith("inputs/") for row in back.rows[:12] if row.control)


def test_a_damaged_embedded_image_names_its_row(studio_home: Path, tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    rows = [{}, {"control": {"type": "map", "image": "data:image/png;base64,AAAA"}}]
    path.write_text(json.dumps({"rows": rows}))
    with pytest.raises(StudioError) as caught:
        share.read_any(path)
    assert caught.value.field == "rows.1.control.image"


def test_links() -> None:
    text, notes = share.encode_link(sample())
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert notes == []
    assert share.decode_link(text) == sample()
    assert share.decode_link(f"https://example.org/studio?__theme=dark&p={text}") == sample()
    text, notes = share.encode_link(sample("inputs/abc.png"))
    assert notes == ["rows.0.control.image: the control image is left out"]
    assert share.decode_link(text).rows[0].control.image == ""  # type: ignore[union-attr]
    thirty = validate(
        {"rows": [{"prompt": f"thing number {i}", "weight": i / 7} for i in range(30)]}
    )
    assert len(share.encode_link(thirty)[0]) < 1200


def test_a_link_without_its_mask_has_no_area_around_it() -> None:
    start = {"image": "assets/examples/cat.png", "mask": "inputs/abc.png", "area": "mask"}
    text, notes = share.encode_link(validate({"rows": [{"prompt": "a"}], "init": start}))
    init = share.decode_link(text).init
    assert init is not None and (init.mask, init.area) == ("", "picture")
    assert notes == ["init.mask: the mask is left out"]


def pictured() -> Preset:
    """Every place that an image can have in a preset."""
    ref, mask = images.store(noise(seed=1)), images.store(noise(seed=2), mask=True)
    return validate(
        {
            "rows": [{"prompt": "a", "mask": mask}, {"control": {"type": "map", "image": ref}}],
            "init": {"image": ref, "mask": mask, "strength": 0.5},
        }
    )


def test_masks_and_starting_pictures_travel(studio_home: Path, tmp_path: Path) -> None:
    preset = pictured()
    embedded = share.embed_images(preset)
    refs = embedded.image_references()
    assert [field for _, field in refs] == [
        "rows.0.mask",
        "rows.1.control.image",
        "init.image",
        "init.mask",
    ]
    assert all(ref.startswith("data:image/png;base64,") for ref, _ in refs)
    assert share.extract(embedded) == preset
    path = share.write_metadata(noise(), preset, tmp_path / "made.png")
    assert share.read_any(path) == (preset, [])
    without, notes = share.encode_link(preset)
    assert share.decode_link(without).image_references() == []
    assert share.decode_link(without).init is None
    assert [note.split(":")[0] for note in notes] == [field for _, field in refs]
    assert "Denoising strength: 0.5" in share.parameters_text(preset)


def packed(data: bytes) -> str:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.urlsafe_b64encode(deflate.compress(data) + deflate.flush()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "link"),
        ("not a link!", "damaged"),
        ("____", "damaged"),
        (share.encode_link(sample())[0][:-8], "cut off"),
        ("https://example.org/?q=1", "no preset"),
        (packed(b" " * 20 * 2**20), "unpacks to more"),
        (packed(b"\xff\xff"), "UTF-8"),
        (packed(b"[]"), "object"),
        (packed(b'{"omega": 7}'), "omega"),
        ("A" * 10**6, "longer"),
    ],
)
def test_bad_links(text: str, words: str) -> None:
    with pytest.raises(BadPreset, match=words) as caught:
        share.decode_link(text)
    assert "\n" not in str(caught.value)


def png(path: Path, **chunks: str) -> Path:
    info = PngInfo()
    for key, value in chunks.items():
        info.add_text(key, value)
    noise().save(path, pnginfo=info)
    return path


def test_files_that_carry_nothing(tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    noise().save(plain)
    cut = tmp_path / "cut.png"
    cut.write_bytes(share.save_image(noise(), sample(), tmp_path).read_bytes()[:-900])
    text = tmp_path / "text.png"
    text.write_text("hello")
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(50 * 2**20)
    wrong = png(tmp_path / "wrong.png", guidance_studio='{"rows": [{"weight": "x"}]}')
    for path, words in (
        (plain, "carries no preset"),
        (cut, "damaged"),
        (text, "is not a PNG"),
        (large, "bytes"),
        (wrong, "rows.0.weight"),
    ):
        with pytest.raises(BadPreset) as caught:
            share.read_any(path)
        assert caught.value.field == path.name
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
    for missing in (tmp_path / "none.png", tmp_path / "none.json", tmp_path):
        with pytest.raises(MissingFile):
            share.read_any(missing)


def test_json_without_a_suffix(tmp_path: Path) -> None:
    path = tmp_path / "preset"
    path.write_text("\n " + sample().to_json(), encoding="utf-8")
    assert share.read_any(path) == (sample(), [])


def test_formats_that_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="gif"):
        share.write_metadata(noise(), sample(), tmp_path / "a.gif")
    long = validate(
        {"rows": [{"prompt": noise(40, 30, i).tobytes().hex()[:4000]} for i in range(30)]}
    )
    with pytest.raises(StudioError, match="too long"):
        share.write_metadata(noise(), long, tmp_path / "a.jpg")
    assert share.read_image(share.write_metadata(noise(), long, tmp_path / "a.png"))[0] == long
