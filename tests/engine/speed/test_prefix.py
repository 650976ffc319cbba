"""The shared prefix and the text cache change nothing but rounding and the work that is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from studio.engine.denoiser import Denoiser
from studio.engine.inputs.passes import prepare_passes
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.engine.speed.prefix import TextCache, prefix_modules, shared_prefix, untouched
from studio.library import Library
from studio.plan import Weights, compile_plan
from studio.preset import validate
from tests.support import tiny

Z = torch.randn(3, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
LEVEL = (torch.tensor(0.8), torch.tensor(0.6))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.lora(folder / "base/style", tiny.pipeline(folder / "base").unet)
    return folder


def denoiser(
    root: Path, rows: list[dict], exact: bool, chunk: int = 64
) -> tuple[Denoiser, nn.Module]:
    library = Library((root,))
    preset = validate({"base": "base", "rows": rows})
    loader = Loader(library, Registry(2**30), torch.device("cpu"), torch.float64)
    plan = compile_plan(preset, library)
    passes = prepare_passes(preset, plan, loader)
    return Denoiser(plan, passes, "epsilon", chunk, exact), loader.network(Weights("base"))


PLAIN = [{"prompt": "a", "weight": 3.0}, {"prompt": "b", "weight": -1.0}]
WITH_LORA = [*PLAIN, {"prompt": "c", "weight": 2.0, "model": {"lora": "base/style"}}]


@pytest.mark.parametrize("rows", [PLAIN, WITH_LORA])
@pytest.mark.parametrize("chunk", [2, 64])
def test_shared_equals_exact(root: Path, rows: list[dict], chunk: int) -> None:
    fast, network = denoiser(root, rows, exact=False, chunk=chunk)
    plain, _ = denoiser(root, rows, exact=True)
    for step, t in enumerate([900, 500, 100]):  # the second and third step use what is kept
        got, expected = (d(step, Z * (1 + step), torch.tensor(t), *LEVEL) for d in (fast, plain))
        assert (got - expected).abs().max() < 1e-10
    assert all("forward" not in module.__dict__ for module in network.modules())


def test_prefix_runs_once_per_image_and_text_once_per_run(root: Path) -> None:
    denoise, network = denoiser(root, PLAIN, exact=False)
    seen: dict[str, list[int]] = {}
    originals = {}
    for name in (
        "conv_in",
        "down_blocks.0.resnets.0",
        "down_blocks.0.attentions.0.proj_in",
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k",
        "conv_out",
    ):
        module = network.get_submodule(name)
        cls = originals[name] = type(module)

        def forward(self, x, *args, _cls=cls, _name=name, **kwargs):  # noqa: ANN001, ANN202
            seen.setdefault(_name, []).append(x.shape[0])
            return _cls.forward(self, x, *args, **kwargs)

        module.__class__ = type(cls.__name__, (cls,), {"forward": forward})
    for step in range(3):
        denoise(step, Z, torch.tensor(500), *LEVEL)
    assert seen["conv_in"] == seen["down_blocks.0.resnets.0"] == [3, 3, 3]
    assert seen["down_blocks.0.attentions.0.proj_in"] == [3, 3, 3]
    assert seen["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"] == [9]
    assert seen["conv_out"] == [9, 9, 9]


def test_a_step_does_not_walk_the_network(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    denoise, network = denoiser(root, PLAIN, exact=False)
    first = denoise(0, Z, torch.tensor(500), *LEVEL)

    walk, walks = nn.Module.named_modules, []

    def watched(self: nn.Module, *args: Any, **options: Any) -> Iterator[Any]:
        yield from walk(self, *args, **options)
        walks.append(self)  # it was walked to its end

    monkeypatch.setattr(type(network), "named_modules", watched)
    assert torch.equal(denoise(1, Z, torch.tensor(500), *LEVEL), first)
    assert walks == []


def test_what_an_adapter_touches_is_not_shared() -> None:
    names = prefix_modules(tiny.unet())
    assert names[:3] == ["time_embedding", "conv_in", "down_blocks.0.resnets.0"]
    assert names[-1].endswith("attn2.to_q")
    assert untouched(names, {"down_blocks.0.resnets.0.conv1"}) == ["time_embedding", "conv_in"]
    assert untouched(names, {"up_blocks.0.resnets.0.conv1"}) == names
    assert untouched(names, {"conv_in_other"}) == names


def test_forwards_are_given_back_after_an_error() -> None:
    network = tiny.unet()
    with (
        pytest.raises(RuntimeError, match="stop"),
        shared_prefix(network, prefix_modules(network), [0, 0]),
        TextCache().attached(network, "x"),
    ):
        raise RuntimeError("stop")
    assert all("forward" not in module.__dict__ for module in network.modules())


def test_texts_of_batches_that_differ_are_kept_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    network, texts = tiny.unet().double(), torch.randn(3, 5, tiny.WIDTH, dtype=torch.float64)
    latents, t = torch.randn(3, 4, 8, 8, dtype=torch.float64), torch.tensor(300)
    reading = {m for name, m in network.named_modules() if name.endswith(("2.to_k", "2.to_v"))}
    read: list[int] = []
    forward = nn.Linear.forward

    def seen(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        read.extend([len(x)] * (layer in reading))
        return forward(layer, x)

    cache = TextCache()
    for batch, new in (([1], 1), ([0, 1], 1), ([2, 2, 0], 1), ([1, 2, 0], 0)):
        z = latents[: len(batch)]
        with torch.no_grad():
            expected = network(z, t, texts[batch]).sample
            monkeypatch.setattr(nn.Linear, "forward", seen)
            with cache.attached(network, "its weights", batch):
                got = network(z, t, texts[batch]).sample
            monkeypatch.undo()
        assert torch.allclose(got, expected, rtol=0, atol=1e-12)
        assert read == [new] * (len(reading) if new else 0)
        read.clear()
    with torch.no_grad(), cache.attached(network, "its weights", [0]):  # filled up to more tokens
        longer = torch.cat([texts[:1], texts[1:2]], dim=1)
        got = network(latents[:1], t, longer).sample
    assert torch.allclose(got, network(latents[:1], t, longer).sample, rtol=0, atol=1e-12)
