"""A preset as code: what was copied is run, and its pictures are the engine's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio import share
from studio.__main__ import main
from studio.engine import Engine
from studio.events import Done
from studio.home import PRESETS
from studio.integrations.code import as_command, as_python
from studio.library import Library
from studio.preset import Preset, validate
from studio.preset.fields import with_fields
from tests.support import REPOSITORY, tiny, tiny_sdxl

TWO = [{"prompt": "a cat", "weight": 4.0}, {"prompt": "fog", "weight": -1.5}]
NEGATIVE = [{"prompt": "a cat", "weight": 4.0}, {"prompt": "fog", "weight": -3.0}]
TIMED = [
    {"prompt": "a cat", "weight": 4.0, "curve": "cosine_down"},
    {"prompt": "a AND dog:0.5", "weight": 2.0, "range": [0.3, 0.8]},
]
PLAIN: dict[str, dict[str, Any]] = {
    "guidance": {"rows": TWO[:1]},
    "a negative prompt": {"rows": NEGATIVE},
    "rescaled": {"rows": NEGATIVE, "guidance_rescale": 0.7},
    "no guidance": {"rows": [{"prompt": "a cat", "weight": 1.0}]},
    "signed rows": {"rows": TWO},
    "rows in time": {"rows": TIMED, "decoupling": 0.5},
    "fresh noise": {"rows": TWO, "sampler": {"scheduler": "ddim", "eta": 0.6}},
    "ancestral": {"rows": TWO, "sampler": {"scheduler": "euler_a"}},
    "second order": {"rows": TWO, "sampler": {"scheduler": "heun", "schedule": "karras"}},
    "its own times": {"rows": TWO, "sampler": {"schedule": "align_your_steps", "steps": 5}},
    "clip skip": {"rows": TWO[:1], "clip_skip": 2},
    "clip skip, signed rows": {"rows": TWO, "clip_skip": 1},
    "several": {"rows": TWO, "sampler": {"count": 2, "width": 24}},
    "FreeU": {"rows": TWO[:1], "freeu": {"on": True}},
    "FreeU, signed rows": {"rows": TWO, "freeu": {"on": True, "b1": 1.2}},
}
WITH_XL = ("guidance", "rows in time", "clip skip", "clip skip, signed rows", "FreeU")
NEEDS_THE_STUDIO: dict[str, dict[str, Any]] = {
    "a LoRA": {"rows": [{"prompt": "a cat", "model": {"lora": "sd/style"}}]},
    "words of weight": {"rows": [{"prompt": "a (cat:1.3)"}]},
    "a large seed": {"rows": TWO, "sampler": {"seed": 2**40}},
    "a mask": {"rows": [{"prompt": "a cat", "mask": "assets/examples/mask-left.png"}]},
    "a refinement": {"rows": TWO, "apg": {"eta": 0.2}},
    "a picture": {"rows": TWO, "init": {"image": "assets/examples/cat.png"}},
    "the studio's solver": {"rows": TWO, "sampler": {"scheduler": "ipndm"}},
    "many words": {"rows": [{"prompt": "a " * 30}]},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "sd")
    tiny.lora(folder / "sd/style", pipe.unet)
    tiny_sdxl.pipeline(folder / "xl")
    return Library((folder,))


def preset_of(base: str, fields: dict[str, Any], name: str = "") -> Preset:
    sampler = {"steps": 3, "seed": 3, "width": 16, "height": 16, **fields.get("sampler", {})}
    return validate({"base": base, "name": name, **fields, "sampler": sampler})


def run(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """What the script leaves in an empty folder: pictures by name."""
    monkeypatch.chdir(folder)
    exec(compile(script, "copied.py", "exec"), {"__name__": "copied"})
    return {
        path.stem: np.asarray(Image.open(path)).astype(int) for path in sorted(folder.glob("*.png"))
    }


def engines(preset: Preset, library: Library) -> dict[str, np.ndarray]:
    engine = Engine(device="cpu", library=library, exact=True)
    events = engine.generate(preset)
    return {str(e.seed): np.asarray(e.image).astype(int) for e in events if isinstance(e, Done)}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("base", "name"),
    [*(("sd", name) for name in PLAIN), *(("xl", name) for name in WITH_XL)],
)
def test_a_plain_script_makes_the_pictures(
    name: str, base: str, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = preset_of(base, PLAIN[name], name='An "odd" \\ """name"""')
    script = as_python(preset, library)
    assert "studio" not in script.lower() and len(script.splitlines()) < 75
    assert ("guidance_scale" in script) == (
        name in ("guidance", "a negative prompt", "rescaled", "clip skip", "FreeU")
    )
    made, wanted = run(script, tmp_path, monkeypatch), engines(preset, library)
    assert made.keys() == wanted.keys()
    for seed, picture in wanted.items():
        # a sum over rows in float32 in another order: less than a step of 256
        assert np.abs(made[seed] - picture).max() <= 1 and np.mean(made[seed] != picture) < 0.01


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_shipped_preset_is_plain_with_its_autoencoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = with_fields(Preset.load(PRESETS / "01-plain-guidance.json"), [("sampler.steps", 3)])
    script = as_python(preset, Library())
    assert "studio" not in script.replace(str(REPOSITORY), "") and "AutoencoderKL" in script
    (made,), (wanted,) = (
        run(script, tmp_path, monkeypatch).values(),
        engines(preset, Library()).values(),
    )
    assert made.shape == wanted.shape == (256, 256, 3)
    assert np.abs(made - wanted).max() <= 1


def test_a_plain_script_says_that_it_leaves_no_pass_out(library: Library) -> None:
    exact = as_python(preset_of("sd", {"rows": TWO}), library)
    script = as_python(preset_of("sd", {"rows": TWO, "sampler": {"effort": "fast"}}), library)
    first, rest = script.split("\n", 1)
    assert rest == exact and first.startswith("# ") and "effort fast" in first


@pytest.mark.parametrize("name", NEEDS_THE_STUDIO)
def test_what_diffusers_alone_cannot_do_calls_the_studio(name: str, library: Library) -> None:
    script = as_python(preset_of("sd", NEEDS_THE_STUDIO[name]), library)
    assert "from studio import Engine" in script and "diffusers" not in script


def test_where_diffusers_pipeline_would_begin_a_step_late_the_studio_is_called() -> None:
    """On the starter's steep table Karras' first time steps round to one."""
    sampler = {"scheduler": "dpm++", "schedule": "karras", "steps": 20}
    script = as_python(preset_of("starter", {"rows": TWO, "sampler": sampler}), Library())
    assert "from studio import Engine" in script
    sampler["schedule"] = "automatic"
    script = as_python(preset_of("starter", {"rows": TWO, "sampler": sampler}), Library())
    assert "from studio import Engine" not in script


def test_a_script_of_the_studio_makes_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = preset_of("starter", {"rows": [{"prompt": "a cat", "mask": "left.png"}]})
    (tmp_path / "left.png").write_bytes((REPOSITORY / "assets/examples/mask-left.png").read_bytes())
    script = as_python(preset, Library(), [tmp_path])
    folder = tmp_path / "made"
    folder.mkdir()
    made = run(script, folder, monkeypatch)
    events = Engine(image_roots=[tmp_path]).generate(preset)
    wanted = [np.asarray(event.image) for event in events if isinstance(event, Done)]
    assert np.array_equal(made["3"], wanted[0])


def test_paths_of_this_machine_stay_here_where_they_must(library: Library) -> None:
    preset = preset_of("sd", PLAIN["guidance"])
    place = library["sd"].path
    assert place in as_python(preset, library)
    assert place not in as_python(preset, library, paths=False)


def test_a_copied_command_line_makes_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = preset_of("starter", {"rows": [{"prompt": 'it\'s $HOME `x` "y" \\n'}]})
    command = as_command(preset)
    # the shell hands over the preset as it is
    shell = subprocess.run(
        ["sh", "-c", command.replace("python -m studio generate - --out pictures", "cat")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(shell.stdout) == json.loads(preset.to_json())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", (tmp_path / "in").open("w+"))
    (tmp_path / "in").write_text(shell.stdout)
    words = command.partition(" <<")[0].split()
    assert main(words[3:]) == 0
    path = json.loads(capsys.readouterr().out)["path"]
    wanted = [e.image for e in Engine().generate(preset) if isinstance(e, Done)]
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(wanted[0]))
    assert share.read_image(path)[0] == preset


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.json"
    path.write_text(preset_of("starter", PLAIN["guidance"]).to_json())
    assert main(["code", str(path), "--set", "rows.0.weight=2.5"]) == 0
    assert "guidance_scale=2.5" in capsys.readouterr().out
    assert main(["code", str(path), "--shell"]) == 0
    assert capsys.readouterr().out.startswith("python -m studio generate -")
    assert main(["code", str(path), "--a1111"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("a cat\nSteps: 3, Sampler: DPM++ 2M, ") and said.err == ""
    assert main(["code", str(path), "--set", "rows.0.model=none/such/model"]) == 2
    assert "rows.0.model" in capsys.readouterr().err
