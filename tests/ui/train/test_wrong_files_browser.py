"""Files that the Train tab and *Open* do not take: told of in the page's language, beside those that are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.studio_page import Studio, expect
from tests.ui.train.test_browser import drop

pytestmark = pytest.mark.browser
FIELD = "#gs-train-files"
REFUSED = "is neither a picture nor a caption"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {name: tmp_path / name for name in ("notes.zip", "a.png", "b.png")}
    made["notes.zip"].write_bytes(b"PK")
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 64), "teal").save(made[name])
    return made


@pytest.fixture
def train(desk: Studio) -> Iterator[Any]:
    """The tab without pictures."""
    page = desk.tab("Train")
    page.evaluate("studio.pictures?.pictures.length && studio.pictures.keepOnly(() => false)")
    expect(page.locator(".gs-pic")).to_have_count(0)
    yield page
    page.evaluate("studio.pictures?.pictures.length && studio.pictures.keepOnly(() => false)")
    desk.tab("Result")


def none_of_gradios_own(page: Any) -> None:
    expect(page.get_by_text("Invalid file type")).to_have_count(0)
    expect(page.locator(f"{FIELD} .error")).to_have_count(0)  # which would lie over the field


def test_what_is_dropped_among_pictures_and_is_none(
    desk: Studio, train: Any, files: dict[str, Path]
) -> None:
    train.dispatch_event(f"{FIELD} button", "dragenter")
    drop(train, [files["notes.zip"]])
    desk.says(f"notes.zip {REFUSED}", ".gs-toasts")
    none_of_gradios_own(train)
    train.dispatch_event(f"{FIELD} button", "dragenter")
    drop(train, [files["notes.zip"], files["a.png"]])
    expect(train.locator(".gs-pic")).to_have_count(1)
    expect(train.locator(".gs-toast", has_text=f"notes.zip {REFUSED}")).to_have_count(2)
    none_of_gradios_own(train)


def test_what_is_chosen_though_the_field_does_not_take_it(
    desk: Studio, train: Any, files: dict[str, Path]
) -> None:
    chosen = [files["notes.zip"], files["b.png"]]
    train.locator(f"{FIELD} input[type=file]").set_input_files(chosen)
    expect(train.locator(".gs-pic")).to_have_count(1)
    desk.says(f"notes.zip {REFUSED}", ".gs-toasts")
    none_of_gradios_own(train)
    train.locator("#gs-top input[type=file]").first.set_input_files(files["notes.zip"])
    desk.says("notes.zip is not opened here", ".gs-toasts")
    none_of_gradios_own(train)


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(
    desk: Studio, train: Any, files: dict[str, Path]
) -> None:
    most = train.evaluate("gradio_config.max_file_size")
    train.evaluate("gradio_config.max_file_size = 2 ** 20")
    large = files["b.png"]
    large.write_bytes(b"\0" * (2**20 + 1))
    train.locator(f"{FIELD} input[type=file]").set_input_files([large, files["a.png"]])
    expect(train.locator(".gs-pic")).to_have_count(1)
    said = "b.png has 2 MB; a file has at most 1 MB"
    desk.says(said, ".gs-toasts")
    drop(train, [large], "body")
    desk.says(f"could not be read ({said})", ".gs-toasts")
    drop(train, [large], ".gs-card")
    desk.says(f"could not be uploaded ({said})", ".gs-toasts")
    expect(train.get_by_text("maximum allowed size")).to_have_count(0)
    train.evaluate("(most) => { gradio_config.max_file_size = most; }", most)


def test_each_of_several_that_are_not_taken_is_told_of_in_the_pages_language(
    desk: Studio, tmp_path: Path
) -> None:
    bad = [tmp_path / "c.txt", tmp_path / "empty.png"]
    bad[0].write_bytes(b"caf\xe9")
    bad[1].touch()
    context = desk.page.context.browser.new_context(locale="de-DE")
    german = Studio(context.new_page(), desk.address).open()
    page = german.tab("Trainieren")
    drop(page, bad)
    said = page.locator(".toast-body", has_text="empty.png")
    expect(said).to_contain_text("empty.png wird nicht übernommen: ist leer")
    expect(said).to_contain_text(
        "c.txt wird nicht übernommen: kann nicht als UTF-8-Text gelesen werden"
    )
    context.close()
