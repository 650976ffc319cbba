"""The Models tab tells what this process has loaded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("gradio")

from studio.auxiliary import auxiliary
from studio.engine import Engine  # noqa: E402
from studio.library import Library  # noqa: E402
from studio.preset import validate  # noqa: E402
from studio.ui import host  # noqa: E402
from studio.ui.library import (
    models,  # noqa: E402
    residence,  # noqa: E402
)
from studio.ui.page import build  # noqa: E402
from studio.ui.space import SPACE, Limits  # noqa: E402
from tests.support import tiny  # noqa: E402

PRESET = validate({"base": "base", "sampler": {"steps": 1, "seed": 1}})


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    tiny.pipeline(tmp_path / "base")
    made = Engine(device="cpu", library=Library((tmp_path,)))
    monkeypatch.setattr(host, "_engine", made)
    monkeypatch.setattr(models, "library", lambda: Library((tmp_path,)))
    monkeypatch.setattr(host, "library", lambda: Library((tmp_path,)))
    return made


def test_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_engine", None)
    assert residence.NOTHING in residence.table()


def test_each_part_with_its_place_and_bytes(engine: Engine) -> None:
    run = host.stream(PRESET)
    for _ in range(3):
        next(run)
    shown = residence.table()
    parts = {(part["kind"], part["id"]): part for part in engine.describe()}
    assert parts.keys() == {("unet", "base"), ("text", "base"), ("vae", "base")}
    for part in parts.values():
        assert f"on cpu · in use · {models.megabytes(part['bytes'])}" in shown
    assert f"Loaded now · {engine.registry.total() / 1e6:.1f} MB" in shown
    run.close()
    assert "in use" not in residence.table()


def test_what_nothing_holds_is_let_go(engine: Engine) -> None:
    run = host.stream(PRESET)
    for _ in range(3):
        next(run)
    assert "in use" in residence.freed(), "a run keeps what it holds"
    assert len(list(run)) > 0 and engine.describe()
    assert residence.NOTHING in residence.freed() and engine.registry.total() == 0
    assert list(host.stream(PRESET))[-1].preset.base == "base", (
        "the next picture reads its models again"
    )


def test_there_is_nothing_to_let_go_before_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_engine", None)
    assert residence.NOTHING in residence.freed()


def test_ids_are_escaped_and_what_waits_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    part = {
        "kind": "unet",
        "id": "<b>x</b>",
        "bytes": 5_000_000,
        "device": "cpu",
        "pinned": False,
        "waiting": True,
    }
    registry = SimpleNamespace(total=lambda: 0)
    fake = SimpleNamespace(describe=lambda: [part], registry=registry)
    monkeypatch.setattr(host, "_engine", fake)
    shown = residence.table()
    assert "<b>" not in shown and "&lt;b&gt;x&lt;/b&gt;" in shown
    assert "waiting in memory · 5.0 MB" in shown


def test_a_model_found_later_can_be_used_at_once(engine: Engine, tmp_path: Path) -> None:
    list(host.stream(PRESET))
    tiny.pipeline(tmp_path / "later", seed=1)
    events = list(host.stream(PRESET.model_copy(update={"base": "later"})))
    assert events[-1].preset.base == "later"


def test_networks_beside_the_engines_are_let_go_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_engine", None)
    read: list[str] = []

    @auxiliary(2)
    def network(name: str) -> str:
        read.append(name)
        return name

    assert [network(name) for name in ("judge", "judge", "finder", "judge")][-1] == "judge"
    assert read == ["judge", "finder"]
    residence.freed()
    assert network("judge") == "judge" and read == ["judge", "finder", "judge"]


@pytest.mark.parametrize(("limits", "there"), [(Limits(), True), (SPACE, False)])
def test_a_shared_page_does_not_tell(limits: Limits, there: bool) -> None:
    parts = build(limits).config["components"]
    for name in ("gs-loaded", "gs-free"):
        one = next(c for c in parts if c["props"].get("elem_id") == name)
        assert one["props"]["visible"] is there


def test_a_part_for_a_model_is_named_in_no_language(monkeypatch: pytest.MonkeyPatch) -> None:
    part = {"kind": "vae", "id": "fine for base", "device": "cpu", "waiting": False}
    monkeypatch.setattr(host, "loaded", lambda: [{**part, "pinned": False, "bytes": 1}])
    assert "<code>fine → base</code>" in residence.table()
