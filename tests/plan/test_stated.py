"""What a plan states is what a run does: every scheduler, family and range."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from studio.diffusion import times
from studio.engine import Engine
from studio.errors import BadPreset, IncompatibleModels
from studio.events import Done
from studio.library import Library
from studio.library.noise import scheduler_config
from studio.plan.stated import stated_plan
from studio.preset import validate
from studio.preset.schedulers import SCHEDULERS
from tests.engine.families.test_sana import pipeline as sana_pipeline
from tests.engine.families.test_sdxl import pipeline as xl_pipeline
from tests.support import REPOSITORY, tiny, tiny_flux

RANGES = ([0.0, 0.3], [0.35, 0.7], [0.5, 1.0])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "sd", spacing="leading")
    tiny.pipeline(folder / "trailing")
    xl_pipeline(folder / "xl")
    sana_pipeline(folder / "sana")
    tiny_flux.pipeline(folder / "flux")
    return Engine(device="cpu", library=Library((folder,)))


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("base", ["sd", "trailing", "xl", "sana"])
def test_stated_is_counted(engine: Engine, name: str, base: str) -> None:
    config = scheduler_config(engine.library[base])
    kind, flow = SCHEDULERS[name], times.is_flow(config)
    rows = [{"prompt": f"{n}", "weight": 1.0 + n, "range": one} for n, one in enumerate(RANGES)]
    fitting = [one for one in kind.takes(flow) if one != "align_your_steps" or base == "sd"]
    sampler: dict[str, Any] = {"scheduler": name, "steps": 9, "schedule": fitting[-1]}
    preset = validate({"base": base, "rows": rows, "sampler": sampler})
    if not (kind.flow if flow else kind.kind):
        with pytest.raises(IncompatibleModels, match="cannot follow a model that predicts a flow"):
            stated_plan(preset, engine.library)
        return
    plan = stated_plan(preset, engine.library)
    done = [event for event in engine.generate(preset) if isinstance(event, Done)]
    assert [one.forwards for one in done] == [plan.forwards_total]


@pytest.mark.parametrize("size", [{}, {"width": 64, "height": 32}])
def test_a_flow_shifted_by_size_states_what_it_runs(engine: Engine, size: dict[str, int]) -> None:
    ranges = [[0.0, 0.4], [0.0, 0.55], [0.7, 1.0]]
    rows = [{"prompt": f"{n}", "weight": 2.0, "range": one} for n, one in enumerate(ranges)]
    sampler = {"scheduler": "euler", "steps": 4, **size}
    preset = validate({"base": "flux", "rows": rows, "sampler": sampler})
    plan = stated_plan(preset, engine.library)
    done = [event for event in engine.generate(preset) if isinstance(event, Done)]
    assert [one.forwards for one in done] == [plan.forwards_total]


def test_a_base_of_the_hub_states_what_it_runs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in no folder of the library, and has its times, size and tiles all the same."""
    library = Library(())
    entry = engine.library["trailing"]
    monkeypatch.setattr(
        library, "_on_hub", lambda key: replace(entry, id=key) if key == "owner/name" else None
    )
    rows = [{"prompt": "a", "weight": 2.0, "range": [0.0, 0.4]}]
    sampler = {"scheduler": "euler", "steps": 9, "width": 2 * entry.size, "tiles": True}
    preset = validate({"base": "owner/name", "rows": rows, "sampler": sampler})
    own = preset.model_copy(update={"base": "trailing"})
    plan, known = stated_plan(preset, library), stated_plan(own, engine.library)
    assert plan.tiles == known.tiles and len(plan.tiles) > 1
    assert plan.forwards_total == known.forwards_total
    odd = preset.sampler.model_copy(update={"width": 17})
    with pytest.raises(BadPreset, match=r"sampler\.width"):
        stated_plan(preset.model_copy(update={"sampler": odd}), library)


def test_a_shifted_flow_states_what_it_runs(engine: Engine) -> None:
    """Half of the noise level is not half of the steps."""
    rows = [{"prompt": "a", "weight": 2.0}, {"prompt": "b", "weight": 2.0, "range": [0.0, 0.5]}]
    preset = validate({"base": "sana", "rows": rows, "sampler": {"steps": 18}})
    plan = stated_plan(preset, engine.library)
    assert plan.forwards_total != 2 * 18 + 9
    (done,) = [event for event in engine.generate(preset) if isinstance(event, Done)]
    assert done.forwards == plan.forwards_total


@pytest.mark.parametrize("base", ["sd", "trailing", "xl", "sana"])
def test_the_noise_is_read_as_the_family_reads_it(engine: Engine, base: str) -> None:
    entry = engine.library[base]
    theirs = engine.loader.family(base).scheduler_config(entry)
    ours = scheduler_config(entry)
    assert {k: v for k, v in ours.items() if not k.startswith("_")} == {
        k: v for k, v in theirs.items() if not k.startswith("_")
    }


def test_stating_a_plan_loads_no_torch() -> None:
    code = """
import sys
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import Preset
stated_plan(Preset.load("presets/01-plain-guidance.json"), Library())
print(sorted({"torch", "diffusers", "transformers"} & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert found.stdout.strip() == "[]"
