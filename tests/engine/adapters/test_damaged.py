"""Damaged and odd adapter files: each works, or is refused in one line; nothing else."""

from __future__ import annotations

import copy
import json
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save

from studio.engine.adapters import layers
from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import check_fits
from studio.errors import IncompatibleModels, StudioError
from studio.library.index import Index
from studio.library.places import Place
from studio.library.scan import scan
from tests.support import tiny
from tests.support.tiny_adapters import CPU, run_with

LINEAR = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"  # 16 to 8
CONV = "down_blocks.0.resnets.0.conv1"  # 8 to 8, 3×3
NORM = "down_blocks.0.resnets.0.norm1"
MUTATIONS = 300

Header = dict[str, Any]


@pytest.fixture(scope="module")
def network() -> UNet2DConditionModel:
    return tiny.unet().eval()


def whole(seed: int = 0) -> bytes:
    """A file with layers of several kinds, alphas, a magnitude and diffusers' settings."""
    rng = torch.Generator().manual_seed(seed)

    def r(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng) * 0.3

    flat = {name: "lora_unet_" + name.replace(".", "_") for name in (LINEAR, CONV, NORM)}
    state = {
        f"{flat[LINEAR]}.lora_down.weight": r(2, 16),
        f"{flat[LINEAR]}.lora_up.weight": r(8, 2),
        f"{flat[LINEAR]}.alpha": torch.tensor(1.0),
        f"{flat[LINEAR]}.dora_scale": r(8, 1).abs() + 1,
        f"{flat[CONV]}.hada_w1_a": r(8, 2),
        f"{flat[CONV]}.hada_w1_b": r(2, 72),
        f"{flat[CONV]}.hada_w2_a": r(8, 2),
        f"{flat[CONV]}.hada_w2_b": r(2, 72),
        f"{flat[CONV]}.diff_b": r(8),
        f"{flat[NORM]}.w_norm": r(8),
        f"{flat[NORM]}.b_norm": r(8),
        f"unet.{LINEAR.replace('to_k', 'to_v')}.lora_A.weight": r(2, 16),
        f"unet.{LINEAR.replace('to_k', 'to_v')}.lora_B.weight": r(8, 2),
        f"unet.{LINEAR.replace('attn2.to_k', 'attn1.to_q')}.oft_blocks": r(2, 4, 4),
    }
    settings = {"unet.lora_alpha": 4, "unet.r": 2, "unet.alpha_pattern": {"attn2.to_v": 3}}
    return save(state, {"lora_adapter_metadata": json.dumps(settings)})


def opened(data: bytes) -> tuple[Header, bytes]:
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def closed(header: Header, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


ODD: list[Any] = [
    None,
    [],
    {},
    "x",
    "1e999",
    True,
    -1,
    0,
    1.5,
    10**400,
    [[1]],
    [-1, 8],
    ["a", "b"],
    "F8_E4M3",
    "BF16",
    "I64",
    "BOOL",
    "C64",
]


def mutated(rng: random.Random) -> bytes:
    """One damage to the whole file, drawn by ``rng``."""
    header, body = opened(whole())
    header = copy.deepcopy(header)
    keys = [key for key in header if key != "__metadata__"]
    key, other = rng.choice(keys), rng.choice(keys)
    entry = header[key]
    kind = rng.randrange(12)
    if kind == 0:
        entry[rng.choice(["dtype", "shape", "data_offsets"])] = rng.choice(ODD)
    elif kind == 1:
        header[key] = rng.choice(ODD)
    elif kind == 2:
        del header[key]  # a hole in the file
    elif kind == 3:
        header[key], header[other] = header[other], header[key]  # another layer's shape
    elif kind == 4:
        header[rng.choice([key.upper(), key + ".x", "x" * 5000, "é" + key, key[:-1]])] = header.pop(
            key
        )
    elif kind == 5:
        entry["shape"] = entry["shape"][::-1]
    elif kind == 6:
        entry["shape"] = [rng.choice([1, 2, 4, 10**9]) for _ in range(rng.randrange(6))]
    elif kind == 7:
        header["__metadata__"] = rng.choice(ODD)
    elif kind == 8:
        text = rng.choice(["[", "null", "[" * 9000, '{"unet.lora_alpha": 1e999}', "{}"])
        header["__metadata__"] = {"lora_adapter_metadata": text}
    elif kind == 9:
        settings = {"unet.lora_alpha": rng.choice(ODD), "unet.alpha_pattern": rng.choice(ODD)}
        header["__metadata__"] = {"lora_adapter_metadata": json.dumps(settings)}
    elif kind == 10:
        at = rng.randrange(len(body) - 4)
        odd = rng.choice([b"\xff\xff\xff\x7f", b"\x00\x00\x80\x7f", bytes(4)])  # NaN, inf, 0
        body = body[:at] + odd + body[at + 4 :]
    else:
        data = bytearray(closed(header, body))
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
    return closed(header, body)


def outcome(path: Path, network: UNet2DConditionModel) -> str:
    """``works``, or the class of the refusal; anything else is raised."""
    listed = {
        entry.id: entry for entry in scan(Place(path.parent), Index(path.parent / "index.json"))
    }
    assert not listed["good"].problem  # whatever is in the file, the others are listed
    assert path.stem in listed
    try:
        adapter = load_adapter(path, "odd", network, {}, CPU, torch.float32)
        check_fits(network, adapter.unet, "odd")
    except StudioError as error:
        assert "\n" not in str(error) and str(error).startswith("odd") and len(str(error)) < 700
        return type(error).__name__
    return "works"


def test_every_mutation_works_or_is_one_line(network: UNet2DConditionModel, tmp_path: Path) -> None:
    (tmp_path / "good.safetensors").write_bytes(whole())
    assert outcome(tmp_path / "good.safetensors", network) == "works"
    found: dict[str, int] = {}
    for seed in range(MUTATIONS):
        data = mutated(random.Random(seed))
        path = tmp_path / f"odd{seed}.safetensors"
        path.write_bytes(data)
        started = time.process_time()
        try:
            result = outcome(path, network)
        except Exception as error:
            raise AssertionError(f"mutation {seed}: {type(error).__name__}: {error}") from error
        found[result] = found.get(result, 0) + 1
        assert time.process_time() - started < 10
        path.unlink()
    assert set(found) == {"works", "IncompatibleModels", "MissingModel"}
    assert min(found.values()) > 20, found


def with_settings(settings: Any) -> bytes:
    header, body = opened(whole())
    header["__metadata__"] = {"lora_adapter_metadata": json.dumps(settings)}
    return closed(header, body)


def without(*endings: str) -> Callable[[], bytes]:
    def make() -> bytes:
        from safetensors.torch import load

        return save({k: v for k, v in load(whole()).items() if not k.endswith(endings)})

    return make


def with_tensors(**tensors: torch.Tensor) -> Callable[[], bytes]:
    def make() -> bytes:
        from safetensors.torch import load

        name = "lora_unet_" + LINEAR.replace(".", "_")
        return save(load(whole()) | {f"{name}.{role}": value for role, value in tensors.items()})

    return make


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: with_settings({"unet.lora_alpha": "x"}), "lora_alpha is 'x'; it must be a number"),
        (lambda: with_settings({"unet.alpha_pattern": [1]}), "names of layers with numbers"),
        (
            lambda: with_settings({"unet.alpha_pattern": {"([a-z0-9_.]+)*!": 1}}),
            "the end of a layer's name",
        ),
        (lambda: with_settings([]), "no JSON object"),
        (without("lora_up.weight"), "has down and no up"),
        (without("hada_w2_b"), "and no hada_w2_b"),
        (with_tensors(alpha=torch.tensor(float("nan"))), "has alpha nan"),
        (with_tensors(alpha=torch.ones(3)), "alpha of shape (3,); it is one number"),
        (with_tensors(rescale=torch.ones(8)), "has rescale beside lora"),
        (with_tensors(lokr_t1=torch.ones(8)), "part of a decomposition that is not read"),
        (with_tensors(dora_scale=torch.ones(3, 1)), "has magnitudes (3, 1)"),
        (with_tensors(diff_b=torch.ones(3)), "changes a bias of 3 numbers"),
    ],
)
def test_refusals_name_the_layer_and_what_is_wrong(
    make: Callable[[], bytes], said: str, network: UNet2DConditionModel, tmp_path: Path
) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(make())
    with pytest.raises(IncompatibleModels) as caught:
        load_adapter(path, "odd", network, {}, CPU, torch.float32)
    assert said in str(caught.value) and caught.value.field == "odd"


def test_the_whole_file_changes_the_network(network: UNet2DConditionModel, tmp_path: Path) -> None:
    (tmp_path / "good.safetensors").write_bytes(whole())
    adapter = load_adapter(tmp_path / "good.safetensors", "good", network, {}, CPU, torch.float32)
    assert len(adapter.unet) == 7 and not adapter.notes
    run_with(network, adapter)


@pytest.mark.parametrize(
    "full",
    [torch.OutOfMemoryError("x"), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_memory_that_runs_out_is_not_the_file_s_fault(
    full: Exception, network: UNet2DConditionModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: Any) -> Any:
        raise full

    (tmp_path / "good.safetensors").write_bytes(whole())
    monkeypatch.setattr(layers, "_sum", exhausted)
    with pytest.raises(type(full)) as caught:
        load_adapter(tmp_path / "good.safetensors", "good", network, {}, CPU, torch.float32)
    assert caught.value is full
