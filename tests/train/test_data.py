"""Pictures and captions for training: what is skipped, converted, split, resized, and in what order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.errors import MissingFile, StudioError
from studio.train import latents
from studio.train.captions import caption_pictures, from_template, read_file, split
from studio.train.config import differences
from studio.train.data import Order, find_pictures, fitted, look_at, open_picture, usable
from tests.support import train_tiny


def picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (20, 10)) -> Path:
    Image.new(mode, size).save(path)
    return path


def test_odd_pictures_are_named_skipped_or_converted_and_counted(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.jpg", "CMYK")
    frames = [Image.new("RGB", (8, 8), (90 * n, 0, 0)) for n in range(3)]
    frames[0].save(tmp_path / "c.gif", save_all=True, append_images=frames[1:])
    (tmp_path / "d.png").write_bytes(b"no picture at all")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "e.png")
    whole = (tmp_path / "e.png").read_bytes()
    (tmp_path / "e.png").write_bytes(whole[: len(whole) // 2])
    picture(tmp_path / "f.png", "1", (10_000, 10_000))
    (tmp_path / "notes.txt").write_text("not looked at")
    found = find_pictures(tmp_path)
    assert [p.name for p in found] == ["a.png", "b.jpg", "c.gif", "d.png", "e.png", "f.png"]
    good, notes = usable(list(look_at(found)))
    assert [p.name for p in good] == ["a.png", "b.jpg", "c.gif"]
    assert notes[0].startswith("Pictures skipped (3 of 6): d.png (is not a PNG")
    assert "e.png (is a damaged image" in notes[0] and "f.png (10000x10000 pixels" in notes[0]
    assert notes[1] == "Pictures converted (2): b.jpg (CMYK), c.gif (P)"
    assert notes[2] == "Pictures whose first frame is taken (1): c.gif"
    assert open_picture(tmp_path / "b.jpg")[0].mode == "RGB"
    assert len(notes) == 3


def test_pictures_that_are_enlarged_or_squeezed_are_named(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", size=(400, 100))  # 4:1 is as long as they may be
    picture(tmp_path / "b.png", size=(100, 401))
    picture(tmp_path / "c.png", size=(3, 3))
    picture(tmp_path / "d.png", size=(128, 128))
    _, notes = usable(list(look_at(find_pictures(tmp_path), edge=256)))
    assert notes == [
        "Pictures squeezed to 4:1 (1): b.png (100x401)",
        "Pictures enlarged to more than twice (1): c.png (3x3)",
    ]


def test_no_picture_and_one_picture(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="holds no picture"):
        find_pictures(tmp_path)
    with pytest.raises(MissingFile, match="cannot be read"):
        find_pictures(tmp_path / "nowhere")
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(StudioError, match=r"no picture can be used; Pictures skipped \(1 of 1\)"):
        usable(list(look_at(find_pictures(tmp_path))))
    picture(tmp_path / "a.png")
    assert "only one picture" in usable(list(look_at(find_pictures(tmp_path))))[1][0]


def test_a_caption_file_chooses_its_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    assert [p.name for p in find_pictures(tmp_path, ["b.png"])] == ["b.png"]
    with pytest.raises(MissingFile, match=r"c\.png"):
        find_pictures(tmp_path, ["b.png", "c.png"])


@pytest.mark.parametrize(
    "text, word, superclass, target, general",
    [
        ("a <hero> ghost in the rain", "<hero>", "ghost", "<hero> ghost", "in the rain"),
        ("in the rain, a <hero> ghost", "<hero>", "ghost", "<hero> ghost", "in the rain"),
        ("a photo of a <hero>", "<hero>", "ghost", "<hero>", "a photo"),
        ("a girl with a sks backpack and a hat", "sks", "backpack", "sks backpack", "a girl a hat"),
        ("<hero> ghost", "<hero>", "ghost", "<hero> ghost", ""),
        (
            "an owl in blob style on a red background",
            "blob",
            "style",
            "blob style",
            "an owl on a red background",
        ),
        ("heroes and a Hero", "hero", "", "Hero", "heroes"),
    ],
)
def test_captions_split_around_the_target(
    text: str, word: str, superclass: str, target: str, general: str
) -> None:
    found = split(text, word, superclass)
    assert (found.text, found.target, found.general) == (text, target, general)


def test_captions_come_from_the_file_then_a_text_beside_then_the_template(tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{name}.png") for name in "abc"]
    (tmp_path / "b.txt").write_text("a <hero> ghost\n  at sea ")
    written = {"a.png": {"caption": "a <hero> ghost on a hill", "general": "a hill"}}
    (tmp_path / "captions.json").write_text(json.dumps(written))
    captions, notes = caption_pictures(
        paths, "<hero>", "ghost", "a {word} {superclass}", read_file(tmp_path / "captions.json")
    )
    assert [c.text for c in captions] == [
        "a <hero> ghost on a hill",
        "a <hero> ghost at sea",
        "a <hero> ghost",
    ]
    assert [c.general for c in captions] == ["a hill", "at sea", ""]  # corrected, split, split
    assert notes == ["1 of 3 pictures have no caption; theirs is 'a <hero> ghost'"]


@pytest.mark.parametrize(
    "written, message",
    [
        (
            {"a.png": "a ghost"},
            "a.png: its caption 'a ghost' does not hold the target word '<hero>'",
        ),
        (
            {"a.png": {"caption": "a <hero>", "target": "ghost"}},
            "a.png: its target 'ghost' does not",
        ),
        ({"a.png": {"caption": "a <hero>", "general": "<hero>"}}, "a.png: its general text"),
    ],
)
def test_a_caption_without_its_word_is_refused(tmp_path: Path, written: dict, message: str) -> None:
    path = picture(tmp_path / "a.png")
    with pytest.raises(StudioError) as refused:
        caption_pictures([path], "<hero>", "ghost", "a {word}", written)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("text", ["[]", "{", '{"a.png": 3}', '{"a.png": {"text": "x"}}'])
def test_a_caption_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "captions.json"
    path.write_text(text)
    with pytest.raises(StudioError, match=r"captions\.json"):
        read_file(path)
    with pytest.raises(MissingFile, match=r"nowhere\.json"):
        read_file(tmp_path / "nowhere.json")


def test_a_template_knows_two_names_only() -> None:
    assert from_template("a {word} {superclass}", "<x>", "") == "a <x>"
    for template in ("{colour}", "{word", "{0}", "{word.x}"):
        with pytest.raises(StudioError, match=r"may hold \{word\} and \{superclass\} only"):
            from_template(template, "<x>", "y")


def test_nothing_is_cropped() -> None:
    assert fitted((500, 500), 512, 64) == (512, 512)
    width, height = fitted((1200, 800), 512, 8)
    assert abs(width / height - 1.5) < 0.05 and abs(width * height / 512**2 - 1) < 0.05
    assert fitted((10, 10_000), 512, 64) == fitted((10, 40), 512, 64) == (256, 1024)


def test_every_picture_comes_once_an_epoch_in_batches_of_one_shape() -> None:
    shapes = [(8, 8)] * 5 + [(4, 16)] * 2
    order = Order(shapes, 2, seed=3)
    batches = [order.indices(n) for n in range(order.per_epoch)]
    assert len(batches) == 4 and {i for b in batches for i in b} == set(range(7))
    assert all(len({shapes[i] for i in b}) == 1 and len(b) == 2 for b in batches)
    again = Order(shapes, 2, seed=3)
    assert [again.indices(n) for n in (9, 2, 9)] == [order.indices(n) for n in (9, 2, 9)]
    assert len(Order([(8, 8)], 32, seed=0).indices(0)) == 32
    epochs = [tuple(tuple(order.indices(n + 4 * e)) for n in range(4)) for e in range(8)]
    assert len(set(epochs)) > 1


def test_latents_are_the_vaes_and_encoded_once(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.engine.families import family_named
    from studio.library import Library

    train_tiny.base(studio_home)
    folder = train_tiny.pictures(tmp_path / "pictures", size=(32, 16))
    entry = Library()["tiny"]
    vae = family_named(entry.family).load_vae(entry, torch.device("cpu"), torch.float32)
    found, _ = usable(list(look_at(find_pictures(folder))))
    first = list(latents.encode_all(found, vae, entry, 16, 4, flips=True))
    width, height = fitted((32, 16), 16, 4)
    assert first[0].shape == (height // 2, width // 2)
    image = Image.open(folder / "0.png").resize((width, height), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.asarray(image) / 127.5 - 1).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        wanted = vae.encode(pixels).latent_dist
        mirrored = vae.encode(pixels.flip(-1)).latent_dist
    noise = torch.randn(1, 4, height // 2, width // 2)
    got = latents.draw(first[0].straight[None], noise, 0.5)
    torch.testing.assert_close(got, 0.5 * (wanted.mean + wanted.std * noise))
    torch.testing.assert_close(first[0].flipped, mirrored.parameters[0])

    monkeypatch.setattr(latents, "_encoded", None)  # may not be called again
    again = list(latents.encode_all(found, vae, entry, 16, 4, flips=True))
    assert latents.digest(again) == latents.digest(first)


def test_differences_name_what_changes_the_numbers_only() -> None:
    before, now = {"rate": 1.0, "steps": 5, "rank": 4}, {"rate": 2.0, "steps": 9, "rank": 4}
    assert differences(before, now) == ["rate was 1.0, now 2.0"]


def test_faulty_captions_are_named_together(tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{number}.png") for number in range(8)]
    written = {path.name: "a <hero>" if path is paths[0] else "a ghost" for path in paths}
    with pytest.raises(StudioError) as caught:
        caption_pictures(paths, "<hero>", "ghost", "a {word}", written)
    lines = str(caught.value).split(" · ")
    assert [line.partition(":")[0] for line in lines[:-1]] == [f"{n}.png" for n in range(1, 7)]
    assert all("does not hold the target word '<hero>'" in line for line in lines[:-1])
    assert lines[-1] == "and 1 more"
