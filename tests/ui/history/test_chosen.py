"""Pictures of the History that are chosen, dragged, and kept in the bin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.history import History
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import save_image
from studio.ui.history import view


@pytest.fixture
def own(tmp_path: Path) -> Iterator[History]:
    for seed in range(3):
        made = validate({"rows": [{"prompt": "a cat"}], "sampler": {"seed": seed}})
        save_image(Image.new("RGB", (8, 8)), made, tmp_path / "outputs")
    found = History(None, tmp_path / "outputs")
    take_in(found)
    yield found
    found.close()


def test_a_choice_is_counted_by_what_a_search_shows_of_it(own: History) -> None:
    ids = [record.id for record in own.search().records]
    asked = {"do": "among", "ids": [*ids, "0" * 16], "query": {"starred": True}, "key": "7"}
    assert view.answer(own, asked)["among"] == {"key": "7", "gone": ["0" * 16], "unseen": 3}
    own.mark(ids[:1], starred=True)
    assert view.answer(own, asked)["among"]["unseen"] == 2


def test_a_range_is_what_lies_between_two_pictures_in_the_order_shown(own: History) -> None:
    def between(query: dict[str, str], *ends: str) -> list[str]:
        asked = {"do": "range", "ends": ends, "query": query, "key": "7"}
        return view.answer(own, asked)["range"]["ids"]

    for sort, back in (("seed", False), ("oldest", False), ("newest", True)):
        shown = [one.id for one in own.search(view.query_of({"sort": sort})).records]
        seeds = [own.get(one).seed for one in shown]
        assert seeds == sorted(seeds, key=int, reverse=back)
        assert between({"sort": sort}, shown[2], shown[1]) == shown[1:]
        assert between({"sort": sort}, shown[0], shown[0]) == shown[:1]
        assert not between({"sort": sort}, shown[0], "0" * 16)
        asked = {"do": "range", "query": {"sort": sort}, "key": "7"}
        assert view.answer(own, asked)["range"] == {"key": "7", "ids": shown}
    assert not between({"starred": "1"}, shown[0], shown[2])
    for strange in ("ab", 5, None, [], [shown[0]], shown, {"a": 1, "b": 2}):
        with pytest.raises(StudioError, match="a list of two pictures") as caught:
            view.answer(own, {"do": "range", "ends": strange})
        assert caught.value.field == "ends"


def test_a_picture_is_given_whole_and_none_once_its_file_is_gone(own: History) -> None:
    (one, *_) = own.search().records
    given = view.answer(own, {"do": "picture", "id": one.id})["picture"]
    assert Path(given["file"]["path"]) == own.file(one)
    own.file(one).unlink()
    assert view.answer(own, {"do": "picture", "id": one.id})["picture"] is None


def test_emptying_the_bin_says_what_stays(own: History) -> None:
    ids = [record.id for record in own.search().records]
    view.answer(own, {"do": "delete", "ids": ids})
    view.answer(own, {"do": "mark", "ids": ids[:2], "said": {"starred": True}})
    answer = view.answer(own, {"do": "empty"})
    assert (answer["emptied"], answer["starred"]) == (1, 2)


def test_a_variation_is_known_where_pictures_are_compared(own: History, tmp_path: Path) -> None:
    ids = {record.id for record in own.search().records}
    sampler = {"seed": 9, "variation_seed": 4, "variation_strength": 0.2}
    varied = validate({"rows": [{"prompt": "a cat"}], "sampler": sampler})
    save_image(Image.new("RGB", (8, 8)), varied, tmp_path / "outputs")
    take_in(own)
    (other,) = {record.id for record in own.search().records} - ids
    one, two, _ = ids
    compared = view.compared(own, [one, two, other])["compared"]
    assert [picture["varied"] for picture in compared] == [False, False, True]


def test_what_is_asked_of_pictures_that_are_gone_is_refused(own: History) -> None:
    """As those of a shared page are once it was started anew; of several, the others go on."""
    one, gone = own.search().records[0].id, "0" * 16
    star = {"do": "mark", "said": {"starred": True}}
    for asked in (star, {"do": "delete"}):
        with pytest.raises(StudioError, match="this picture is not in the history any more"):
            view.answer(own, {**asked, "ids": [gone]})
    assert view.answer(own, {**star, "ids": [one, gone]})["lost"] == 1
    assert "lost" not in view.answer(own, {**star, "ids": [one], "said": {"starred": False}})
    answer = view.answer(own, {"do": "delete", "ids": [one, gone]})
    assert answer["lost"] == 1
    assert (answer["deleted"], answer["kept"]) == ([one], 0)  # none was kept: one is not there
