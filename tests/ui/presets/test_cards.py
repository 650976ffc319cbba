"""The cards of the Presets tab: what stands there, what cannot be used, whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio.errors import NoPreset, StudioError
from studio.home import presets_folder
from studio.preset import validate
from studio.preset.saved import save_preset
from studio.preset.styles import save_style
from studio.ui import run
from studio.ui.history import moments
from studio.ui.page import build
from studio.ui.presets import gallery, styles
from studio.ui.runs import Runs
from studio.ui.space import SPACE, Limits
from studio.ui.widgets import Signal
from studio.ui.wiring import presets as wiring
from studio.ui.wiring import saving
from tests.support.fake_engine import ROWS, FakeEngine, values
from tests.ui.test_parents import KEY, Page


def made() -> list[moments.Moment]:
    """What a session has made after one generation."""
    runs = Runs(FakeEngine(), Limits())
    session = runs.session("visitor")
    list(run.generate(runs, Limits(), session, "page", values()))
    return session.moments


def test_saved_presets_are_on_the_shelf_with_their_picture(studio_home: Path) -> None:
    pictures = made()
    preset = validate({"name": "Mine", "rows": ROWS})
    gallery.save(preset, Limits(), moments.picture_of(pictures, preset))
    card = gallery.cards(Limits())["items"][0]  # own ones first
    assert card["title"] == "Mine" and gallery.pick(Limits(), card["id"]).rows[0].weight == 7.5
    assert card["image"]["name"].endswith(".webp")
    assert gallery.namesakes(" Mine") == 1 and gallery.namesakes("Other") == 0
    assert moments.picture_of(pictures, validate({"rows": ROWS[:1]})) is None
    damaged = presets_folder() / "damaged.json"
    damaged.write_text('{"rows": [{"prompt": "x", "weight": "no"}]}')
    (named,) = [one for one in gallery.cards(Limits())["items"] if one["problem"]]
    assert named["text"].startswith("row 1, weight: ")  # as the page calls it
    damaged.write_text('{"rows": 5}')
    (bad,) = [one for one in gallery.cards(Limits())["items"] if one["tag"] == "cannot be used"]
    assert bad["own"] and "rows" in bad["text"]  # it stands there, and can be deleted
    with pytest.raises(StudioError, match="rows"):
        gallery.pick(Limits(), bad["id"])
    gallery.delete(Limits(), bad["id"])
    assert not damaged.exists()
    assert all(item["tag"] != "saved" for item in gallery.cards(SPACE)["items"])
    with pytest.raises(StudioError):
        gallery.pick(Limits(), "saved:../../etc/passwd")


def test_one_s_own_preset_is_replaced_under_its_name(studio_home: Path) -> None:
    pictures = made()
    preset = validate({"name": "Mine", "rows": ROWS})
    path = gallery.save(preset, Limits(), moments.picture_of(pictures, preset))
    other = validate({"name": "Other", "rows": [{"prompt": "a tree"}]})
    (card, *_) = gallery.cards(Limits())["items"]
    assert gallery.replace(Limits(), card["id"], other)[0] == "Mine"
    (now, *_) = gallery.cards(Limits())["items"]
    assert (now["id"], now["title"]) == (card["id"], "Mine")
    assert gallery.pick(Limits(), card["id"]).rows[0].prompt == "a tree"
    assert card["image"] and not now["image"]  # it was of what stood there before
    gallery.replace(Limits(), card["id"], preset, moments.picture_of(pictures, preset))
    assert gallery.cards(Limits())["items"][0]["image"]
    assert [one.name for one in presets_folder().glob("*.json")] == [path.name]
    for limits, identity in ((SPACE, card["id"]), (Limits(), gallery.first_id(Limits()))):
        with pytest.raises(StudioError, match="no preset of your own"):
            gallery.replace(limits, identity, other)
    gallery.delete(Limits(), card["id"])
    with pytest.raises(StudioError, match="not there any more"):  # deleted in another window
        gallery.replace(Limits(), card["id"], other)
    with pytest.raises(StudioError, match="not there any more"):
        gallery.delete(Limits(), card["id"])


def test_a_shared_page_offers_no_change_of_its_host_s_styles(studio_home: Path) -> None:
    (studio_home / "styles").mkdir(parents=True)
    (studio_home / "styles/styles.csv").write_text(
        'name,prompt,negative_prompt\nInk,"{prompt}, in  ink",\n'
    )
    assert [one["prompt"] for one in styles.cards(Limits())["items"]] == ["in ink"]
    assert [one["own"] for one in styles.cards(Limits())["items"]] == [True]
    assert [one["own"] for one in styles.cards(SPACE)["items"]] == [False]
    with pytest.raises(StudioError, match="keeps none"):
        styles.delete("Ink", SPACE)


def test_styles_of_a_dropped_table_are_completed_before_their_tab_is_opened(
    studio_home: Path, tmp_path: Path
) -> None:
    """The cards of a tab that was never opened tell the page's scripts nothing."""
    page = build(events=FakeEngine())
    (load,) = (one for one in page.blocks.values() if one.elem_id == "gs-load")
    (dropped,) = (one for one in page.fns.values() if (load._id, "upload") in one.targets)
    table = tmp_path / "styles.csv"
    table.write_text("name,prompt,negative_prompt\nInk,in ink,\n")
    assert dropped.fn is not None
    told = dropped.fn("", str(table))
    (signal,) = (one for one in told if isinstance(one, Signal))
    assert signal in dropped.outputs and "'styles'" in str(signal.js_on_load)
    assert [(one["title"], one["prompt"]) for one in told[signal]] == [("Ink", "in ink")]


def test_a_name_that_another_of_ones_own_has_is_told_of(studio_home: Path) -> None:
    for name in ("Zebra", "Yak"):
        save_preset(validate({"rows": ROWS}), name)
    mine = {item["title"]: item["id"] for item in gallery.cards(Limits())["items"]}
    assert not gallery.rename(Limits(), mine["Zebra"], "Gnu")
    assert gallery.rename(Limits(), mine["Zebra"], " Yak ")
    assert gallery.namesakes("Yak") == 2


def test_a_style_s_name_that_is_taken_is_refused_as_a_style_s(studio_home: Path) -> None:
    for name in ("one", "two"):
        save_style(name, "a cat")
    refused = styles.style_words({"id": "one", "name": "two", "prompt": "a cat"})
    assert refused["error"].startswith("style: there is a style 'two' already")


def test_a_card_whose_file_has_gone_is_said_to_be_and_leaves_the_list(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(wiring, "warn", lambda error: said.append(str(error)))
    delete = wiring.changed(
        lambda event: print(styles.delete(str(event), Limits())), lambda: styles.cards(Limits())
    )
    assert delete("gone")["items"] == [] and said == ["style: there is no such style"]  # type: ignore[arg-type]


def test_a_picture_that_carries_no_preset_is_told_where_pictures_go(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(photo)
    with pytest.raises(NoPreset, match=r"^photo\.png: .*no preset · .*Start from a picture"):
        gallery.load_file(photo)


def test_a_description_that_is_still_another_s_is_said_as_a_preset_is_saved(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, told = Page(monkeypatch), list[str]()
    monkeypatch.setattr(saving, "tell", lambda said, title: told.append(said))

    def save(**fields: str) -> list[str]:
        told.clear()
        (fn,) = (
            fn for fn in page.blocks.fns.values() if (page.parts.save._id, "click") in fn.targets
        )
        assert fn.fn is not None
        fn.fn(KEY, **{**values(), **fields})
        return told

    assert save(name="One", description="What to watch") == ["Saved as one.json"]
    still = "Its description is still that of “One”"
    assert save(name="Two", description="What to watch") == [still, "Saved as two.json"]
    assert save(name="Three", description="Another") == ["Saved as three.json"]
    for name in ("Four", "Five"):
        assert save(name=name, description="") == [f"Saved as {name.lower()}.json"]
