"""Ctrl+C on the command line: what is finished stays."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.__main__ import main
from studio.cli import generate
from studio.events import Done, Event, FirstPass, Progress
from studio.preset import Preset, SecondPass
from studio.share import read_any
from tests.support import tiny


class Interrupted:
    """Makes as many pictures of two passes as it is asked for, and is stopped in one of their passes."""

    def __init__(self, image: int, in_second: bool) -> None:
        self.image, self.in_second = image, in_second

    def generate(self, preset: Preset, *_: object) -> Iterator[Event]:
        for index in range(preset.sampler.count):
            seed = preset.sampler.seed + index
            once = preset.with_seed(seed).model_copy(update={"second_pass": SecondPass()})
            yield Progress(1, 4, 1.0, 3.0, 2)
            stopped = index == self.image
            if stopped and not self.in_second:
                raise KeyboardInterrupt
            first = Done(Image.new("RGB", (32, 32), "gray"), seed, once, 4)
            yield FirstPass(first)
            yield Progress(3, 4, 3.0, 1.0, 6)
            if stopped:
                raise KeyboardInterrupt
            yield replace(first, image=Image.new("RGB", (64, 64)), preset=preset.with_seed(seed))


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """What a shell begins in the background ignores the signal, as a suite there may."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _asked(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, engine: Interrupted) -> str:
    tiny.pipeline(home / "models" / "tiny")
    path = folder / "p.json"
    asked = {"base": "tiny", "rows": [{"prompt": "a cat"}], "second_pass": {"scale": 2}}
    path.write_text(json.dumps({**asked, "sampler": {"seed": 3, "count": 3}}))
    monkeypatch.setattr(generate, "make_engine", lambda _: engine)
    return str(path)


@pytest.mark.parametrize(("in_second", "sizes"), [(True, [64, 32]), (False, [64])])
def test_a_finished_first_pass_is_kept(
    in_second: bool,
    sizes: list[int],
    studio_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = _asked(studio_home, tmp_path, monkeypatch, Interrupted(1, in_second))
    assert main(["generate", path, "--out", str(tmp_path / "out")]) == 130
    out, err = capsys.readouterr()
    made = [Path(json.loads(line)["path"]) for line in out.splitlines()]
    assert [Image.open(one).width for one in made] == sizes
    assert ("the first pass is kept" in err) is in_second
    if in_second:  # it makes that picture, and no larger one
        preset, _ = read_any(made[1])
        assert preset.sampler.seed == 4 and not preset.second_pass.on


def test_a_picture_that_is_being_saved_is_saved_whole(
    studio_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = _asked(studio_home, tmp_path, monkeypatch, Interrupted(9, in_second=False))
    save = generate.save_or_keep

    def pressed_meanwhile(*given: Any) -> tuple[Path, str]:
        signal.raise_signal(signal.SIGINT)
        return save(*given)

    monkeypatch.setattr(generate, "save_or_keep", pressed_meanwhile)
    before = signal.getsignal(signal.SIGINT)
    assert main(["generate", path, "--out", str(tmp_path / "out")]) == 130
    assert signal.getsignal(signal.SIGINT) is before
    (line,) = capsys.readouterr().out.splitlines()
    assert Image.open(json.loads(line)["path"]).width == 64  # of its second pass
