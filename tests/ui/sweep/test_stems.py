"""Which sweeps are one and the same: used cells, drawn seeds, earlier studios, the form and the verb."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from studio.experiments.sweeping import begin, stem_of
from studio.home import PRESETS
from studio.preset import Preset, validate
from studio.preset.fields import with_fields
from studio.preset.sweep import cells, parse_axis
from studio.ui.form import to_preset, to_values
from studio.ui.sweep.asked import here, three

PRESET = validate({"rows": [{"prompt": "a", "weight": 3.0}], "sampler": {"steps": 4, "count": 2}})


def test_a_sweep_stays_the_same_when_one_of_its_cells_is_used() -> None:
    axes = [parse_axis("omega=0,0.5,1", ""), parse_axis("sampler.steps=4,8", "")]
    preset = PRESET.with_seed(7)
    stem = stem_of(preset, three(axes), [])
    for cell in cells(preset, *axes):
        assert stem_of(cell.preset, three(axes), []) == stem
    other = with_fields(preset, [("decoupling", 0.25)])
    assert stem_of(other, three(axes), []) != stem


def test_so_does_one_that_drew_its_seed(tmp_path: Path) -> None:
    axes = three([parse_axis("omega=0,0.5,1", "")])
    begun = begin(PRESET.with_seed(-1), axes, [], tmp_path)
    drawn = begun.preset.sampler.seed
    (tmp_path / f"{begun.stem}.json").write_text(json.dumps({"seed": drawn}))
    for shot in begun.shots():
        again = begin(shot.preset, axes, [], tmp_path)
        assert again.stem == begun.stem and again.shots() == begun.shots()
    assert begin(PRESET.with_seed(drawn + 1), axes, [], tmp_path).stem != begun.stem


def test_a_sweep_of_an_earlier_studio_goes_on(tmp_path: Path) -> None:
    """Its name held the swept fields too: written by that version for these fields."""
    axes = three([parse_axis("omega=0,0.5,1", "")])
    preset = with_fields(PRESET.with_seed(7), [("omega", 0.5)])
    asked = [json.loads(preset.to_json()), [["omega", [0, 0.5, 1]], None, None], []]
    earlier = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:10]
    assert begin(preset, axes, [], tmp_path).stem == stem_of(preset, axes, []) != f"sweep-{earlier}"
    (tmp_path / f"sweep-{earlier}.json").write_text('{"seed": 7}')
    (tmp_path / f"sweep-{earlier}-x00-y00-z00-seed7.png").touch()
    assert begin(preset, axes, [], tmp_path).stem == f"sweep-{earlier}"
    assert here(preset, [axes[0]], tmp_path) == 1
    (tmp_path / f"{stem_of(preset, axes, [])}.json").write_text("{}")
    assert here(preset, [axes[0]], tmp_path) == 0


def test_the_form_and_the_verb_name_the_same_sweep() -> None:
    """A preset that goes through the page's form is the same sweep as its file for the verb."""
    axes = three([parse_axis("omega=0,1", "")])
    files = sorted(PRESETS.glob("*.json"))[::4]
    for preset in map(Preset.load, files):
        sent = json.loads(
            json.dumps(to_values(preset), default=lambda one: one.model_dump(mode="json"))
        )
        assert stem_of(to_preset(sent), axes, []) == stem_of(preset, axes, [])
    assert len(files) > 4
