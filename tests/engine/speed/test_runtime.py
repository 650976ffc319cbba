"""Batch sizes, compiled parts, running out of memory: the sum stays, the shapes are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from PIL import Image
from torch import nn

from studio.engine.decoding import decode
from studio.engine.denoiser import Denoiser
from studio.engine.inputs.passes import prepare_passes
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.engine.speed.runtime import CUDA_BUCKETS, Regions, Runtime, next_batch
from studio.errors import OutOfMemory
from studio.library import Library
from studio.plan import Weights, compile_plan
from studio.preset import validate
from tests.support import tiny

Z = torch.randn(1, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


LEVEL = (torch.tensor(0.8), torch.tensor(0.6))


T = torch.tensor(500)


CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Loader:
    folder = tmp_path_factory.mktemp("models")
    tiny.lora(folder / "base/style", tiny.pipeline(folder / "base").unet)
    return Loader(Library((folder,)), Registry(2**30), CPU, torch.float64)


def denoiser(loader: Loader, rows: int, lora: bool = False, **options: object) -> Denoiser:
    model = {"model": {"lora": "base/style"}} if lora else {}
    preset = validate(
        {
            "base": "base",
            "rows": [
                {"prompt": chr(97 + i), "weight": 2.0 + i, **(model if i == 0 else {})}
                for i in range(rows)
            ],
        }
    )
    plan = compile_plan(preset, loader.library)
    passes = prepare_passes(preset, plan, loader)
    return Denoiser(plan, passes, "epsilon", **options)  # type: ignore[arg-type]


def shapes_of(network: nn.Module, work: Callable[[], object]) -> list[int]:
    seen: list[int] = []
    handle = network.get_submodule("conv_out").register_forward_hook(
        lambda _m, _i, output: seen.append(output.shape[0])
    )
    try:
        work()
    finally:
        handle.remove()
    return seen


@pytest.mark.parametrize(
    ("samples", "taken", "size"),
    [
        (1, 1, 1),
        (2, 2, 2),
        (3, 3, 4),
        (4, 4, 4),
        (5, 4, 4),
        (6, 6, 8),
        (7, 7, 8),
        (8, 8, 8),
        (9, 8, 8),
        (23, 8, 8),
    ],
)
def test_next_batch(samples: int, taken: int, size: int) -> None:
    assert next_batch(samples, CUDA_BUCKETS) == (taken, size)


def test_without_buckets_any_size_runs() -> None:
    assert next_batch(13, ()) == (13, 13)
    assert Runtime.chosen(CPU).buckets == ()
    assert Runtime.chosen(torch.device("cuda")).buckets == ()


def test_compiled_parts_run_with_few_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_COMPILE", "1")
    assert Runtime.chosen(torch.device("cuda")).buckets == (1, 2, 4, 8)
    assert Runtime.chosen(CPU).buckets == ()


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("lora", [False, True])
def test_few_shapes_and_the_same_sum(loader: Loader, images: int, lora: bool) -> None:
    network = loader.network(Weights("base"))
    for rows in range(1, 9):
        z = Z.expand(images, -1, -1, -1) * torch.arange(1, images + 1).view(-1, 1, 1, 1)
        expected = denoiser(loader, rows, lora)(0, z, T, *LEVEL)
        bucketed = denoiser(loader, rows, lora, buckets=CUDA_BUCKETS)
        got: list[torch.Tensor] = []
        seen = shapes_of(network, lambda d=bucketed, x=z, out=got: out.append(d(0, x, T, *LEVEL)))
        assert set(seen) <= set(CUDA_BUCKETS)
        samples = (rows + 1) * images
        assert samples <= sum(seen) <= samples * 4 / 3
        assert bucketed.forwards == samples
        assert (got[0] - expected).abs().max() < 1e-10


class Small:
    """Raises as CUDA does when a batch is larger than ``fits``."""

    def __init__(self, module: nn.Module, fits: int) -> None:
        self.plain, self.fits, self.tried = module.forward, fits, []

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.tried.append(x.shape[0])
        if x.shape[0] > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return self.plain(x)


@pytest.mark.parametrize(("fits", "buckets"), [(4, ()), (3, ()), (1, ()), (4, CUDA_BUCKETS)])
def test_out_of_memory_halves_the_batch_and_goes_on(
    loader: Loader, monkeypatch: pytest.MonkeyPatch, fits: int, buckets: tuple[int, ...]
) -> None:
    expected = denoiser(loader, 7)(0, Z, T, *LEVEL)
    last = loader.network(Weights("base")).get_submodule("conv_out")
    small = Small(last, fits)
    monkeypatch.setattr(last, "forward", small, raising=False)
    denoise = denoiser(loader, 7, buckets=buckets)
    got = denoise(0, Z, T, *LEVEL)
    assert (got - expected).abs().max() < 1e-10
    assert sum(n for n in small.tried if n <= fits) == 8
    assert denoise.max_samples <= fits
    small.tried.clear()
    denoise(1, Z, T, *LEVEL)
    assert max(small.tried) <= fits  # what was learned holds for the rest of the run


def test_out_of_memory_for_one_sample_is_one_clear_line(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = loader.network(Weights("base"))
    last = network.get_submodule("conv_out")
    monkeypatch.setattr(last, "forward", Small(last, 0), raising=False)
    with pytest.raises(OutOfMemory, match="smaller width") as caught:
        denoiser(loader, 3)(0, Z, T, *LEVEL)
    assert caught.value.field == "sampler.width" and "\n" not in str(caught.value)
    monkeypatch.undo()
    assert all("forward" not in module.__dict__ for module in network.modules())


class Decoder:
    """A family and a VAE that decode ``fits`` pictures, and one of ``edge`` only in tiles."""

    def __init__(self, fits: int, whole: bool = True, tiles: bool = True) -> None:
        self.fits, self.whole, self.tiles = fits, whole, tiles
        self.tiling, self.tried = False, []
        self.config = {"block_out_channels": (1,)}

    def parameters(self) -> Iterator[torch.Tensor]:
        yield torch.zeros(1)

    def enable_tiling(self) -> None:
        self.tiling = True

    def disable_tiling(self) -> None:
        self.tiling = False

    def decode(self, _vae: object, latent: torch.Tensor) -> list[Image.Image]:
        self.tried.append((len(latent), self.tiling))
        possible = self.tiles if self.tiling else self.whole
        if len(latent) > self.fits or not possible:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [Image.new("RGB", (1, 1), (int(x), 0, 0)) for x in latent[:, 0, 0, 0]]


def test_decoding_in_parts_keeps_every_picture() -> None:
    latent = torch.arange(7.0).view(7, 1, 1, 1)
    parts = Decoder(2)
    found = [image.getpixel((0, 0))[0] for image in decode(parts, parts, latent)]  # type: ignore
    assert found == list(range(7))
    tiled = Decoder(1, whole=False)
    assert len(decode(tiled, tiled, latent[:1])) == 1  # type: ignore[arg-type]
    assert tiled.tried == [(1, False), (1, True)] and not tiled.tiling
    hopeless = Decoder(1, whole=False, tiles=False)
    with pytest.raises(OutOfMemory, match="smaller width"):
        decode(hopeless, hopeless, latent)  # type: ignore[arg-type]
    assert not hopeless.tiling


@pytest.mark.parametrize("lora", [False, True])
def test_compiled_parts_change_nothing_and_stay_clear_of_what_is_hooked(
    loader: Loader, lora: bool
) -> None:
    calls: list[str] = []

    def compiler(forward: Callable) -> Callable:
        name = type(forward.__self__).__name__

        def run(*args: object, **kwargs: object) -> object:
            calls.append(name)
            return forward(*args, **kwargs)

        return run

    regions, network = Regions(compiler), loader.network(Weights("base"))
    expected = denoiser(loader, 3, lora)(0, Z, T, *LEVEL)
    for _ in range(2):
        calls.clear()
        got = denoiser(loader, 3, lora, regions=regions)(0, Z, T, *LEVEL)
        assert (got - expected).abs().max() < 1e-12
        blocks = [type(m).__name__ for m in network.modules()]
        # the first residual block is in the shared prefix; the LoRA reaches every other one
        residual = 0 if lora else blocks.count("ResnetBlock2D") - 1
        assert calls.count("ResnetBlock2D") == residual
        assert calls.count("FeedForward") == blocks.count("FeedForward")
    assert all("forward" not in module.__dict__ for module in network.modules())


def test_compiled_parts_do_not_keep_a_network_alive() -> None:
    import gc
    import weakref

    regions, network = Regions(lambda forward: forward), tiny.unet()
    with regions.attached(network, ()):
        pass
    gone = weakref.ref(network)
    del network
    gc.collect()
    assert gone() is None


def test_channels_last_changes_the_layout_only(loader: Loader) -> None:
    network, x = tiny.unet(), Z.float()
    text = torch.randn(1, 5, tiny.WIDTH)
    with torch.no_grad():
        before = network(x, T, text).sample
        Runtime(channels_last=True).arrange(network)
        after = network(x, T, text).sample
    assert network.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    assert (before - after).abs().max() < 1e-5


def test_xformers_keeps_the_text_cache(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """On CUDA alone it runs; what matters here is that its processor asks the same layers."""
    xformers_ops = pytest.importorskip("xformers.ops")
    from diffusers.models.attention_processor import AttnProcessor2_0, XFormersAttnProcessor

    def attention(q, k, v, attn_bias=None, op=None, scale=None):  # noqa: ANN001, ANN202
        return ((q @ k.transpose(1, 2)) * scale).softmax(-1) @ v

    monkeypatch.setattr(xformers_ops, "memory_efficient_attention", attention)
    network = loader.network(Weights("base"))
    expected = [denoiser(loader, 3, lora=True)(0, Z * n, T, *LEVEL) for n in (1, 2)]
    asked: list[int] = []
    layer = network.get_submodule("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k")
    plain = layer.forward

    def forward(text: torch.Tensor) -> torch.Tensor:
        asked.append(text.shape[0])
        return plain(text)

    network.set_attn_processor(XFormersAttnProcessor())
    denoise, got = denoiser(loader, 3, lora=True), []
    try:
        for n in (1, 2):
            layer.forward = forward  # the cache takes it off again together with its own
            got.append(denoise(n - 1, Z * n, T, *LEVEL))
    finally:
        layer.__dict__.pop("forward", None)
        network.set_attn_processor(AttnProcessor2_0())
    assert all((a - b).abs().max() < 1e-10 for a, b in zip(got, expected, strict=True))
    assert asked == [4]  # once for the run, not once a step
