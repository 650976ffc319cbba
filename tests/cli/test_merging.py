"""``models merge``: a model of one's own from the library's, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.__main__ import main
from studio.home import models_folder
from studio.library.merging import Baked, baked
from tests.support import tiny


@pytest.fixture(autouse=True)
def _home(studio_home: Path) -> None:
    pipe = tiny.pipeline(models_folder() / "a", 0)
    tiny.pipeline(models_folder() / "b", 1)
    tiny.lora(models_folder() / "loras/ink", pipe.unet)


def test_it_ends_with_the_new_models_id(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["models", "merge", "mix", "a", "b", "--multiplier", "0.3", "--lora", "loras/ink:0.8"]
    assert main([*given, "--dry-run"]) == 0
    dry = json.loads(capsys.readouterr().out)
    assert dry["formula"] == "a·(1 − 0.3) + b·0.3 + 0.8·loras/ink"
    assert not (models_folder() / "mix").exists()
    assert main(given) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["id"] == "mix" and "% merging unet" in err
    assert main(["models"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert next(one for one in listed if one["id"] == "mix")["description"].startswith("Merged: a·")


def test_a_presets_omega_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "preset.json"
    rows = [{"prompt": "a cat", "weight": 4, "model": {"lora": "loras/ink", "strength": 0.5}}]
    file.write_text(json.dumps({"base": "a", "rows": rows, "omega": 0.4}))
    assert main(["models", "merge", "kept", "--omega-of", str(file)]) == 0
    assert "with these rows · row 1 with loras/ink:0.3" in capsys.readouterr().err
    card = json.loads((models_folder() / "kept/card.json").read_text())
    assert card["merged"]["loras"][0]["strength"] == pytest.approx(0.2)
    assert main(["models", "merge", "other", "a", "--omega-of", str(file)]) == 2
    assert "--omega-of: names the models and strengths itself" in capsys.readouterr().err
    assert main(["models", "merge", "other", "--omega-of", str(file), "--multiplier", "0.1"]) == 2
    assert "leave out A, --lora, --method and --multiplier" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["mix", "a"], "B: choose a second model, or a LoRA to bake in"),
        (["mix", "a", "b", "--lora", "ink:x"], "loras: 'ink:x': a name and its strength, such as"),
        (
            ["mix", "a", "--lora", "loras/ink:0.5", "--multiplier", "0.1"],
            "--multiplier: is of models; LoRAs have their own, NAME:0.8",
        ),
        (["a", "a", "b"], "name: a is there already; choose another name"),
    ],
)
def test_a_mistake_is_one_line(
    given: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "merge", *given]) == 2
    out, err = capsys.readouterr()
    assert not out and says in err and err.count("\n") == 1


def test_a_lora_is_written_with_its_strengths() -> None:
    assert baked("loras/ink") == Baked("loras/ink", 1.0)
    assert baked(" loras/ink:-0.5 ") == Baked("loras/ink", -0.5)
    assert baked("loras/ink:0,8:0,2") == baked("loras/ink:0.8:0.2")
    assert baked("loras/ink:0.8:0.2") == Baked("loras/ink", 0.8, 0.2)
    assert baked("loras/ink:0.8:0.2@B") == Baked("loras/ink", 0.8, 0.2, "B")
    for text in ("loras/ink:0.8", "loras/ink:0.8:0.2", "loras/ink:-0.5@B"):
        assert str(baked(text)) == text
