"""What every kind of adapter keeps, whoever registered it: one test a promise, over the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor

from studio.engine import Engine
from studio.engine.adapters.changes import ADAPTER_CHANGES, Delta, Factors
from studio.engine.adapters.lora import attached
from studio.engine.networks.on_disk import weight_bytes
from studio.events import Done
from studio.library import Library
from studio.library.adapter_kinds import ADAPTER_KINDS, AdapterKind
from studio.preset import validate
from tests.support import REPOSITORY, tiny
from tests.support.adapter_kinds import EXAMPLES, LINEAR, kohya, merged, r
from tests.support.tiny_adapters import inputs, load, run, run_with

KINDS = list(ADAPTER_KINDS)


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(5)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def network() -> UNet2DConditionModel:
    return tiny.unet().double().eval()


def written(kind: str, network: UNet2DConditionModel, path: Path) -> dict[str, Tensor]:
    """A file of that kind at ``path``; returns Δ by parameter."""
    torch.manual_seed(KINDS.index(kind) if kind in KINDS else 99)
    state, deltas = EXAMPLES[kind]({k: v.detach() for k, v in network.named_parameters()})
    save_file(state, path)
    return deltas


def test_every_kind_has_an_example_and_a_reading() -> None:
    assert set(EXAMPLES) == set(ADAPTER_KINDS) == set(ADAPTER_CHANGES)


@pytest.mark.parametrize("kind", KINDS)
def test_its_bytes_are_known_before_it_is_read(
    kind: str, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    written(kind, network, tmp_path / "odd.safetensors")
    entry = Library((tmp_path,))["odd"]
    stated = weight_bytes(entry, "", torch.float32)
    held = load(tmp_path / "odd.safetensors", network).tensors()
    found = sum(tensor.numel() for tensor in held) * 4
    # What the layer reads is in neither of these files, and is taken to be what it gives.
    near = found if kind in ("oft", "ia3") else 16  # an alpha or two
    assert abs(stated - found) <= near


def test_a_decomposed_lora_s_bytes_are_those_of_whole_weights(
    network: UNet2DConditionModel, tmp_path: Path
) -> None:
    state, _ = EXAMPLES["lora"]({k: v.detach() for k, v in network.named_parameters()})
    name, up = next((k, v) for k, v in state.items() if "up" in k or "lora_B" in k)
    layer = re.sub(r"\.lora_(up|B)\.weight$", "", name)
    state[f"{layer}.dora_scale"] = torch.ones(up.shape[0], 1)
    save_file(state, tmp_path / "odd.safetensors")
    stated = weight_bytes(Library((tmp_path,))["odd"], "", torch.float32)
    held = load(tmp_path / "odd.safetensors", network).tensors()
    assert abs(stated - 4 * sum(tensor.numel() for tensor in held)) <= 64


@pytest.mark.parametrize("scale", [1.0, 0.3, -1.7])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_listed_and_equals_merged_weights_at_every_scale(
    kind: str, scale: float, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    deltas = written(kind, network, tmp_path / "odd.safetensors")
    assert Library((tmp_path,))["odd"].kind == "lora"
    found = run_with(network, load(tmp_path / "odd.safetensors", network), scale)
    assert torch.allclose(found, run(merged(network, deltas, scale))[1], atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_of_different_strengths_in_one_batch_beside_a_lora(
    kind: str, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    deltas = written(kind, network, tmp_path / "odd.safetensors")
    other = written("lora", network, tmp_path / "lora.safetensors")
    adapters = [load(tmp_path / f"{name}.safetensors", network) for name in ("odd", "lora")]
    scales = torch.tensor([[0.8, 0.0], [-0.5, 1.5]])
    plain, (z, text) = run(network), inputs()
    with torch.no_grad(), attached(network, [one.unet for one in adapters], scales):
        found = network(z, torch.tensor(400), encoder_hidden_states=text).sample
    for sample, (mine, others) in enumerate(scales.tolist()):
        expected = run(merged(merged(network, deltas, mine), other, others))[sample]
        assert torch.allclose(found[sample], expected, atol=1e-9)
    assert torch.equal(run(network), plain)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        pipe = tiny.pipeline(folder / "base")
        for kind in KINDS:
            written(kind, pipe.unet, folder / f"{kind}.safetensors")
    finally:
        torch.set_default_dtype(before)
    return folder


def pictures(engine: Engine, **fields: object) -> list[np.ndarray]:
    sampler = {"steps": 2, "scheduler": "ddim", "seed": 3}
    preset = validate({"base": "base", "sampler": sampler, **fields})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_it_under_omega_leave_nothing_behind(kind: str, root: Path) -> None:
    """θ_ω at ω equals the same row's reference at strength ω; the next image is a fresh engine's."""
    torch.set_default_dtype(torch.float32)
    engine = Engine(device="cpu", library=Library((root,)))
    plain = {"prompt": "a cat", "weight": 100.0}
    before = pictures(engine, rows=[plain])[0]
    row = {**plain, "model": {"lora": kind, "strength": 0.8}}
    found = pictures(engine, rows=[row], omega=0.5)[0]
    # ε_{θ+ωsΔ}(φ) as a row of its own beside the prior's φ, whose coefficients cancel.
    parts = [
        {**plain, "model": {"lora": kind, "strength": 0.8}},
        {"prompt": "", "weight": -99.0, "model": {"lora": kind, "strength": 0.4}},
    ]
    assert np.abs(found - pictures(engine, rows=parts, omega=0.0)[0]).max() <= 1
    assert np.abs(found - before).max() > 1
    assert (pictures(engine, rows=[plain])[0] == before).all()


def test_what_is_left_out_of_a_file_is_said_with_the_picture(root: Path) -> None:
    torch.set_default_dtype(torch.float32)
    state = kohya(LINEAR, diff=torch.randn(8, 16)) | {"strange.key": torch.ones(1)}
    save_file(state, root / "strange.safetensors")
    engine = Engine(device="cpu", library=Library((root,)))
    rows = [{"prompt": "a", "model": {"lora": "strange"}}]
    preset = validate({"base": "base", "rows": rows, "sampler": {"steps": 1}})
    (done,) = (event for event in engine.generate(preset) if isinstance(event, Done))
    assert done.notes == ("strange: left out, names that belong to no layer: 'strange.key'",)


def test_a_kind_from_outside(network: UNet2DConditionModel, tmp_path: Path) -> None:
    """A rank-one change ``u·vᵀ``, registered by somebody else: recognised, read, exact, documented."""

    def outer(f: Factors) -> Delta:
        return Delta(f["u"][:, None] * f["v"][None] * f.scale(1))

    kind = AdapterKind("Outer", {".toy_u": "u", ".toy_v": "v"}, "α · u·vᵀ", "this test")
    ADAPTER_KINDS.register("outer", kind)
    ADAPTER_CHANGES.register("outer", outer)
    try:
        u, v = r(8), r(16)
        save_file(kohya(LINEAR, toy_u=u, toy_v=v), tmp_path / "toy.safetensors")
        assert Library((tmp_path,))["toy"].kind == "lora"
        found = run_with(network, load(tmp_path / "toy.safetensors", network), 0.5)
        expected = run(merged(network, {f"{LINEAR}.weight": torch.outer(u, v)}, 0.5))[1]
        assert torch.allclose(found, expected, atol=1e-9)
    finally:
        ADAPTER_KINDS.remove("outer")
        ADAPTER_CHANGES.remove("outer")
    entry = Library((tmp_path,))["toy"]
    assert "no kind that is known" in entry.problem and "toy_u" in entry.problem


def test_the_documentation_lists_every_kind() -> None:
    page = (REPOSITORY / "docs/models.md").read_text(encoding="utf-8")
    for kind in ADAPTER_KINDS.values():
        tensors = ", ".join(f"`{name}`" for name in kind.shown())
        assert f"| {kind.title} | {tensors} | {kind.formula} | {kind.source} |" in page
