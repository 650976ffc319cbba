"""Evaluations: prompts and seeds in, pictures kept, results compared; and one line for bad input."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from studio.__main__ import main
from studio.errors import BadPreset, StudioError
from studio.experiments.evaluate import read_prompts, read_seeds, with_prompt
from studio.preset import validate
from studio.share import save_image
from tests.support.studio_page import needs_starter

PRESET = {
    "rows": [{"model": "starter/faces", "weight": 1.0}, {"prompt": "a cat face", "weight": 3.0}],
    "sampler": {"steps": 1, "width": 64, "height": 64},
}


def test_prompts_and_seeds_are_read(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("# a note\na {subject} in flat style\n\n a moon \n", encoding="utf-8-sig")
    assert read_prompts(path, "hero person") == ["a hero person in flat style", "a moon"]
    with pytest.raises(StudioError, match=r"--subject: prompts\.txt asks for a subject"):
        read_prompts(path)
    path.write_text("# nothing\n")
    with pytest.raises(StudioError, match=r"--prompts: prompts\.txt holds no prompt"):
        read_prompts(path)
    assert read_seeds("1,4,7-9,4") == [1, 4, 7, 8, 9]
    for bad in ("", "a", "3-1", "0-99999999999", "-2"):
        with pytest.raises(StudioError, match="--seeds"):
            read_seeds(bad)


def test_a_prompt_goes_where_it_is_asked_for() -> None:
    assert [r.prompt for r in with_prompt(validate(PRESET), "a moon").rows] == ["", "a moon"]
    marked = validate({"rows": [{"prompt": "x"}, {"prompt": "{prompt} AND in flat style"}]})
    assert [r.prompt for r in with_prompt(marked, "a moon").rows] == [
        "x",
        "a moon AND in flat style",
    ]
    with pytest.raises(BadPreset, match=r"rows: no row holds a prompt; write \{prompt\}"):
        with_prompt(validate({"rows": [{"model": "starter/faces"}]}), "a moon")


@needs_starter
def test_an_evaluation_goes_on_where_it_was_and_is_compared(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset, prompts = tmp_path / "preset.json", tmp_path / "prompts.txt"
    preset.write_text(json.dumps(PRESET))
    prompts.write_text("a moon in flat style on a red background\na cat face in noto style\n")
    out = tmp_path / "a"
    asked = ["evaluate", str(preset), "--prompts", str(prompts), "--seeds", "0-1"]
    assert main([*asked, "--out", str(out)]) == 0
    results = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert results["pictures"] == 4 and results["metrics"]["clip-t"]["n"] == 4
    assert results["metrics"]["judge-content"]["n"] == 4
    assert results == json.loads((out / "results.json").read_text())
    with (out / "pictures.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["seed"] for line in lines] == ["0", "1", "0", "1"]
    mean = sum(float(line["clip-t"]) for line in lines) / 4
    assert mean == pytest.approx(results["metrics"]["clip-t"]["mean"])
    assert "a moon in flat style" in (out / "report.html").read_text()

    pictures = sorted((out / "pictures").iterdir())
    kept = pictures[0].stat().st_mtime_ns
    pictures[3].unlink()
    assert main([*asked, "--out", str(out)]) == 0  # only what is missing is made
    printed = capsys.readouterr()
    assert "picture 4 of 4" in printed.err and "picture 1 of" not in printed.err
    assert pictures[0].stat().st_mtime_ns == kept and pictures[3].exists()

    other = tmp_path / "b"
    assert main([*asked, "--out", str(other), "--set", "rows.1.weight=1.0"]) == 0
    assert main([*asked, "--out", str(out), "--set", "rows.1.weight=1.0"]) == 2
    assert "--out: " in capsys.readouterr().err
    both = [str(folder / "results.json") for folder in (out, other)]
    assert main(["evaluate", "compare", *both]) == 0
    difference = json.loads(capsys.readouterr().out)["difference"]
    assert difference["clip-t"]["n"] == 4
    assert main(["evaluate", "compare", *both, both[0]]) == 0
    several = json.loads(capsys.readouterr().out)
    assert several["first"] == both[0] and several["differences"][both[1]] == difference
    assert several["differences"][both[0]]["clip-t"]["mean"] == 0


@needs_starter
def test_a_folder_with_a_damaged_picture_is_scored_without_it(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(3):
        Image.new("RGB", (64, 64), (i * 80, 20, 20)).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG not really")
    assert main(["evaluate", "--images", str(tmp_path), "--reference", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    results = json.loads(printed.out)
    assert results["pictures"] == 3 and "broken.png" in printed.err
    assert results["metrics"]["clip-i"]["n"] == 3


@needs_starter
def test_folders_are_compared_picture_by_picture(
    tmp_path: Path,
    studio_home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pictures without a preset pair by name: all of them, although they share a prompt."""
    monkeypatch.chdir(tmp_path)
    prompts, clips = tmp_path / "prompts.txt", {}
    prompts.write_text("a red moon\n" * 3)
    for folder, green in (("one pics", 0), ("two", 160)):
        (tmp_path / folder).mkdir()
        for i in range(3):
            Image.new("RGB", (64, 64), (60 * i, green, 20)).save(tmp_path / folder / f"{i}.png")
        asked = ["evaluate", "--images", folder, "--prompts", "prompts.txt", "--out", f"{folder}-r"]
        assert main([*asked, "--metrics", "clip-t"]) == 0
        with (tmp_path / f"{folder}-r" / "pictures.csv").open() as file:
            lines = list(csv.DictReader(file))
        clips[folder] = [float(line["clip-t"]) for line in lines]
        assert all((tmp_path / f"{folder}-r" / line["picture"]).is_file() for line in lines)
    report = (tmp_path / "one pics-r" / "report.html").read_text()
    assert "src='../one%20pics/0.png'" in report and "seed" not in report
    capsys.readouterr()
    both = ["one pics-r/results.json", "two-r/results.json"]
    assert main(["evaluate", "compare", *both]) == 0
    found = json.loads(capsys.readouterr().out)["difference"]["clip-t"]
    each = [b - a for a, b in zip(clips["one pics"], clips["two"], strict=True)]
    assert found["n"] == 3 and found["mean"] == pytest.approx(sum(each) / 3)

    table = tmp_path / "two-r" / "pictures.csv"
    table.write_text(table.read_text() + "sub/1.png,a red moon,,0.5\n")
    assert main(["evaluate", "compare", *both]) == 2
    assert "holds two pictures of 'a red moon' and 1.png" in capsys.readouterr().err


@needs_starter
def test_pictures_that_carry_presets_pair_by_their_seeds(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("a", "b"):
        for seed in (3, 4):
            preset = validate({"rows": [{"prompt": "a moon"}], "sampler": {"seed": seed}})
            picture = Image.new("RGB", (64, 64), (60 * seed, ord(folder), 0))
            save_image(picture, preset, tmp_path / folder)
        out = ["--out", str(tmp_path / f"{folder}-r"), "--metrics", "clip-t"]
        assert main(["evaluate", "--images", str(tmp_path / folder), *out]) == 0
    capsys.readouterr()
    both = [str(tmp_path / f"{folder}-r" / "results.json") for folder in "ab"]
    assert main(["evaluate", "compare", *both]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["difference"]["clip-t"]["n"] == 2 and not said.err

    result = Path(both[1])
    scored = json.loads(result.read_text())
    scored["settings"]["cut_out"] = "background"
    result.write_text(json.dumps(scored))
    assert main(["evaluate", "compare", *both]) == 0
    said = capsys.readouterr()
    assert f"note: {both[1]} was scored otherwise: cut_out none and background" in said.err
    for damaged in ("", "[1, 2]", '{"settings": 3}'):
        result.write_text(damaged)
        assert main(["evaluate", "compare", *both]) == 2
        err = capsys.readouterr().err
        assert f"{both[1]}: is no result of evaluate" in err and err.count("\n") == 1


@needs_starter
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--metrics", "vision-i", "--vision", "some/dino"], "'some/dino' is not here"),
        (["--metrics", "lpips"], "lpips: needs references"),
        (["--metrics", "nothing"], "--metrics: "),
        (["--reference", "nowhere"], "--reference: nowhere is no folder"),
        (["--cut-out", "masks:nowhere"], "--cut-out: 'nowhere' is no folder of masks"),
    ],
)
def test_what_a_score_lacks_is_said_before_a_picture_is_made(
    given: list[str],
    said: str,
    tmp_path: Path,
    studio_home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    preset, prompts = tmp_path / "preset.json", tmp_path / "prompts.txt"
    preset.write_text(json.dumps(PRESET))
    prompts.write_text("a moon\n")
    Image.new("RGB", (64, 64)).save(tmp_path / "reference.png")
    if "vision-i" in given:
        given = [*given, "--reference", str(tmp_path)]
    asked = ["evaluate", str(preset), "--prompts", str(prompts), "--out", str(tmp_path / "out")]
    assert main([*asked, *given]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert not (tmp_path / "out" / "pictures").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "evaluate: give a preset, or --images DIR"),
        (["p.json"], "--prompts: is needed with a preset"),
        (["--images", "nowhere"], "--images: nowhere is no folder"),
        (["compare", "a.json"], "compare takes two results"),
        (["compare", "a.json", "b.json"], "a.json: is no result of evaluate"),
    ],
)
def test_bad_input_is_one_line(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *given]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
