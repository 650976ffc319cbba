"""Bad input on the command line: one line that names the field or file, exit code 2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.__main__ import main
from tests.cli.test_verbs import home, preset, process, studio, write

__all__ = ["home", "studio"]  # the fixtures

GENERATE = ("generate", "PRESET", "--out", "OUT")
PLAN = ("plan", "PRESET")


def rows(**fields: Any) -> dict[str, Any]:
    return preset(rows=[{"prompt": "a"}, {"prompt": "b", **fields}])


def control(image: str) -> dict[str, Any]:
    return rows(control={"type": "map", "image": image})


BAD: list[tuple[str, tuple[str, ...], Any, str]] = [
    ("unknown field", PLAN, preset(colour=1), "colour: unknown field"),
    ("wrong type", PLAN, rows(weight="3"), "rows.1.weight: "),
    ("nan", PLAN, '{"rows": [{"weight": NaN}]}', "rows.0.weight: "),
    ("infinity", PLAN, '{"rows": [{"weight": Infinity}]}', "rows.0.weight: "),
    ("not json", PLAN, "{nonsense", "p.json: is not JSON"),
    ("unknown model", PLAN, rows(model="nowhere"), "rows.1.model: "),
    ("unknown base", GENERATE, preset(base="nowhere"), "base: "),
    ("outside the library", GENERATE, rows(model="../../etc/passwd"), "rows.1.model: "),
    ("another latent space", PLAN, rows(model="other"), "rows.1.model: "),
    ("missing image", GENERATE, control("inputs/none.png"), "rows.1.control.image: "),
    ("image outside", GENERATE, control("/etc/passwd"), "rows.1.control.image: "),
    ("image by address", GENERATE, control("http://a.b/c.png"), "rows.1.control.image: "),
    ("damaged image", GENERATE, control("data:image/png;base64,AAAA"), "rows.1.control.image: "),
    ("missing mask", GENERATE, rows(mask="inputs/none.png"), "rows.1.mask: "),
    ("missing start", (*GENERATE, "--set", "init.image=none.png"), preset(), "init.image: "),
    (
        "damaged start",
        (*GENERATE, "--set", "init.image=data:image/png;base64,AA"),
        preset(),
        "init.image: ",
    ),
    (
        "no strength",
        (*PLAN, "--set", 'init={"image":"x","strength":0.1}'),
        preset(),
        "init.strength: ",
    ),
    ("set: no such part", (*PLAN, "--set", "init.picture=a"), preset(), "init."),
    ("set: deep into nothing", (*PLAN, "--set", "init.image.x=a"), preset(), "init.image: "),
    (
        "cfg++",
        (*PLAN, "--set", "cfgpp=true", "--set", "sampler.scheduler=unipc"),
        preset(),
        "cfgpp: ",
    ),
    ("curve", PLAN, rows(curve="steep"), "rows.1.curve: "),
    ("set: no such row", (*PLAN, "--set", "rows.7.weight=1"), preset(), "rows.7.weight: "),
    ("set: no such field", (*PLAN, "--set", "rows.0.wait=1"), preset(), "rows.0.wait: "),
    ("set: through a value", (*PLAN, "--set", "omega.x=1"), preset(), "omega.x: "),
    ("set: into nothing", (*PLAN, "--set", "rows.0.control.image=a"), preset(), "rows.0.control."),
    ("set: no value", (*PLAN, "--set", "omega"), preset(), "--set: "),
    ("set: nan", (*PLAN, "--set", "omega=NaN"), preset(), "omega: "),
    ("set: text", (*PLAN, "--set", "omega=much"), preset(), "omega: "),
    ("seed", (*GENERATE, "--seed", "-5"), preset(), "sampler.seed: "),
    ("count", (*GENERATE, "--count", "0"), preset(), "sampler.count: "),
    ("sweep: field", ("sweep", *GENERATE[1:], "--x", "fog=1,2"), preset(), "fog: "),
    ("sweep: value", ("sweep", *GENERATE[1:], "--x", "omega=0,2"), preset(), "omega: "),
    ("sweep: list", ("sweep", *GENERATE[1:], "--x", "omega=[0,"), preset(), "--x: "),
    ("sweep: size", ("sweep", *GENERATE[1:], "--x", "omega=0" + ",1" * 2500), preset(), "sweep: "),
    ("no verb", (), preset(), "python -m studio: "),
    ("unknown verb", ("paint",), preset(), "python -m studio: "),
    ("out is a file", ("generate", "PRESET", "--out", "PRESET"), preset(), "--out: "),
    ("no such preset", ("plan", "none.json"), preset(), "none.json: "),
    ("a folder", ("plan", "."), preset(), ".: "),
    ("inspect: text", ("inspect", "PRESET"), preset(), "p.json: is not a PNG"),
]


def filled(arguments: tuple[str, ...], path: str, folder: Path) -> list[str]:
    places = {"PRESET": path, "OUT": str(folder / "out")}
    return [places.get(part, part) for part in arguments]


def check(code: int, out: list[str], errors: list[str], start: str) -> None:
    assert code == 2
    assert out == []
    assert len(errors) == 1
    assert errors[0].startswith(start)


@pytest.mark.parametrize(
    ("arguments", "data", "start"), [b[1:] for b in BAD], ids=[b[0] for b in BAD]
)
def test_one_line(
    studio: Any, tmp_path: Path, arguments: tuple[str, ...], data: Any, start: str
) -> None:
    code, out, errors = studio(*filled(arguments, write(tmp_path / "p.json", data), tmp_path))
    check(code, out, errors, start)


@pytest.mark.parametrize("name", ["wrong type", "unknown base", "no verb", "set: no such row"])
def test_one_line_from_a_process(home: Path, tmp_path: Path, name: str) -> None:
    arguments, data, start = next(bad[1:] for bad in BAD if bad[0] == name)
    found = process(filled(arguments, write(tmp_path / "p.json", data), tmp_path), home)
    check(found.returncode, found.stdout.splitlines(), found.stderr.splitlines(), start)


def test_what_only_the_engine_finds(studio: Any, tmp_path: Path) -> None:
    size = {"width": 17, "height": 16, "steps": 2}
    path = write(tmp_path / "p.json", preset(sampler=size))
    check(*studio("generate", path, "--out", str(tmp_path / "out")), "sampler.width: ")


def test_what_only_the_engine_finds_in_a_process_of_its_own(home: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    key = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    lora = {f"{key}.lora_A.weight": torch.ones(2, 640), f"{key}.lora_B.weight": torch.ones(640, 2)}
    folder = home / "models" / "misfit"
    folder.mkdir(exist_ok=True)
    save_file(lora, folder / "pytorch_lora_weights.safetensors")
    rows = [{"prompt": "a", "model": {"lora": "misfit"}}]
    path = write(tmp_path / "p.json", preset(rows=rows))
    found = process(["generate", path, "--out", str(tmp_path / "out")], home)
    check(found.returncode, found.stdout.splitlines(), found.stderr.splitlines(), "rows.0.model: ")


def test_files(studio: Any, tmp_path: Path) -> None:
    cut = tmp_path / "cut.png"
    Image.effect_noise((64, 64), 50).save(cut)
    cut.write_bytes(cut.read_bytes()[:-400])
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(50 * 2**20)
    for verb, path in (("inspect", cut), ("plan", cut), ("plan", large), ("inspect", large)):
        check(*studio(verb, str(path)), start=f"{path.name}: ")


def test_the_next_run_works(studio: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset())
    code, _, errors = studio("generate", path, "--out", str(tmp_path / "out"), "--set", "omega=9")
    assert (code, len(errors)) == (2, 1)
    code, lines, errors = studio("generate", path, "--out", str(tmp_path / "out"))
    assert (code, errors) == (0, [])
    assert Path(json.loads(lines[0])["path"]).is_file()


def test_zero_rows_are_legal(studio: Any, tmp_path: Path) -> None:
    code, lines, _ = studio("plan", write(tmp_path / "p.json", preset(rows=[])), "--json")
    assert code == 0
    assert json.loads(lines[0])["forwards_total"] == 2


def test_a_closed_pipe_is_no_error(home: Path) -> None:
    found = process(["schema"], home)
    assert found.returncode == 0
    assert json.loads(found.stdout)["title"] == "Preset"


def test_output_on_a_plain_terminal(home: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", preset())
    found = process(["plan", path], home, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
    assert found.returncode == 0
    assert "ε̂" in found.stdout


def test_prompts_give_a_terminal_no_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape sequences, and the C1 characters that some terminals take for them."""
    evil = "a\x1b]0;owned\x07\x9b31m\u202eb"
    path = tmp_path / "evil.json"
    path.write_text(json.dumps({"rows": [{"prompt": evil}], "sampler": {"steps": 2}}))
    assert main(["plan", str(path)]) == 0 and main(["plan", str(path), "--json"]) == 0
    odd = tmp_path / "odd.json"
    odd.write_text(json.dumps({"base": evil, "rows": [{"prompt": "a", evil: 1}]}))
    assert main(["plan", str(odd)]) == 2
    told = "".join(capsys.readouterr())
    assert not set("\x1b\x07\x9b") & set(told)
    assert "owned" in told
