"""How a picture of the history was made: in its details, and as A1111's text."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.history import History
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import save_image
from studio.ui.history import view
from studio.ui.history.moments import Moment


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    found = History(tmp_path, tmp_path / "outputs")
    yield found
    found.close()


def made(own: History, tmp_path: Path, **fields: Any) -> str:
    save_image(Image.new("RGB", (40, 20)), validate(fields), tmp_path / "outputs")
    take_in(own)
    return own.search(None, 1, 0).records[0].id


def test_details_say_scheduler_and_weights_and_omega_where_a_lora_has_one(
    own: History, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "a cat", "weight": 7.5},
        {"prompt": "blurry", "weight": -6.5},
        {"prompt": "off", "weight": 2, "enabled": False},
    ]
    plain = made(own, tmp_path, rows=rows, sampler={"scheduler": "dpm++"})
    details = view.answer(own, {"do": "open", "id": plain})["opened"]
    assert (details["scheduler"], details["weights"]) == ("DPM-Solver++ 2M", "7.5, −6.5")
    assert "omega" not in details and "second_pass" not in details
    rows[0]["model"] = {"lora": "starter/lora-hero", "strength": 1.0}
    varied = {"seed": 2, "variation_seed": 9, "variation_strength": 0.25}
    hero = made(own, tmp_path, rows=rows, omega=0.4, sampler=varied, second_pass={"scale": 1.5})
    newest = next(one.id for one in own.search(None, 2, 0).records if one.seed == 2)
    assert hero in (plain, newest)
    opened = view.answer(own, {"do": "open", "id": newest})["opened"]
    assert (opened["omega"], opened["variation"]) == (0.4, "9 (0.25)")
    assert opened["second_pass"] == "× 1.5 (0.4)"  # as many times as large, and its strength
    assert Moment.recorded(own, own.get(newest)).text == "seed 2 · variation 9"


def test_details_say_cfg_scale_clip_skip_and_an_autoencoder(own: History, tmp_path: Path) -> None:
    rows = [{"prompt": "a cat", "weight": 7.5}, {"prompt": "blurry", "weight": -6.5}]
    one = made(own, tmp_path, rows=rows, clip_skip=2, vae="starter/fine")
    details = view.answer(own, {"do": "open", "id": one})["opened"]
    assert [details[name] for name in ("cfg", "clip_skip", "vae")] == [7.5, 2, "starter/fine"]
    # Weights that are of no one scale have none.
    other = made(own, tmp_path, rows=[rows[0], {**rows[1], "weight": -1}], sampler={"seed": 9})
    found = view.answer(own, {"do": "open", "id": other})["opened"]
    assert not {"cfg", "clip_skip", "vae"} & found.keys()


def test_details_say_who_finished_it_and_what_its_second_pass_had_of_its_own(
    own: History, tmp_path: Path
) -> None:
    second = {"scale": 2, "scheduler": "euler", "model": "starter-1"}
    refiner = {"model": "starter-1", "at": 0.6}
    control = {"type": "canny", "image": "data:image/png;base64,AA"}
    rows = [{"prompt": "a", "control": control, "controls": [{**control, "strength": 0.5}]}] * 2
    one = made(own, tmp_path, rows=rows, refiner=refiner, second_pass=second)
    details = view.answer(own, {"do": "open", "id": one})["opened"]
    assert details["controls"] == "Edges (Canny) (1), Edges (Canny) (0.5)"
    assert details["refiner"] == "starter-1 (0.6)"
    assert details["second_pass"] == "× 2 (0.4), starter-1, Euler"


def test_details_say_how_far_it_went_from_the_picture_it_started_from(
    own: History, tmp_path: Path
) -> None:
    red = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(red, "PNG")
    picture = f"data:image/png;base64,{b64encode(red.getvalue()).decode()}"
    one = made(own, tmp_path, init={"image": picture, "strength": 0.6, "loops": 3})
    details = view.answer(own, {"do": "open", "id": one})["opened"]
    assert (details["start"], details["rounds"]) == (0.6, 3)
    own.file(own.get(one)).write_bytes(b"damaged")  # the database knows the rest
    details = view.details(own, one)
    assert "start" not in details and details["scheduler"] == "DPM-Solver++ 2M"


def test_a_picture_without_a_preset_says_none_of_it(own: History, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "outputs" / "bare.png")
    take_in(own)
    [bare] = own.search(None, 1, 0).records
    assert "scheduler" not in view.answer(own, {"do": "open", "id": bare.id})["opened"]


def test_a_picture_is_copied_for_a1111_with_what_that_cannot_say(
    own: History, tmp_path: Path
) -> None:
    rows = [{"prompt": "a cat", "weight": 7.5, "range": [0.0, 0.5]}]
    answer = view.answer(own, {"do": "a1111", "id": made(own, tmp_path, rows=rows)})
    assert answer["code"]["text"].startswith("a cat\n") and "Size: 40x20" in answer["code"]["text"]
    assert answer["left_out"].startswith("row 1, range: ")
