"""The command line: what it prints, and one line for everything that is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio import share
from studio.__main__ import main
from studio.preset import Preset, validate
from tests.support import REPOSITORY, tiny

SMALL = {"scheduler": "ddim", "steps": 2, "seed": 3, "width": 16, "height": 16}


def preset(**changes: Any) -> dict[str, Any]:
    rows = [{"prompt": "a cat", "weight": 3.0}, {"prompt": "blurry", "weight": -2.0}]
    return {"name": "Small", "base": "tiny", "rows": rows, "sampler": SMALL, **changes}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose library holds one tiny base, a ControlNet, and a base of another latent space."""
    folder = tmp_path_factory.mktemp("home")
    models = folder / "models"
    pipe = tiny.pipeline(models / "tiny")
    tiny.controlnet(models / "tiny" / "guide", pipe.unet, "tiny")
    tiny.pipeline(models / "other")
    config = models / "other" / "vae" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "scaling_factor": 0.25}))
    foreign = tiny.unet(seed=2)
    tiny.lora(models / "tiny" / "lora", foreign)
    return folder


@pytest.fixture
def studio(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a verb in this process: exit code, lines of stdout, lines of stderr."""
    monkeypatch.setenv("STUDIO_HOME", str(home))

    def run(*arguments: str) -> tuple[int, list[str], list[str]]:
        try:
            code = main(arguments)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        said = capsys.readouterr()
        return code, said.out.splitlines(), said.err.splitlines()

    return run


def write(path: Path, data: Any) -> str:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


def process(
    arguments: Sequence[str], home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "studio", *arguments],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "STUDIO_HOME": str(home), **environment},
        encoding="utf-8",
        check=False,
    )


def test_plan(studio: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset())
    code, lines, errors = studio("plan", path)
    assert (code, errors) == (0, [])
    # ε0 + 3(ε_cat − ε0) − 2(ε_blurry − ε0): the coefficient of ε0 is 1 − 3 + 2 = 0
    assert '3·tiny("a cat")' in lines[0]
    assert '2·tiny("blurry")' in lines[0]
    assert "∅" not in lines[0]
    code, lines, _ = studio("plan", path, "--json", "--set", "rows.1.weight=-1", "--set", "omega=0")
    data = json.loads("\n".join(lines))
    assert set(data) >= {"passes", "forwards_per_step", "forwards_total"}
    assert set(data["passes"][0]) >= {"model", "weights", "condition", "coefficients"}
    assert sorted(p["coefficients"] for p in data["passes"]) == [[-1, -1], [-1, -1], [3, 3]]
    assert (data["forwards_per_step"], data["forwards_total"]) == ([3, 3], 6)


def test_plan_loads_no_torch(home: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset())
    code = (
        "import sys; from studio.__main__ import main; code = main(sys.argv[1:]);"
        "sys.exit(code or any(m in sys.modules for m in ('torch', 'diffusers', 'gradio')))"
    )
    subprocess.run(
        [sys.executable, "-c", code, "plan", path],
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, "STUDIO_HOME": str(home)},
        capture_output=True,
    )


def test_models_and_schema(studio: Any, home: Path) -> None:
    code, lines, _ = studio("models")
    models = {entry["id"]: entry for entry in map(json.loads, lines)}
    assert code == 0
    assert models["tiny"]["kind"] == "base"
    assert models["tiny/lora"]["kind"] == "lora"
    assert models["tiny"]["bytes"] > 0
    assert Path(models["tiny"]["path"]).is_relative_to(home)
    code, lines, _ = studio("schema")
    assert set(json.loads("\n".join(lines))["properties"]) == set(Preset.model_fields)


def test_what_is_made_without_a_folder_is_in_the_history(studio: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset(name="By command"))
    for out in (
        (),
        ("--out", str(tmp_path / "elsewhere")),
        (),
    ):  # whose hash is known the last time
        assert studio("generate", path, *out)[::2] == (0, [])
    _, lines, _ = studio("history", "search", "--preset", "By command")
    _, lines, _ = studio("history", "show", *(json.loads(line)["id"] for line in lines))
    one, other = map(json.loads, lines)
    assert one["forwards"] == other["forwards"] == 4 and one["seconds"] > 0
    assert one["hashes"] == other["hashes"] and list(one["hashes"]) == ["tiny"]


def test_generate_then_inspect_then_again(studio: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset())
    out = tmp_path / "out"
    arguments = ("--out", str(out), "--count", "2", "--seed", "11", "--set", "rows.0.weight=2.5")
    code, lines, errors = studio("generate", path, *arguments)
    assert (code, errors) == (0, [])
    made = [json.loads(line) for line in lines]
    assert [(line["seed"], line["forwards"]) for line in made] == [(11, 6), (12, 6)]
    assert all(line["seconds"] > 0 for line in made)
    code, lines, _ = studio("inspect", made[1]["path"])
    carried = validate(json.loads("\n".join(lines)))
    assert (carried.sampler.seed, carried.sampler.count) == (12, 1)
    assert carried.rows[0].weight == 2.5
    code, lines, _ = studio("generate", made[1]["path"], "--out", str(out))
    again = json.loads(lines[0])["path"]
    assert again != made[1]["path"]
    assert Image.open(again).tobytes() == Image.open(made[1]["path"]).tobytes()


def test_generate_says_what_an_effort_saved(studio: Any, tmp_path: Path) -> None:
    path, out = write(tmp_path / "p.json", preset()), str(tmp_path / "out")
    changes = ("--set", "sampler.steps=8", "--set", "sampler.effort=0.9")
    code, lines, errors = studio("generate", path, "--out", out, *changes)
    assert code == 0 and errors == [
        "note: effort 0.9: these are the most passes that it takes; what a row changes is run again "
        "only where it would matter"
    ]
    made = json.loads(lines[0])
    assert made["saved"] > 0 and made["forwards"] + made["saved"] == 16
    assert made["estimated_error"] > 0
    assert share.read_image(made["path"])[0].sampler.effort == 0.9
    code, lines, _ = studio("plan", path, "--json", *changes)
    assert json.loads("\n".join(lines))["forwards_total"] == 16  # the most that it can be


def test_generate_tells_each_rows_part(studio: Any, tmp_path: Path) -> None:
    rows = [
        {"prompt": "a cat", "weight": 3.0},
        {"prompt": "", "weight": 1.0, "range": [0.5, 1.0]},
        {"prompt": "b", "weight": 2.0, "curve": "linear_up"},
    ]
    path = write(tmp_path / "p.json", preset(rows=rows))
    code, lines, errors = studio("generate", path, "--out", str(tmp_path / "out"), "--json")
    assert (code, errors) == (0, [])
    told = json.loads(lines[0])
    assert {row["row"]: [n is None for n in row["norm"]] for row in told["rows"]} == {
        0: [False, False],
        1: [True, True],  # ε_0 against itself
        2: [True, False],
    }
    assert all(-1 <= c <= 1 for row in told["rows"] for c in row["cosine"] if c is not None)
    assert told["drift"] == []


def test_generate_from_a_picture(studio: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset())
    for name, colour in (("start.png", "red"), ("mask.png", "white")):
        Image.new("RGB", (16, 16), colour).save(tmp_path / name)
    changes = [
        "init.image=start.png",
        "init.mask=mask.png",
        "init.strength=0.5",
        "rows.0.mask=mask.png",
        "guidance_rescale=0.7",
        "apg.eta=0",
        "cfgpp=true",
    ]
    arguments = [part for change in changes for part in ("--set", change)]
    code, lines, errors = studio("generate", path, *arguments, "--out", str(tmp_path / "out"))
    assert code == 0
    (note,) = errors
    assert note.startswith("note: CFG++ is meant for weights from 0 to 1, and these sum to 3")
    made = json.loads(lines[0])
    assert made["forwards"] == 3
    carried, _ = share.read_image(made["path"])
    assert carried.init is not None and carried.init.image.startswith("inputs/")
    assert carried.rows[0].mask == carried.init.mask != ""
    code, lines, _ = studio("generate", made["path"], "--out", str(tmp_path / "out"))
    assert Image.open(json.loads(lines[0])["path"]).tobytes() == Image.open(made["path"]).tobytes()


def test_generate_for_each_picture_of_a_folder(studio: Any, tmp_path: Path) -> None:
    """As the page does with many pictures at once: by name, each where the field says."""
    path, folder, out = write(tmp_path / "p.json", preset()), tmp_path / "many", tmp_path / "out"
    folder.mkdir()
    for name, colour in (("a10.png", "red"), ("A2.JPG", "blue")):
        Image.new("RGB", (16, 16), colour).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    arguments = ("generate", path, "--each", str(folder), "--out", str(out))
    code, lines, _ = studio(*arguments, "--set", "sampler.steps=4")
    made = [json.loads(line) for line in lines]
    assert code == 0 and [one["from"] for one in made] == ["A2.JPG", "a10.png"]
    starts = [share.read_image(one["path"])[0].init for one in made]
    assert starts[0] and starts[1] and starts[0].image != starts[1].image
    code, _, errors = studio(*arguments, "--each-at", "rows.0.weight")
    assert code == 2 and "rows.0.weight: is no field that holds a picture" in errors[-1]
    (folder / "c.png").write_text("damaged")
    code, lines, errors = studio(*arguments)
    assert code == 2 and not lines and "c.png" in errors[-1]  # before any is made
    code, _, errors = studio("generate", path, "--each", str(out / "none"), "--out", str(out))
    assert code == 2 and "--each" in errors[-1]


def test_a_control_image_beside_the_preset(studio: Any, tmp_path: Path) -> None:
    control = {"type": "map", "image": "pictures/own.png"}
    path = write(tmp_path / "p.json", preset(rows=[{"prompt": "a", "control": control}]))
    out = str(tmp_path / "out")
    code, lines, errors = studio("generate", path, "--out", out)
    assert (code, lines) == (2, [])
    assert errors[0].startswith("rows.0.control.image: ")
    assert not Path(out).exists()
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (16, 16), "white").save(tmp_path / "pictures" / "own.png")
    code, lines, errors = studio("generate", path, "--out", out)
    assert (code, errors) == (0, [])
    carried, _ = share.read_image(json.loads(lines[0])["path"])
    assert carried.rows[0].control is not None
    assert carried.rows[0].control.image.startswith("inputs/")


def test_sweep(studio: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset(sampler={**SMALL, "count": 4, "seed": -1}))
    axes = ("--x", "rows.0.weight=1,3,-2", "--y", 'rows.1.prompt=["dark, wet","red"]')
    code, lines, errors = studio("sweep", path, *axes, "--out", str(tmp_path / "out"))
    assert (code, errors) == (0, [])
    grid, report = Path(lines[0]), json.loads(Path(lines[1]).read_text(encoding="utf-8"))
    assert report["grid"] == grid.name
    assert report["x"] == {"field": "rows.0.weight", "values": [1, 3, -2]}
    assert [(cell["x"], cell["y"]) for cell in report["cells"]] == [
        (x, y) for y in ("dark, wet", "red") for x in (1, 3, -2)
    ]
    assert len({cell["seed"] for cell in report["cells"]}) == 1
    for cell in report["cells"]:
        carried, _ = share.read_image(grid.parent / cell["path"])
        assert (carried.rows[0].weight, carried.rows[1].prompt) == (cell["x"], cell["y"])
    picture = Image.open(grid)
    assert picture.width > 3 * 16
    assert picture.height > 2 * 16
    assert len(list(grid.parent.iterdir())) == 6 + 3  # pictures; grid, table and JSON


def test_inspect_says_what_is_lost(studio: Any, tmp_path: Path) -> None:
    info = "cat <lora:ink:1>\nSteps: 5, Sampler: Restart, CFG scale: 2, Seed: 1, Model: elsewhere"
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_text("parameters", info)
    Image.new("RGB", (16, 16)).save(tmp_path / "theirs.png", pnginfo=chunks)
    code, lines, _ = studio("inspect", str(tmp_path / "theirs.png"))
    end = lines.index("}")
    assert code == 0
    assert validate(json.loads("\n".join(lines[: end + 1]))).sampler.steps == 5
    notes = "\n".join(lines[end + 1 :])
    for words in ("ink", "Restart", "elsewhere"):
        assert words in notes


def test_set_keeps_text_and_takes_json(studio: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset())
    changes = ["rows.0.prompt=7", "name=x=y", 'rows.1.reference={"prompt": "z"}', "base=tiny"]
    code, lines, _ = studio("plan", path, *(part for c in changes for part in ("--set", c)))
    assert code == 0
    assert 'tiny("7")' in "".join(lines)
    assert 'tiny("z")' in "".join(lines)
