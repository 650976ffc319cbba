"""The history: what is taken in is found, what is said of it outlives the database."""

from __future__ import annotations

import gc
import json
import sqlite3
import threading
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import MissingFile, StudioError
from studio.history import History, Query, intake
from studio.history.intake import take_in
from studio.history.query import ON_NO_BOARD
from studio.preset import ModelRef, Preset, Row, Sampler
from studio.share import save_image

PROMPTS = ("a cat on the moon", "a dog; naïve", "猫が好き", "a catalogue of moons")


def preset(prompt: str, seed: int = 1, **more: object) -> Preset:
    row = Row(prompt=prompt, weight=5.0)
    return Preset(name=prompt[:20], rows=(row,), sampler=Sampler(seed=seed), **more)  # type: ignore[arg-type]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    image = Image.new("RGB", (24, 16), "red")
    for seed, prompt in enumerate(PROMPTS):
        save_image(image, preset(prompt, seed), tmp_path / "outputs")
    return tmp_path / "outputs"


def prompts(history: History, query: Query | None = None) -> set[str]:
    return {record.prompts for record in history.search(query).records}


def by_prompt(history: History) -> dict[str, str]:
    return {record.prompts: record.id for record in history.search().records}


def test_pictures_are_taken_in_once_with_what_their_files_say(history: History) -> None:
    found = history.search()
    assert found.total == 4
    assert {(r.prompts, r.seed) for r in found.records} == set(zip(PROMPTS, range(4), strict=True))
    assert {(r.width, r.height, r.base) for r in found.records} == {(24, 16, "starter")}
    times = [r.made for r in found.records]
    assert times == sorted(times, reverse=True)
    assert take_in(history) == 0


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("cat", {0, 3}),
        ("MOON cat", {0, 3}),
        ("cat cata", {3}),
        ("naive", {1}),
        ("好き", {2}),
        ("cat 好き", set()),
        ('"', set()),
        ("cat OR dog", {0, 1, 3}),
        ("cat or dog", set()),
        ("cat NEAR(", set()),
        ("100%", set()),
        ("starter", {0, 1, 2, 3}),
    ],
)
def test_search_takes_words_as_they_are_typed(history: History, text: str, hit: set[int]) -> None:
    assert prompts(history, Query(text=text)) == {PROMPTS[index] for index in hit}


def test_no_word_of_a_long_search_is_dropped(history: History) -> None:
    known = next(text for text in PROMPTS if text.isascii()).split()
    many = (known * 100)[:99]
    assert prompts(history, Query(text=" ".join(many)))
    assert not prompts(history, Query(text=" ".join([*many, "absent"])))
    with pytest.raises(StudioError, match="at most 100 words, got 101") as caught:
        prompts(history, Query(text=" ".join([*many, "one", "two"])))
    assert caught.value.field == "search"


def test_filters_hold_together(history: History, outputs: Path) -> None:
    lora = Row(prompt="a hero", model=ModelRef.model_validate({"lora": "starter/lora-hero"}))
    save_image(Image.new("RGB", (8, 8)), Preset(rows=(lora,)), outputs)
    take_in(history)
    ids = by_prompt(history)
    history.mark([ids[PROMPTS[0]], ids["a hero"]], starred=True, board="moons", tags=["x", "y"])
    assert prompts(history, Query(lora=True)) == {"a hero"}
    assert prompts(history, Query(model="starter/lora-hero")) == {"a hero"}
    assert prompts(history, Query(size="24x16", starred=True)) == {PROMPTS[0]}
    assert prompts(history, Query(tag="y", board="moons")) == {PROMPTS[0], "a hero"}
    assert prompts(history, Query(since="2020-01-01", until="2020-01-02")) == set()
    assert len(prompts(history, Query(since="2020-01-01"))) == 5
    assert dict(history.names("tags")) == {"x": 2, "y": 2}
    assert dict(history.names("boards")) == {"moons": 2}
    assert len(prompts(history, Query(board=ON_NO_BOARD))) == 3
    history.mark([ids["a hero"]], more_tags=["-x", " \u2212 gone", "z"])
    assert prompts(history, Query(tag="x")) == {PROMPTS[0]}
    assert set(history.get(ids["a hero"]).tags) == {"y", "z"}
    assert dict(history.names("sizes")) == {"24x16": 4, "8x8": 1}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (Query(sort="made; DROP TABLE pictures"), "sort"),
        (Query(since="yesterday"), "since"),
        (Query(until="2026-02-31"), "until"),
        (Query(size="large"), "size"),
    ],
)
def test_a_query_that_is_none_is_refused_by_field(
    history: History, query: Query, field: str
) -> None:
    with pytest.raises(StudioError) as caught:
        history.search(query)
    assert caught.value.field == field


def test_sorted_by_score_best_first(history: History) -> None:
    ids = by_prompt(history)
    for prompt, score in ((PROMPTS[1], 0.2), (PROMPTS[2], 0.9)):
        history.mark([ids[prompt]], scores={"clip-t": score})
    order = [r.prompts for r in history.search(Query(sort="score:clip-t")).records]
    assert order[:2] == [PROMPTS[2], PROMPTS[1]]
    seeds = [r.seed for r in history.search(Query(sort="seed")).records]
    assert seeds == [0, 1, 2, 3]


def test_a_damaged_database_is_put_aside_and_made_anew(
    history: History, tmp_path: Path, outputs: Path
) -> None:
    ids = by_prompt(history)
    history.mark([ids[PROMPTS[0]]], starred=True, note="the best", tags=["moon"])
    gone = history.delete([ids[PROMPTS[1]]])
    history.close()
    database = tmp_path / "studio.db"
    for name in ("studio.db-wal", "studio.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    database.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    again = History(tmp_path, outputs)
    assert "made anew" in again.notice and list(tmp_path.glob("studio.db.damaged-*"))
    take_in(again)
    record = again.get(ids[PROMPTS[0]])
    assert (record.starred, record.note, record.tags) == (True, "the best", ("moon",))
    assert prompts(again) == {*PROMPTS} - {PROMPTS[1]}
    assert prompts(again, Query(text="best")) == {PROMPTS[0]}
    assert again.restore(gone) == gone
    assert prompts(again) == {*PROMPTS}
    again.close()


def test_a_journal_that_a_crash_cut_loses_its_last_line_only(
    history: History, tmp_path: Path, outputs: Path
) -> None:
    ids = by_prompt(history)
    history.mark([ids[PROMPTS[0]]], note="kept")
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"id": "' + ids[PROMPTS[1]] + '", "set": {"no')
    history.mark([ids[PROMPTS[2]]], note="after")
    history.close()
    (tmp_path / "studio.db").unlink()
    again = History(tmp_path, outputs)
    take_in(again)
    notes = {r.prompts: r.note for r in again.search().records}
    assert notes == {PROMPTS[0]: "kept", PROMPTS[1]: "", PROMPTS[2]: "after", PROMPTS[3]: ""}
    again.close()


def test_deleting_is_undone_and_spares_starred_pictures(history: History, outputs: Path) -> None:
    ids = by_prompt(history)
    history.mark([ids[PROMPTS[0]]], starred=True)
    before = {path.name: path.read_bytes() for path in outputs.iterdir()}
    gone = history.delete(ids.values())
    assert len(gone) == 3 and ids[PROMPTS[0]] not in gone
    assert len(list(outputs.iterdir())) == 1
    assert history.search(Query(bin=True)).total == 3 and take_in(history) == 0
    assert history.search().total == 1
    assert set(history.restore(gone)) == set(gone)
    assert {path.name: path.read_bytes() for path in outputs.iterdir()} == before
    history.delete([ids[PROMPTS[1]]])
    assert history.empty_bin() == 1 and history.search(Query(bin=True)).total == 0
    with pytest.raises(MissingFile):
        history.get(ids[PROMPTS[1]])


def test_a_starred_picture_stays_in_the_bin_when_that_is_emptied(history: History) -> None:
    ids = by_prompt(history)
    history.delete(ids.values())
    kept = ids[PROMPTS[2]]
    history.mark([kept], starred=True)
    assert history.empty_bin() == 3 and history.ids(Query(bin=True)) == [kept]
    assert history.file(history.get(kept)).is_file() and history.restore([kept]) == [kept]


def test_which_of_some_pictures_a_search_finds(history: History) -> None:
    ids = by_prompt(history)
    some = [ids[PROMPTS[0]], ids[PROMPTS[1]], "0" * 16]
    assert history.among(some) == set(some[:2])
    assert history.among(some, Query(text="cat")) == {some[0]}
    history.delete([some[0]])
    assert history.among(some, Query(text="cat")) == set() and history.among(some) == set(some[:2])
    assert history.among([]) == set()


def test_a_picture_in_its_place_is_not_overwritten(history: History, outputs: Path) -> None:
    (one, *_) = history.search().records
    history.delete([one.id])
    (outputs / one.path).write_bytes(b"another")
    with pytest.raises(StudioError, match="another picture"):
        history.restore([one.id])
    assert (outputs / one.path).read_bytes() == b"another"


def test_a_file_taken_away_is_not_shown_and_comes_back_with_its_star(
    history: History, outputs: Path, tmp_path: Path
) -> None:
    (one, *_) = history.search().records
    history.mark([one.id], starred=True)
    (outputs / one.path).rename(tmp_path / "elsewhere.png")
    take_in(history)
    assert history.search().total == 3
    (tmp_path / "elsewhere.png").rename(outputs / one.path)
    take_in(history)
    assert history.search(Query(starred=True)).records[0].id == one.id


def test_odd_files_take_nothing_down(history: History, outputs: Path) -> None:
    (outputs / "note.png").write_bytes(b"no picture")
    Image.new("RGB", (4, 4)).save(outputs / "bare.png")
    (outputs / b"\xff.png".decode("utf-8", "surrogateescape")).write_bytes(b"x")
    assert take_in(history) == 2
    problems = {r.path: r.problem for r in history.search().records if r.problem}
    assert set(problems) == {"note.png", "bare.png"}
    assert "no preset" in problems["bare.png"]


def test_writers_in_threads_and_another_process_lose_nothing(
    history: History, tmp_path: Path, outputs: Path
) -> None:
    other = History(tmp_path, outputs)
    ids = list(by_prompt(history).values())
    workers = [
        threading.Thread(
            target=lambda h=h, one=one: [h.mark([one], note=str(n)) for n in range(20)]
        )
        for h, one in zip((history, history, other, other), ids, strict=True)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {r.note for r in history.search().records} == {"19"}
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert len(lines) == 80 and all(json.loads(line)["set"] for line in lines)
    other.close()


def test_a_history_in_memory_keeps_nothing(tmp_path: Path, outputs: Path) -> None:
    history = History(None, outputs)
    take_in(history)
    history.mark([record.id for record in history.search().records], starred=True)
    assert history.search(Query(starred=True)).total == 4
    assert not list(tmp_path.glob("studio.db*")) and not (tmp_path / "history.jsonl").exists()
    history.close()


def test_a_later_versions_database_is_not_touched(tmp_path: Path, outputs: Path) -> None:
    history = History(tmp_path, outputs)
    history.close()
    with sqlite3.connect(tmp_path / "studio.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    again = History(tmp_path, outputs)
    kept = list(tmp_path.glob("studio.db.damaged-*"))
    assert again.notice and len(kept) >= 1
    again.close()


def test_a_history_that_is_gone_keeps_no_other_from_taking_in(tmp_path: Path) -> None:
    """Another one may be given its place in memory."""
    save_image(Image.new("RGB", (8, 8)), preset("a cat"), tmp_path)
    gc.collect()
    known = len(intake._running), len(intake._ended)
    history = History(None, tmp_path)
    assert intake.begin(history) == 0
    assert intake.wait(history)
    assert 0 < intake.begin(history) <= intake.PAUSE_SECONDS  # who asks so soon is told when to
    assert history.search().total == 1
    history.close()
    del history
    gc.collect()
    assert (len(intake._running), len(intake._ended)) == known
