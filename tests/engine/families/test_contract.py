"""What every family of the table does, against diffusers' own pipeline of a tiny random model."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file

from studio.diffusion import sampling
from studio.engine.families import family_named
from studio.errors import IncompatibleModels
from studio.library import FAMILIES, Library
from studio.plan import Weights, compile_plan
from studio.preset import validate
from tests.support import tiny_pictures
from tests.support.family_contract import (
    PROMPT,
    SCHEDULER,
    SIZE,
    Loop,
    Roots,
    changed,
    jitter,
    merged,
    ours,
)
from tests.support.tiny_families import FROM_ITS_OWN, MODULAR, NULL, REFINED, modular
from tests.support.tiny_image_prompts import adapter_state
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference


@pytest.mark.parametrize("name", FAMILIES)
def test_its_record_is_whole(name: str, roots: Roots) -> None:
    record, entry = FAMILIES[name], Library((roots(name),))["base"]
    assert (entry.kind, entry.family, entry.problem) == ("base", name, "")
    assert record.title and record.text and record.size > 0 and record.guidance >= 1
    assert set(record.predicts) <= {"epsilon", "v_prediction", "flow_prediction"}
    import diffusers

    assert all(hasattr(diffusers, kind) for kind in (*record.pipelines, record.network))


@pytest.mark.parametrize("name", FAMILIES)
def test_one_row_is_diffusers_pipeline(name: str, roots: Roots) -> None:
    root = roots(name)
    pipe = _plain(root, name)
    taken = inspect.signature(type(pipe).__call__).parameters
    as_asked = {"use_resolution_binning": False} if "use_resolution_binning" in taken else {}
    if "true_cfg_scale" in taken:  # the plain scale is a number that the network reads
        as_asked |= {"guidance_scale": 3.5, "true_cfg_scale": SCALE, "negative_prompt": ""}
    if name in FROM_ITS_OWN:
        as_asked |= {"guidance_scale": SCALE - 1}
    theirs = tiny_pictures.theirs(pipe, PROMPT, SIZE, output_type="pil", **as_asked)
    refined = REFINED.get(name, {})
    assert difference(ours(root, **refined), theirs) <= 1
    assert difference(ours(root, {"weight": SCALE + 1}, **refined), theirs) > 1


def _plain(root: Path, name: str) -> Any:
    import diffusers

    pipe = getattr(diffusers, FAMILIES[name].pipelines[0]).from_pretrained(root / "base")
    config = family_named(name).scheduler_config(Library((root,))["base"])
    if not config.get("own_sigmas"):
        pipe.scheduler = sampling.make_scheduler(SCHEDULER, config)
    return pipe


@pytest.mark.parametrize("name", MODULAR)
def test_one_row_is_the_modular_pipeline(name: str, roots: Roots) -> None:
    """With its own guider; FLUX.1's blocks ask none."""
    theirs = modular(name, _plain(roots(name), name), SCALE)(
        prompt=PROMPT,
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED),
        height=SIZE,
        width=SIZE,
        output="images",
        **NULL.get(name, {}),
    )[0]
    found = ours(roots(name), **REFINED.get(name, {}))
    assert difference(found, np.asarray(theirs).astype(int)) <= 1


@pytest.mark.parametrize("omega", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_omega_of_a_full_fine_tune(name: str, omega: float, roots: Roots) -> None:
    loop = Loop(roots(name), name)
    tuned: Any = loop.loader.network(Weights("tuned"))
    theirs = dict(tuned.named_parameters())
    weak = changed(loop.prior, lambda key, value: value + omega * (theirs[key].data - value))
    found = ours(roots(name), {"model": "tuned"}, omega=omega)
    assert difference(found, loop(weak, tuned)) <= 1


@pytest.mark.parametrize("omega", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_lora_is_its_merged_weights(name: str, omega: float, roots: Roots) -> None:
    loop = Loop(roots(name), name)
    weak, strong = (merged(loop, roots(name), name, 0.5 * part) for part in (omega, 1.0))
    row = {"model": {"lora": "style", "strength": 0.5}}
    assert difference(ours(roots(name), row, omega=omega), loop(weak, strong)) <= 1


@pytest.mark.parametrize("name", FAMILIES)
def test_it_starts_from_a_picture(name: str, roots: Roots) -> None:
    loop = Loop(roots(name), name)
    picture = Image.open(roots(name) / "picture.png").convert("RGB")
    init = {"image": "picture.png", "strength": 0.67}
    expected = loop(loop.prior, loop.prior, picture, first=STEPS - int(STEPS * 0.67))
    assert difference(ours(roots(name), init=init), expected) <= 1


@pytest.mark.parametrize("name", FAMILIES)
def test_a_control_image_or_a_refusal(name: str, roots: Roots) -> None:
    """A ControlNet as it begins, its last layers zero, changes nothing; another one does."""
    root = roots(name)
    control = {"type": "map", "image": "picture.png", "model": "guide"}
    if not FAMILIES[name].controls:
        preset = validate({"base": "base", "rows": [{"control": control}]})
        with pytest.raises(IncompatibleModels, match="'base' takes no control image") as caught:
            compile_plan(preset, Library((root,)))
        assert caught.value.field == "rows.0.control"
        return
    prior: Any = Loop(root, name).prior
    net = ControlNetModel.from_unet(prior, conditioning_embedding_out_channels=(4, 8))
    net.save_pretrained(root / "guide")
    (root / "guide/card.json").write_text(json.dumps({"family": name}))
    assert difference(ours(root, {"control": control}), ours(root)) <= 1
    jitter(net)
    net.save_pretrained(root / "guide")
    assert difference(ours(root, {"control": control}), ours(root)) > 1


@pytest.mark.parametrize("name", FAMILIES)
def test_what_it_does_not_take_is_refused_by_name(name: str, roots: Roots) -> None:
    record, root = FAMILIES[name], roots(name)
    save_file({"emb_params": torch.ones(1, 8)}, root / "word.safetensors")
    if record.image_prompts:
        unet = UNet2DConditionModel.from_pretrained(root / "base", subfolder="unet")
        state = adapter_state(unet, width=2, seed=1)
    else:
        state = {
            "image_proj.proj.weight": torch.ones(2, 2),
            "ip_adapter.1.to_k_ip.weight": torch.ones(2, 2),
        }
    save_file(state, root / "light.safetensors")
    (root / "image_encoder").mkdir()
    (root / "image_encoder/config.json").write_text(json.dumps({"projection_dim": 2}))
    prompt = {"image": "picture.png", "model": "light"}
    for taken, row, field in (
        (record.learned_words, {"model": {"embeddings": ["word"]}}, "rows.0.model"),
        (record.image_prompts, {"image_prompt": prompt}, "rows.0.image_prompt.model"),
    ):
        preset, library = validate({"base": "base", "rows": [row]}), Library((root,))
        if taken:
            assert compile_plan(preset, library).passes
            continue
        with pytest.raises(
            IncompatibleModels, match=f"{re.escape(record.title)} takes no"
        ) as caught:
            compile_plan(preset, library)
        assert caught.value.field == field
