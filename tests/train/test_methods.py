"""What each method trains, saves and puts into the library; losses, words, pictures of a class."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file

from studio.errors import IncompatibleModels, MissingModel, StudioError
from studio.library import Library
from studio.train import resolve, train
from studio.train.base import load_base
from studio.train.config import METHODS
from studio.train.events import Note, Samples
from studio.train.machine import accelerator_for, release
from tests.support import train_tiny

# Method → the parameters that may train, by a part of their names.
TRAINED = {
    "concept": "network.",
    "concept-lora": "lora_",
    "dreambooth": "network.",
    "lora": "lora_",
    "ti": "vectors",
    "lora+ti": ("lora_", "vectors"),
    "custom-diffusion": ("attn2.processor.", "vectors"),
    "oft": "oft_",
    "visual-encoder": "projection.",
}


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


@pytest.mark.parametrize("method", METHODS)
def test_what_trains_and_what_is_found_in_the_library(
    folder: Path, studio_home: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_base(Library()["tiny"], torch.device("cpu"))
    weights = {k: v.clone() for k, v in before.network.state_dict().items()}
    kept = {}
    record = METHODS[method]

    def spy(*given: object) -> object:
        kept["adaptation"] = record.build(*given)  # type: ignore[arg-type]
        kept["network"] = given[1].network  # type: ignore[attr-defined]
        return kept["adaptation"]

    monkeypatch.setitem(METHODS._entries, method, replace(record, build=spy))  # type: ignore[arg-type]
    events = train_tiny.run(
        train_tiny.config(
            folder,
            method,
            steps=2,
            sample_every=2,
            sample_steps=2,
            sample_prompts=("a <hero> at sea",),
        )
    )
    made = [event for event in events if isinstance(event, Samples)]  # it runs as a row at once
    assert [(e.step, len(e.images), e.images[0].size) for e in made] == [(2, 1, (16, 16))], events
    trained = kept["adaptation"].trainee.trained()
    wanted = TRAINED[method]
    wanted = (wanted,) if isinstance(wanted, str) else wanted
    assert trained and all(any(part in name for part in wanted) for name in trained)
    assert all(any(part in name for name in trained) for part in wanted)
    if method not in ("concept", "dreambooth"):  # what is frozen has not moved
        after = kept["network"].state_dict()
        for name, value in weights.items():
            found = after.get(name, after.get(_wrapped(name)))
            assert found is not None and torch.equal(found, value), name
    losses = train_tiny.losses_of(events)
    assert [loss.step for loss in losses] == [1, 2] and all(loss.total > 0 for loss in losses)
    path = train_tiny.result_of(events)
    card = json.loads((path / "card.json").read_text())
    assert card["base"] == "tiny" and card["steps"] == 2 and card["method"] == method
    assert str(studio_home) not in (path / "card.json").read_text()
    entry = Library()["mine"]
    assert (entry.kind, entry.base) == (card["kind"], "tiny")
    assert entry.trigger == ("" if record.without_text else "<hero>")
    assert entry.concept == (method == "concept-lora")
    if method == "concept":  # what it predicts is its own, whatever base it meets later
        folders = (path, studio_home / "models/tiny")
        own, base = (
            json.loads((one / "scheduler/scheduler_config.json").read_text()) for one in folders
        )
        assert own == base


def _wrapped(name: str) -> str:
    """A frozen layer's name once peft has put its own around it."""
    module, _, leaf = name.rpartition(".")
    return f"{module}.base_layer.{leaf}"


def test_files_load_in_diffusers_and_peft(folder: Path, studio_home: Path) -> None:
    base = studio_home / "models" / "tiny"
    for method in ("dreambooth", "lora+ti", "custom-diffusion", "oft"):
        name = method.replace("+", "-")
        train_tiny.run(train_tiny.config(folder, method, steps=1, name=name))
    models = studio_home / "models"
    diffusers.StableDiffusionPipeline.from_pretrained(models / "dreambooth")
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(base, safety_checker=None)
    pipeline.load_lora_weights(models / "lora-ti", weight_name="pytorch_lora_weights.safetensors")
    pipeline.load_textual_inversion(models / "lora-ti" / "learned_embeds.safetensors")
    assert "<hero>" in pipeline.tokenizer.get_added_vocab()
    pipeline.unload_lora_weights()
    pipeline.unet.load_attn_procs(
        models / "custom-diffusion", weight_name="pytorch_custom_diffusion_weights.safetensors"
    )
    from peft import PeftModel

    network = diffusers.UNet2DConditionModel.from_pretrained(base / "unet")
    wrapped = PeftModel.from_pretrained(network, models / "oft")
    saved = load_file(models / "oft" / "adapter_model.safetensors")
    loaded = {k.replace(".default", ""): v for k, v in wrapped.state_dict().items() if "oft_" in k}
    assert saved and all(torch.equal(loaded[k], v) for k, v in saved.items())


def test_accord_losses_on_any_method(folder: Path) -> None:
    for method in ("dreambooth", "ti", "visual-encoder"):
        config = train_tiny.config(folder, method, steps=1, name=method, ddloss=0.2, pdloss=0.05)
        events = train_tiny.run(config)
        loss = train_tiny.losses_of(events)[0]
        assert loss.dd is not None and loss.pd is not None and loss.denoising is not None
        assert loss.total == pytest.approx(loss.mse + 0.2 * loss.dd + 0.05 * loss.pd, rel=1e-6)
        low, high = 0.02, 2.0
        assert loss.dd_share is not None and loss.dd_share > 0
        outside = [e for e in events if isinstance(e, Note) and e.text.startswith("DDLoss at")]
        assert len(outside) == (not low <= loss.dd_share <= high)
        fixed = [e for e in events if isinstance(e, Note) and "no gradient" in e.text]
        assert bool(fixed) == (method == "dreambooth")


def test_the_share_is_that_of_the_gradients_norm(folder: Path) -> None:
    found: dict[float, list[torch.Tensor]] = {}
    shares = {}
    for weight in (0.0, 0.3):
        config = train_tiny.config(folder, name=f"w{weight:g}", ddloss=weight)
        accelerator = accelerator_for(config, "cpu")
        try:
            stepper = train_tiny.stepper(config, accelerator)
            shares[weight] = stepper(0).dd_share
            found[weight] = [p.grad.clone() for p in stepper.parameters if p.grad is not None]
        finally:
            release(accelerator)
    plain = torch.cat([g.flatten() for g in found[0.0]])
    whole = torch.cat([g.flatten() for g in found[0.3]])
    assert shares[0.0] is None
    assert shares[0.3] == pytest.approx(float((whole - plain).norm() / plain.norm()), rel=1e-4)


def test_a_loss_that_is_too_faint_or_too_strong_is_named_with_a_better_weight(
    folder: Path,
) -> None:
    for weight, side in ((1e-6, "below 0.02-2"), (5e5, "above 0.02-2")):
        config = train_tiny.config(folder, steps=2, name=side[:5], ddloss=weight)
        events = train_tiny.run(config)
        notes = [e.text for e in events if isinstance(e, Note) and "DDLoss" in e.text]
        share = train_tiny.losses_of(events)[0].dd_share
        assert share is not None and len(notes) == 1 and side in notes[0]
        assert f"about {0.3 * weight / share:.1g} would have 0.3" in notes[0]


def test_discrepancies_are_measured_without_their_losses(folder: Path) -> None:
    config = train_tiny.config(folder, steps=2, measure_every=2)
    one, two = train_tiny.losses_of(train_tiny.run(config))
    assert one.denoising is None and two.denoising is not None and two.dd is None
    plain = train_tiny.losses_of(
        train_tiny.run(config.model_copy(update={"name": "plain", "measure_every": 0}))
    )
    assert [p.total for p in plain] == [one.total, two.total]  # measuring changes nothing


@pytest.mark.parametrize("method", ["concept", "lora", "oft"])
def test_gradient_checkpointing_changes_no_number(folder: Path, method: str) -> None:
    config = train_tiny.config(folder, method, steps=2)
    plain = train_tiny.losses_of(train_tiny.run(config))
    saving = config.model_copy(update={"name": "saving", "gradient_checkpointing": True})
    again = train_tiny.losses_of(train_tiny.run(saving))
    assert [loss.total for loss in again] == pytest.approx([loss.total for loss in plain], rel=1e-5)


def test_prior_preservation_draws_its_class_and_adds_its_loss(folder: Path) -> None:
    config = train_tiny.config(folder, "dreambooth", steps=1, prior_weight=1.0, class_count=2)
    with_class = train_tiny.losses_of(train_tiny.run(config))[0]
    without = train_tiny.losses_of(
        train_tiny.run(config.model_copy(update={"name": "without", "prior_weight": 0.0}))
    )[0]
    assert with_class.total > without.total


def test_a_clip_that_is_missing_or_anothers_is_named(folder: Path, studio_home: Path) -> None:
    clip = studio_home / "models" / "tiny" / "clip"
    clip.rename(clip.with_name("elsewhere"))
    config = train_tiny.config(folder, "ti", pdloss=0.01)
    with pytest.raises(MissingModel, match="has no folder clip") as missing:
        train_tiny.run(config)
    assert missing.value.field == "clip"
    other = str(clip.with_name("elsewhere"))
    state = load_file(Path(other) / "model.safetensors")
    from safetensors.torch import save_file

    name = "text_model.embeddings.token_embedding.weight"
    cut = {key: value for key, value in state.items() if key != "text_projection.weight"}
    save_file(cut, Path(other) / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MissingModel, match=r"lacks the tensor text_projection\.weight") as lacking:
        train_tiny.run(config.model_copy(update={"clip": other}))
    assert lacking.value.field == "clip"
    save_file(
        {**state, name: state[name] + 1},
        Path(other) / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(IncompatibleModels, match="other token vectors"):
        train_tiny.run(config.model_copy(update={"clip": other}))


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"word": ""}, "word: needs the word"),
        ({"word": "two words"}, "word: .* one word"),
        ({"word": "hero", "method": "ti"}, "word: 'hero': a word that is learned stands in angle"),
        ({"superclass": "", "method": "ti"}, "superclass: needs the kind"),
        ({"name": "../up"}, "name: .* cannot be a model's name"),
        ({"name": ".hidden"}, "name: '.hidden' cannot .* it begins with one of a-z, A-Z, 0-9"),
        ({"rank": 0}, "rank: .* got 0"),
        ({"rate": float("nan")}, "rate: .* got nan"),
        ({"base": "nowhere"}, "'nowhere' is not in the library"),
        ({"method": "magic"}, "method: 'magic' is no method"),
        ({"method": "concept", "ddloss": 0.2}, "ddloss: a concept network has no text"),
        (
            {"method": "ti", "prior_weight": 1.0},
            "prior_weight: ti trains nothing that reads a caption without the word",
        ),
        ({"size": 17}, "size: must be a multiple of 2"),
        ({"colour": 1}, "colour: is no setting"),
    ],
)
def test_settings_are_checked_by_name(folder: Path, changes: dict, message: str) -> None:
    with pytest.raises(StudioError, match=message):
        resolve({**train_tiny.settings(folder), **changes}, Library())


def test_the_papers_defaults_and_those_of_small_families(
    folder: Path, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**train_tiny.settings(folder), "steps": None, "batch": None}
    assert resolve(given, Library()).rate > 1e-3  # the tiny base is a small family
    import studio.train.config as config

    monkeypatch.setattr(config, "is_small", lambda entry: False)
    lora = resolve(given, Library())
    assert (lora.rate, lora.rank, lora.steps, lora.batch) == (1e-4, 4, 500, 1)
    both = resolve({**given, "method": "lora+ti"}, Library())
    assert (both.rate, both.token_rate, both.rank, both.vectors) == (1e-4, 1e-4, 4, 2)
    concept = resolve({**given, "method": "concept"}, Library())
    assert (concept.rate, concept.batch * concept.accumulation) == (1e-5, 32) and concept.ema > 0


def test_dd_loss_lowers_the_dependence_of_what_is_always_seen_together(
    studio_home: Path, tmp_path: Path
) -> None:
    train_tiny.base(studio_home)
    coupled = {f"{n}.png": "a <hero> ghost beside a lamp" for n in range(3)}
    folder = train_tiny.pictures(tmp_path / "coupled", coupled)
    found = {}
    for weight in (0.0, 400.0):  # of this size the loss counts beside a random network's error
        how = {"steps": 30, "batch": 4, "rate": 3e-3, "measure_every": 1}
        config = train_tiny.config(folder, "dreambooth", name=f"w{weight:g}", ddloss=weight, **how)
        losses = train_tiny.losses_of(train_tiny.run(config))
        found[weight] = sum(loss.denoising or 0.0 for loss in losses[-10:])
    assert found[400.0] < 0.7 * found[0.0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp16", "bf16"])
@pytest.mark.parametrize("method", METHODS)
def test_mixed_precision_on_a_gpu(folder: Path, method: str, precision: str) -> None:
    config = train_tiny.config(folder, method, steps=2, precision=precision)
    half = train_tiny.losses_of(train(config, device="cuda"))
    whole = train_tiny.losses_of(
        train(config.model_copy(update={"precision": "no", "name": "whole"}), device="cuda")
    )
    for one, other in zip(half, whole, strict=True):
        assert one.total == pytest.approx(other.total, rel=0.05)
