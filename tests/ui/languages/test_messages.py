"""The message files: complete, of one form, and holding what the scripts and the tables say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from starlette.applications import Starlette
from starlette.testclient import TestClient

from studio.errors import StudioError
from studio.experiments.tune.points import Point
from studio.languages import ENGLISH, Language, languages
from studio.library.download import look_up
from studio.metrics import present
from studio.named_folders import keep
from studio.plan.notes import IDLE
from studio.preset import Preset
from studio.preset.fields import with_fields
from studio.preset.preprocessors import PREPROCESSORS
from studio.preset.saved import list_presets
from studio.preset.sweep import parse_axis
from studio.settings import SETTINGS
from studio.share.gallery.sources import source_of
from studio.share.tools.samplers import read_sampler
from studio.train.data import Looked, usable
from studio.ui import messages, schema, tour
from studio.ui.beside import Beside
from studio.ui.errors import on_page
from studio.ui.idle import BELOW_ZERO, CANCELLED, IDLE_REASONS
from studio.ui.library.models import KINDS
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.static_files import STATIC
from studio.ui.sweep.tab import swept
from studio.ui.tradeoff.subject import Subject, subject_of
from studio.ui.tradeoff.tuner import State, Tuner
from studio.ui.train.actions import ACTIONS
from tests.support.fake_engine import FakeEngine
from tests.support.script_texts import HOLE, texts

OTHERS = [one for tag, one in languages().items() if tag != ENGLISH]
PLACE = re.compile(r"\{(\w+)\}")
# Of the scripts' literals: what is read with more behind it, what draws, what nobody reads.
UNREAD = (
    "Take out of the queue",
    f"M{HOLE} {HOLE}V{HOLE}",
    f"M{HOLE} {HOLE}H{HOLE}",
    "input, textarea, select",
    f"the answers broke off ({HOLE})",  # for the console
)

FILE_NAMES = ("[nobody]", "a:b", "../a", "a/b/c/d/e", "a/", "a" * 201)  # that cannot be


def test_there_is_german_and_a_language_from_right_to_left() -> None:
    assert next(iter(languages())) == ENGLISH
    assert languages()["de"].name == "Deutsch"
    assert {one.direction for one in OTHERS} == {"ltr", "rtl"}


def test_every_language_has_the_same_messages(language: Language) -> None:
    first = dict(OTHERS[0].messages)
    assert not dict(language.messages).keys() ^ first.keys()


def test_what_stands_for_values_is_the_same_in_every_language(language: Language) -> None:
    def places(text: str) -> Counter[str]:
        return Counter(PLACE.findall(text))

    assert not [text for text, said in language.messages if places(text) != places(said)]


def test_marks_are_the_same_in_every_language(language: Language) -> None:
    def code(text: str) -> list[str]:
        return sorted(re.findall(r"`[^`]+`", text))

    assert not [text for text, said in language.messages if code(text) != code(said)]


def test_no_message_is_left_in_english_by_mistake(language: Language) -> None:
    assert not [text for text, said in language.messages if not said.strip()]
    alike = {text for text, said in language.messages if said == text}
    assert alike == set(language.same)


def test_messages_are_written_as_the_page_compares_them(language: Language) -> None:
    assert not [text for text, _ in language.messages if text != " ".join(text.split())]


def shape(message: str) -> str:
    """A message as a pattern; a hole of a script stands for any value."""
    parts = PLACE.split(message)
    return "".join(
        re.escape(part) if at % 2 == 0 else "(.+?)" if len(part) > 1 else f"([{HOLE}0-9.,−-]+)"
        for at, part in enumerate(parts)
    )


def holds(language: Language, text: str) -> bool:
    """Whether the messages hold a text, as a whole or each of its sentences."""
    known = dict(language.messages)
    shapes = [shape(message) for message in known if PLACE.search(message)]

    def whole(part: str) -> bool:
        bare = part.replace(HOLE, "").strip()
        if part in known or not re.search(r"[A-Za-z]", bare):
            return True
        if any(re.fullmatch(one, part) for one in shapes):
            return True
        filled = re.escape(part).replace(re.escape(HOLE), ".*")  # such as "row" or "rows"
        fits = re.fullmatch if part[0].isupper() else re.search  # a piece of a message
        return any(fits(filled, message) for message in known)

    return whole(text) or all(map(whole, re.split(r"(?<=[.!?…]) | · |: ", text)))


def test_what_the_scripts_say_is_a_message(language: Language) -> None:
    found = list(texts())
    assert len(found) > 250
    gaps = {text: name for name, text in found if text not in UNREAD and not holds(language, text)}
    assert not gaps, "\n".join(map(repr, gaps.items()))


def said() -> Iterator[str]:
    """What tables of the studio say on the page, whether it is in sight at once or not."""
    for setting in SETTINGS.values():
        yield from (setting.title, setting.help, setting.group, *setting.choices)
    for leaf in (*schema.leaves().values(), *schema.row_leaves().values()):
        if leaf["kind"] != "structured":
            yield from (leaf["title"], leaf["help"], *(one[1] for one in leaf.get("choices", ())))
    for leaf in swept().values():
        yield from (leaf["title"], leaf.get("note", ""))
    for step in tour.STEPS:
        yield from (step.title, step.text, step.button)
    for one in PREPROCESSORS.values():
        yield from (one.title, one.help)
    for preset in list_presets():
        if preset.shipped:
            assert preset.preset
            yield from (preset.name, " ".join(preset.preset.description.split()))
    yield from (
        tour.END,
        *KINDS.values(),
        *IDLE_REASONS.values(),
        BELOW_ZERO,
        CANCELLED,
        *(one[1] for one in ACTIONS),
    )


def test_what_tables_say_is_a_message(language: Language) -> None:
    known = dict(language.messages)
    named = languages().keys()
    gaps = [text for text in said() if text and text not in known and text not in named]
    assert not gaps


def test_what_covers_a_canvas_is_not_called_as_what_takes_every_row(language: Language) -> None:
    """Over the masks of all rows, "All" reads as all of these."""
    painter = re.findall(r'word\("(\w+)"', (STATIC / "paint.js").read_text(encoding="utf-8"))
    known = dict(language.messages)
    assert {"Everything", "None", "Invert"} <= set(painter)
    assert known["All"] not in {known[one] for one in painter}


def _said(ask: Callable[[], object]) -> str:
    with pytest.raises(StudioError) as caught:
        ask()
    return caught.value.message


def _fits(message: str, line: str) -> bool:
    """Whether a message with {places} says the line; one letter stands for a number."""
    parts = PLACE.split(message)
    shape = "".join(
        (r"[\d.,]+" if len(part) == 1 else ".+?") if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    return re.fullmatch(shape, line) is not None


def test_what_wrong_inputs_are_answered_with_is_a_message(
    language: Language, studio_home: Path
) -> None:
    notes: list[str] = []
    read_sampler("Whatever 3000", "", notes)
    lines = [
        _said(lambda: parse_axis("omega=1:0:0.1", "sweep")),
        _said(lambda: with_fields(Preset(), [("rows.1.prompt", "a")])),
        *(_said(partial(look_up, name)) for name in ("no slash", "a/b/c", "civitai.com/x")),
        *(_said(partial(keep, [name])) for name in ("/no/such/folder", "a/b")),
        *(_said(partial(source_of, name)) for name in ("", "a/b", "hub:a", "https://a:b@c/d")),
        _said(lambda: subject_of(Preset())),
        *(_said(partial(SETTINGS["file_names"].checked, name)) for name in FILE_NAMES),
        *(note.partition(": ")[2] for note in notes),
        f"{IDLE}.",
    ]
    known = dict(language.messages)
    assert not [line for line in lines if not any(_fits(message, line) for message in known)]


@pytest.mark.parametrize("wrong", ["holds no style that is new", "holds no rows"])
def test_a_field_and_what_is_wrong_with_it_are_no_message_together(
    language: Language, wrong: str
) -> None:
    """A message that fits both at once, as of a model without a part, would win over the right one."""
    known = dict(language.messages)
    assert wrong in known
    assert not [message for message in known if _fits(message, f"styles.csv: {wrong}")]


@pytest.mark.parametrize("stopped", [0, 1])
@pytest.mark.parametrize(("points", "begun"), [(0, 1), (0, 3), (1, 0), (1, 2), (4, 0), (4, 1)])
def test_what_a_search_has_found_is_a_message(
    language: Language, points: int, begun: int, stopped: int
) -> None:
    tuner = Tuner(Runs(FakeEngine(), Limits()))
    found = [Point({}, (Path("a.png"),) * 4, stopped=n < stopped) for n in range(points)]
    tuner.state = State("done", points=found, begun=begun)
    known = dict(language.messages)
    lines = re.split(r"(?<=\.) ", tuner._said())
    assert not [line for line in lines if not any(_fits(message, line) for message in known)]


def test_the_fields_that_a_search_is_refused_by_are_messages(language: Language) -> None:
    """The page reads the line in two: what it is about, and what is wrong with it."""
    tuner = Tuner(Runs(FakeEngine(), Limits()))
    mine = Subject(0, "mine")
    lines = [
        _refusal(lambda: tuner.start(Preset(), mine, 12, weight=False)),
        _refusal(lambda: tuner.start(Preset(), replace(mine, pictures=(Path(),)), 3, weight=False)),
        _refusal(lambda: subject_of(Preset())),
        _refusal(lambda: present.clip_for("some/sd15")),
    ]
    tuner.state.state = "running"
    lines.append(_refusal(lambda: tuner.start(Preset(), mine, 12, weight=False)))
    known = dict(language.messages)
    for line in lines:
        field, _, wrong = line.partition(": ")
        assert field in known or field == "clip", line  # a name
        assert any(_fits(message, wrong) for message in known), line
    assert known["pictures of the subject"]


def _refusal(ask: Callable[[], object]) -> str:
    with pytest.raises(StudioError) as caught:
        ask()
    return on_page(str(caught.value))


def test_what_training_says_of_its_pictures_is_a_message(language: Language) -> None:
    path = Path("a.png")
    looked = [Looked(path, "CMYK", squeezed="9x900", small="9x900"), Looked(path, problem="empty")]
    _, notes = usable(looked)
    assert len(notes) == 5
    known = dict(language.messages)
    assert not [note for note in notes if not any(_fits(message, note) for message in known)]


def test_a_language_is_fetched_from_beside_the_page_and_english_is_not() -> None:
    offered = messages.offered()
    assert offered[ENGLISH]["file"] == ""
    client = TestClient(Beside(Starlette(), files=(messages.files(),)))
    for one in OTHERS:
        answer = client.get(f"/under/a/path/{offered[one.tag]['file']}")
        assert answer.json() == {"messages": dict(one.messages), "counted": dict(one.counted)}
        assert "immutable" in answer.headers["cache-control"]
        assert one.version in offered[one.tag]["file"]
    assert client.get("/studio-messages-xx.json").status_code == 404


def test_the_browser_own_questions_are_asked_in_the_page_language() -> None:
    asked = re.compile(r"window\.(?:prompt|confirm)\(\s*(?!studio\.say\()\S+")
    scripts = STATIC.rglob("*.js")
    assert not [
        f"{path.name}: {found[0]}"
        for path in scripts
        for found in asked.finditer(path.read_text(encoding="utf-8"))
    ]
