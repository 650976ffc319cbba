"""``app.py`` as a Hugging Face Space starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import free_port, wait_until_served
from tests.support.waiting import until

pytest.importorskip("gradio")

import gradio as gr

from studio.errors import StudioError
from studio.preset import Preset
from studio.ui import space
from studio.ui.form import paths, to_preset
from studio.ui.layout import bounded, lay_out
from studio.ui.schema import leaves


def config(address: str, process: subprocess.Popen[bytes]) -> dict[str, object]:
    wait_until_served(address, process, 280)
    with urllib.request.urlopen(f"{address}/config", timeout=60) as answer:
        return json.loads(answer.read())


@pytest.mark.timeout(400)
def test_app_starts_as_a_space(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "SPACE_ID": "someone/studio",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "STUDIO_HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = config(f"http://127.0.0.1:{port}", process)
        components = told["components"]
        assert str(REPOSITORY) not in json.dumps(told), "it says where it lies"
        assert str(tmp_path) not in json.dumps(told)
        assert list(tmp_path.glob("guidance-studio-*"))
    finally:
        process.terminate()
        process.wait(60)
    assert not list(tmp_path.glob("guidance-studio-*")), "what visitors made stays behind"
    by_label = {part["props"].get("label"): part["props"] for part in components}  # type: ignore[attr-defined]
    assert f'"high": {space.SPACE.steps}' in by_label["Steps"]["js_on_load"]
    assert space.SPACE.steps == 50 and '"high": 4' in by_label["Images"]["js_on_load"]
    assert '"max_rows": 12' in by_label["Guidance rows"]["js_on_load"]
    assert not (tmp_path / "home").exists(), "a Space writes only below a temporary folder"


def test_without_zerogpu_the_decorator_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)

    def work() -> int:
        return 1

    assert space.gpu(duration=lambda: 1)(work) is work


def test_the_time_asked_of_a_gpu_grows_with_the_plan_and_is_bounded() -> None:
    asked = [space.seconds_on_gpu(forwards, 1) for forwards in (0, 100, 10**9)]
    assert asked == sorted(asked) and asked[-1] <= 240


def test_what_visitors_made_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, day = time.time(), space.KEPT_SECONDS
    made = {}
    for name, age in (("new", 0), ("young", day / 2), ("old", day + 60)):
        path = tmp_path / "visitor/2026/11/29" / f"{name}.png"  # as deep as names may lead
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
        os.utime(path, (now - age, now - age))
        made[name] = path
    assert space.expire(now, [tmp_path]) == 1 and not made["old"].exists()
    monkeypatch.setattr(space, "KEPT_BYTES", 150)
    assert space.expire(now, [tmp_path]) == 1 and not made["young"].exists()
    assert made["new"].exists() and space.expire(now, [tmp_path]) == 0


def test_a_shared_page_lets_old_pictures_go_after_a_run(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.preset import Preset
    from studio.ui.runs import Runs
    from tests.support.fake_engine import FakeEngine

    old = studio_home / "outputs/somebody/old.png"
    for limits in (space.Limits(), space.SPACE):
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_bytes(b"x")
        os.utime(old, (1.0, 1.0))
        runs = Runs(FakeEngine(), limits)
        run = runs.submit(runs.session("s"), Preset())
        until(lambda run=run: not run.active())
        if limits.shared:
            until(lambda: not old.exists())
        assert old.exists() is not limits.shared


@pytest.mark.parametrize("name", ["steps", "width", "height", "count"])
def test_a_number_is_refused_by_the_bound_that_its_field_states(name: str) -> None:
    """Also one that is too large for any page: the schema's bound is not this page's."""
    field = bounded(leaves(), space.SPACE)[name]
    allowed, path = field["high"], paths()[name]
    said = rf"^{path}: at most {allowed} on this page, got"
    assert allowed < leaves()[name]["high"]
    for given in (leaves()[name]["high"] + 1, 1e9):
        with pytest.raises(StudioError, match=said):
            to_preset({name: given}, space.SPACE)
    with pytest.raises(StudioError, match=said):
        space.SPACE.check(to_preset({name: allowed + 1}, space.SPACE))
    space.SPACE.check(to_preset({name: allowed}, space.SPACE))


def test_a_start_s_fields_have_the_page_s_bounds() -> None:
    found = {}
    for limits in (space.SPACE, space.Limits()):
        with gr.Blocks():
            parts = lay_out(Preset(), limits)
        script = parts.form["init"].js_on_load
        found[limits.loops] = json.loads(script[script.index('{"leaves"') : script.rindex("}") + 1])
    for most, given in found.items():
        assert given["leaves"]["loops"]["high"] == most and given["leaves"]["feather"]["high"] == 64
    assert sorted(found) == [4, 32]
