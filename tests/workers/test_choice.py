"""What ``--workers`` takes, and that what it does not is one line before anything is made."""

from __future__ import annotations

import pytest

from studio.__main__ import main
from studio.errors import StudioError
from studio.workers.choice import Choice, read_workers


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("local", Choice()),
        ("1", Choice(1)),
        ("64", Choice(64)),
        ("ray", Choice(ray=True)),
        ("ray://gpu-1.lan:10001", Choice(ray=True, address="gpu-1.lan:10001")),
        ("ray://[fe80::1]:10001", Choice(ray=True, address="[fe80::1]:10001")),
    ],
)
def test_what_can_be_asked_for(text: str, choice: Choice) -> None:
    assert read_workers(text) == choice
    assert choice.here == (text == "local")


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "-1", "65", "2.5", "٣", "9" * 50, "3://x", "Local"),
        *("ray:", "ray://", "ray://x", "ray://x:", "ray://x:0", "ray://x:65536"),
        *("ray://x:10001/y", "ray://a b:1", "http://x:1"),
    ],
)
def test_what_cannot_names_the_option(text: str) -> None:
    with pytest.raises(StudioError, match=r"^--workers: got .*; local, a number of processes"):
        read_workers(text)


@pytest.mark.parametrize(
    "verb",
    [
        ["sweep", "a.json", "--x", "omega=0,1", "--out", "out"],
        ["evaluate", "a.json", "--prompts", "p.txt", "--out", "out"],
        ["tune", "a.json", "--over", "omega=0:1", "--for", "clip-t", "--out", "out"],
        ["experiment", "pg_omega", "--quick"],
    ],
)
def test_every_verb_of_many_pictures_takes_it(
    verb: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb, "--workers", "3://x"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("--workers: got '3://x'; ") and err.count("\n") == 1
