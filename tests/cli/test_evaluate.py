"""The verb evaluate: what it refuses rather than drops or writes over, and what its help says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.__main__ import main
from studio.experiments.default_scores import CASES, in_words
from studio.experiments.evaluate import default_metrics
from studio.metrics import METRICS, Metric, Scored
from studio.metrics.intervals import FEWEST


@pytest.fixture(autouse=True)
def brightness() -> Iterator[None]:
    def each(scored: Scored) -> np.ndarray:
        return np.array([np.asarray(Image.open(path)).mean() for path in scored.images])

    for name in ("bright", "light", "shine"):
        METRICS.register(name, Metric(name, "higher", "", (), "", "", each=each))
    whole = Metric("spread", "higher", "", (), "", "", whole=lambda scored: lambda rows: 1.0)
    METRICS.register("spread", whole)
    yield
    for name in ("bright", "light", "shine", "spread"):
        METRICS.remove(name)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    """Two folders of four pictures of the same names."""
    for folder, green in (("one", 0), ("two", 160)):
        (tmp_path / folder).mkdir()
        for i in range(4):
            Image.new("RGB", (8, 8), (60 * i, green, 20)).save(tmp_path / folder / f"{i}.png")
    return str(tmp_path / "one"), str(tmp_path / "two")


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["evaluate", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_results_of_other_pictures_are_not_written_over(
    folders: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one, two = folders
    out, prompts = tmp_path / "out", tmp_path / "prompts.txt"
    prompts.write_text("a moon\n" * 4)
    to = ["--metrics", "bright", "--out", str(out)]
    assert _run(capsys, "--images", one, *to)[0] == 0
    assert _run(capsys, "--images", f"{one}/../one", *to)[0] == 0  # the same folder: anew
    before = {path: path.read_bytes() for path in out.rglob("*")}
    for other in (["--images", two], ["--images", one, "--prompts", str(prompts)]):
        code, said, err = _run(capsys, *other, *to)
        assert code == 2 and not said and err.count("\n") == 1
        assert err.startswith(f"--out: {out} holds the scores of other pictures or other prompts")
        assert {path: path.read_bytes() for path in out.rglob("*")} == before

    (
        out / "settings.json"
    ).unlink()  # an earlier studio kept the folder's name alone, as it was typed
    monkeypatch.chdir(tmp_path)
    results = json.loads((out / "results.json").read_text())
    results["settings"]["images"] = "one"
    (out / "results.json").write_text(json.dumps(results))
    assert _run(capsys, "--images", two, *to)[0] == 2
    assert _run(capsys, "--images", one, *to)[0] == 0
    for damaged in ("", "[1]", "{}"):
        (out / "settings.json").write_text(damaged)
        assert _run(capsys, "--images", one, *to)[0] == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--seeds", "3"], "--seeds: goes nowhere with --images"),
        (["--seeds", ""], "--seeds: goes nowhere with --images"),
        (["--set", "omega=1"], "--set: goes nowhere with --images"),
        (["--style", "flat"], "--style: goes nowhere with --images"),
        (["--workers", "2"], "--workers: goes nowhere with --images"),
        (["--jobs", "2"], "--workers: goes nowhere with --images"),
        (["--subject", "hero"], "--subject: without --prompts 'hero' goes nowhere"),
    ],
)
def test_what_goes_nowhere_with_pictures_is_refused(
    given: list[str],
    said: str,
    folders: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    asked = ["--images", folders[0], "--metrics", "bright", "--out", str(out)]
    code, printed, err = _run(capsys, *asked, *given)
    assert code == 2 and not printed and said in err and err.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize("given", [["--metrics", "bright"], ["--out", "x"], ["--images", "."]])
def test_what_goes_nowhere_with_compare_is_refused(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = _run(capsys, "compare", "a.json", "b.json", *given)
    assert code == 2 and err.startswith(f"{given[0]}: goes nowhere with compare")


def test_a_comparison_names_the_scores_that_it_leaves_out(
    folders: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = []
    for folder, names in zip(folders, ("bright,light,spread", "bright,shine,spread"), strict=True):
        out = tmp_path / f"{Path(folder).name}-r"
        results.append(str(out / "results.json"))
        asked = ["--images", folder, "--metrics", names, "--out", str(out)]
        assert _run(capsys, *asked)[0] == 0
    code, said, err = _run(capsys, "compare", *results)
    assert code == 0 and list(json.loads(said)["difference"]) == ["bright"]
    assert err == (
        f"note: not compared: light (only in {results[0]}); shine (only in {results[1]}); "
        "spread (of whole sets, which have no pairs)\n"
    )
    assert _run(capsys, "compare", results[0], results[0])[2].count("\n") == 1  # spread alone


def test_the_help_says_what_is_scored_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    text = " ".join(capsys.readouterr().out.replace("-\n", "-").split())
    assert f"default: {in_words()} --out" in text
    scored = Scored([Path("a.png")] * 4, ["a"] * 4, references=[Path("b.png")])
    for name in default_metrics(scored, starter=True):
        assert name in in_words() and name in METRICS
    assert "vendi" not in in_words() and f"{FEWEST} pictures" in CASES["several"]
    alone = default_metrics(Scored([Path("a.png")] * FEWEST), starter=True)
    assert alone == ["diversity"]
