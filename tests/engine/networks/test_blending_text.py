"""ω on the text encoder that a full fine-tune brings: interpolated as the network is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from transformers import CLIPTextModel

from studio.diffusion.guidance import lerp_weights
from studio.engine import Engine
from studio.library import Library
from studio.preset import validate
from tests.engine import test_kinds_by_family
from tests.support import tiny, tiny_sdxl
from tests.support.tiny_pictures import SCALE, difference, ours

SIZE = 16


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bases and fine-tunes whose text encoders differ too; ``grown`` has one of another shape."""
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "sd")
    tiny_sdxl.pipeline(folder / "xl", zeros=False)
    for name, kind in (("sd", StableDiffusionPipeline), ("xl", StableDiffusionXLPipeline)):
        pipe = kind.from_pretrained(folder / name)
        for part in ("unet", "text_encoder", "text_encoder_2"):
            if hasattr(pipe, part):
                test_kinds_by_family._jitter(getattr(pipe, part))
        pipe.save_pretrained(folder / f"{name}-tuned")
    tiny.pipeline(folder / "sd-same", seed=3)
    pipe = StableDiffusionPipeline.from_pretrained(folder / "sd-tuned")
    config = pipe.text_encoder.config
    config.num_hidden_layers += 1
    pipe.text_encoder = CLIPTextModel(config)
    pipe.save_pretrained(folder / "grown")
    return folder


@pytest.mark.parametrize(
    ("base", "parts"),
    [("sd", test_kinds_by_family._classic), ("xl", test_kinds_by_family._xl)],
)
@pytest.mark.parametrize("omega", [0.0, 0.4, 0.999_999, 1.0])
@torch.no_grad()
def test_the_empty_prompt_is_read_by_the_interpolated_tower(
    root: Path, base: str, parts: Callable, omega: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``ε_{θ_ω}(z, E_ω(∅))``, with both of XL's towers; the prompt is the fine-tune's own."""
    monkeypatch.setattr(test_kinds_by_family, "SIZE", SIZE)
    pipe, prior, _, _, predict = parts(root, base)
    tuned = parts(root, f"{base}-tuned")
    names = [n for n in ("text_encoder", "text_encoder_2") if hasattr(pipe, n)]

    def between(one: torch.nn.Module, other: torch.nn.Module) -> dict[str, torch.Tensor]:
        return lerp_weights(one.state_dict(), [(other.state_dict(), omega)])

    for name in names:
        tower = getattr(pipe, name)
        tower.load_state_dict(between(tower, getattr(tuned[0], name)))
    null: Any = pipe.encode_prompt("", "cpu", 1, False)[0] if base == "sd" else _null(pipe)
    weak = type(prior).from_config(prior.config)
    weak.load_state_dict(between(prior, tuned[1]))
    pipe.scheduler.set_timesteps(3)
    z = torch.randn((1, 4, SIZE // 2, SIZE // 2), generator=torch.Generator().manual_seed(3))
    for t in pipe.scheduler.timesteps:
        free = predict(weak.eval(), z, t, null)
        own = predict(tuned[1].eval(), z, t, tuned[3])
        z = pipe.scheduler.step(free + SCALE * (own - free), t, z).prev_sample
    image = pipe.vae.eval().decode(z / pipe.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy().astype(int)
    row = {"prompt": "a cat", "weight": SCALE, "model": f"{base}-tuned"}
    assert difference(ours(root, base, SIZE, rows=[row], omega=omega), expected) <= 1


def _null(pipe: StableDiffusionXLPipeline) -> tuple[torch.Tensor, torch.Tensor]:
    states, _, pooled, _ = pipe.encode_prompt("", device="cpu")
    return states, pooled


def test_omega_leads_to_the_fine_tune_without_a_jump(root: Path) -> None:
    row = {"prompt": "a cat", "weight": SCALE, "model": "sd-tuned"}
    near, at, low = (ours(root, "sd", rows=[row], omega=omega) for omega in (0.9999, 1.0, 0.5))
    assert difference(near, at) <= 1 < difference(low, at)


def test_a_tower_of_another_shape_leaves_the_base_s(root: Path) -> None:
    """There is nothing between two architectures; the network is interpolated all the same."""
    row = {"prompt": "a cat", "weight": SCALE, "model": "grown"}
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    preset = {"base": "sd", "rows": [row], "omega": 0.5, "sampler": {"steps": 1}}
    assert len(list(engine.generate(validate(preset)))) > 1
    tower = engine.loader.text_encoder("sd", [("grown", 0.5)])
    assert tower is engine.loader.text_encoder("sd")
    assert tower is engine.loader.text_encoder("sd", [("sd-same", 0.5)])  # nothing to interpolate
    assert engine.loader.text_encoder("sd", [("sd-tuned", 0.5)]) is not tower


def test_an_earlier_omega_s_tower_is_not_kept(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    row = {"prompt": "a cat", "weight": SCALE, "model": "sd-tuned"}
    for omega in (0.3, 0.6):
        preset = {"base": "sd", "rows": [row], "omega": omega, "sampler": {"steps": 1}}
        pictures = [
            event.image for event in engine.generate(validate(preset)) if hasattr(event, "image")
        ]
        assert np.asarray(pictures[-1]).shape == (SIZE, SIZE, 3)
    texts = sorted(item["id"] for item in engine.describe() if item["kind"] == "text")
    assert texts == ["sd", "sd-tuned", "θ_ω of sd"]


def test_long_prompts_of_both_towers_are_padded_to_one_length(root: Path) -> None:
    """φ has as many windows as the fine-tune's prompt, since padding is attended."""
    from studio.engine.inputs.texts import Texts
    from studio.plan import compile_plan

    engine = Engine(device="cpu", library=Library((root,)))
    row = {"prompt": "a cat that sits on a mat and looks at the moon", "model": "sd-tuned"}
    for omega in (0.0, 0.5, 1.0):
        plan = compile_plan(validate({"base": "sd", "rows": [row], "omega": omega}), engine.library)
        texts = Texts(plan, engine.loader)
        found = [texts.encode(item, ()) for item in plan.passes]
        assert {text.states.shape[1] for text in found if text} == {48}


def test_towers_in_between_are_counted_before_anything_is_read(root: Path) -> None:
    from studio.engine.inputs.memory_check import needs_of
    from studio.engine.networks.on_disk import weight_bytes
    from studio.plan import compile_plan

    engine = Engine(device="cpu", library=Library((root,)))
    row = {"prompt": "a cat", "model": "sd-tuned"}
    others = {}
    for omega in (0.5, 1.0):
        preset = validate({"base": "sd", "rows": [row], "omega": omega})
        plan = compile_plan(preset, engine.library)
        others[omega] = needs_of(preset, plan, engine.loader).others
    tower = weight_bytes(engine.library["sd"], "text_encoder", torch.float32)
    assert tower > 0 and others[0.5] - others[1.0] == 2 * tower  # the base's and what lies between
    assert engine.describe() == []
