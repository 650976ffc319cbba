"""Pictures that are saved as JPEG or WebP hold all that a PNG of theirs would, or stay one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from studio.cli.keeping import Keeping
from studio.errors import StudioError
from studio.history import history
from studio.history.intake import take_in
from studio.images import png_bytes, store
from studio.library import Library
from studio.outputs import list_outputs, outputs_folder
from studio.preset import Preset, validate
from studio.settings import SETTINGS, change
from studio.share import read_image, save_image
from studio.share.write import PNG, Naming
from studio.ui.run import keep_unfinished
from studio.ui.runs import Runs
from studio.ui.space import Limits
from tests.support.fake_engine import FakeEngine
from tests.support.waiting import until

FORMS = {"jpeg": (".jpg", "JPEG"), "webp": (".webp", "WEBP"), "png": (".png", "PNG")}


def preset(**more: object) -> Preset:
    rows = [{"prompt": "a cat, on the moon", "weight": 4.5, **more}]
    return validate({"name": "Mine", "rows": rows, "sampler": {"seed": 7}})


def noise(width: int = 256, height: int = 256) -> Image.Image:
    return Image.effect_noise((width, height), 120).convert("RGB")


@pytest.mark.parametrize("chosen", FORMS)
def test_the_page_saves_in_the_format_that_is_set(studio_home: Path, chosen: str) -> None:
    change("picture_format", chosen)
    suffix, form = FORMS[chosen]
    runs = Runs(FakeEngine(), Limits())
    session = runs.session("a")
    done = runs.submit(session, preset())
    until(lambda: done.state == "done")
    (moment,) = session.moments
    path = Path(moment.path)
    with Image.open(path) as opened:
        assert opened.format == form and path.suffix == suffix
    again, notes = read_image(path)
    assert again == moment.preset() and notes == [] and again.rows[0].weight == 4.5
    (record,) = history().search().records
    assert history().file(record) == path and record.seed == 7
    assert list_outputs() == [path]  # what the strip shows where there is no history
    done.previews = (noise(),)
    assert Path(keep_unfinished(runs, session, 0).path).suffix == suffix
    apart = runs.submit(session, preset(), folder=studio_home / "sweeps")
    until(lambda: apart.state == "done")
    assert [one.suffix for one in (studio_home / "sweeps").iterdir()] == [PNG]


def test_so_does_the_command_line_and_a_history_is_made_anew_of_them(studio_home: Path) -> None:
    change("picture_format", "webp")
    change("file_names", "[seed]")
    kept = Keeping(outputs_folder(), Library((studio_home,)))
    paths = [
        save_image(noise(), preset(), outputs_folder(), naming=kept.naming()) for _ in range(2)
    ]
    assert [one.name for one in paths] == ["7.webp", "7-2.webp"]
    assert take_in(history()) == 2
    assert {one.prompts for one in history().search().records} == {"a cat, on the moon"}


def test_what_the_format_has_no_room_for_stays_a_png(studio_home: Path) -> None:
    for name in (".jpg", ".webp"):
        naming = Naming(suffix=name)
        shown = store(png_bytes(noise()))
        held = preset(control={"type": "canny", "image": shown})
        path = save_image(noise(64, 64), held, outputs_folder(), naming=naming)
        control = read_image(path)[0].rows[0].control
        assert path.suffix == PNG and control is not None
        see_through = Image.new("RGBA", (16, 16), (255, 0, 0, 100))
        assert save_image(see_through, preset(), outputs_folder(), naming=naming).suffix == PNG
        wide = Image.new("RGB", (65_600, 1))
        assert save_image(wide, preset(), outputs_folder(), naming=naming).suffix == PNG


def test_no_other_format_is_taken() -> None:
    for wrong in ("gif", ".png", "", 3):
        with pytest.raises(StudioError, match="picture_format: must be one of png, jpeg, webp"):
            SETTINGS["picture_format"].checked(wrong)
