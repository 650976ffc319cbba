"""Models, autoencoders and schedulers of a sweep's axis by the names that the web UIs give them."""

from __future__ import annotations

import pytest

from studio.errors import StudioError
from studio.library import ModelEntry
from studio.ui.sweep import habits
from studio.ui.sweep.asked import read_axis

IDS = {"Stable-diffusion/photo/mine": "base", "Lora/ink": "lora", "VAE/fine": "vae", "mine": "vae"}


@pytest.fixture(autouse=True)
def _shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    models = {one: ModelEntry(one, kind, "sd1", 1, "") for one, kind in IDS.items()}
    monkeypatch.setattr(habits, "library", lambda: models)


@pytest.mark.parametrize(
    ("field", "values", "meant"),
    [
        ("base", '["photo\\\\mine.safetensors [879db523c3]"]', "Stable-diffusion/photo/mine"),
        ("base", "Mine.ckpt", "Stable-diffusion/photo/mine"),
        ("refiner.model", "Stable-diffusion/photo/mine", "Stable-diffusion/photo/mine"),
        ("rows.0.model.lora", "ink", "Lora/ink"),
        ("vae", "fine.safetensors", "VAE/fine"),
        ("vae", "Automatic", ""),
        ("base", "unknown", "unknown"),
        ("rows.0.prompt", "ink", "ink"),
    ],
)
def test_a_model_is_found_by_its_files_name(field: str, values: str, meant: str) -> None:
    assert read_axis(field, values).values == (meant,)


@pytest.mark.parametrize(
    ("field", "values", "meant"),
    [
        ("rows.0.weight", "١، ٢، 3.5", (1, 2, 3.5)),
        ("sampler.steps", "4-6، 9", (4, 5, 6, 9)),
        ("rows.0.prompt", "قطة، كلب", ("قطة، كلب",)),  # prompts stand line by line
    ],
)
def test_values_are_divided_by_an_arabic_comma_too(
    field: str, values: str, meant: tuple[object, ...]
) -> None:
    assert read_axis(field, values).values == meant


@pytest.mark.parametrize("field", ["sampler.scheduler", "second_pass.scheduler"])
def test_a_schedule_behind_a_scheduler_is_told_its_field(field: str) -> None:
    said = r"^values: Karras is a schedule, a field of its own; write 'DPM\+\+ 2M' here"
    with pytest.raises(StudioError, match=said):
        read_axis(field, "Euler a, DPM++ 2M Karras")
    assert read_axis(field, "Karras").values == ("Karras",)  # refused by its field
