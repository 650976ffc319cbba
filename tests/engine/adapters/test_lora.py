"""Per-sample LoRA against merged weights, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from studio.engine.adapters.files import load_adapter
from studio.engine.adapters.lora import attached
from studio.errors import IncompatibleModels, MissingModel

CPU = torch.device("cpu")


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.line = nn.Linear(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.line(self.conv(x).movedim(1, -1))


def adapter(rank: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    return {
        "conv": (torch.randn(rank, 3, 3, 3), torch.randn(6, rank, 1, 1)),
        "line": (torch.randn(rank, 6), torch.randn(5, rank)),
    }


def test_each_sample_equals_a_network_with_merged_weights() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        network, x = Small(), torch.randn(4, 3, 8, 8)
        adapters = [adapter(2), adapter(3)]
        scales = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, -0.5], [0.4, 2.0]])
        untouched = network(x)
        with torch.no_grad(), attached(network, adapters, scales):
            together = network(x)
        for sample in range(4):
            merged = Small()
            merged.load_state_dict(network.state_dict())
            for part, scale in zip(adapters, scales[sample], strict=True):
                (a, b), (c, d) = part["conv"], part["line"]
                merged.conv.weight.data += scale * torch.einsum("rikl,or->oikl", a, b[:, :, 0, 0])
                merged.line.weight.data += scale * d @ c
            assert torch.allclose(together[sample], merged(x[sample : sample + 1])[0], atol=1e-10)
        assert torch.equal(network(x), untouched)  # nothing leaks into the next image
    finally:
        torch.set_default_dtype(torch.float32)


def test_another_architecture_is_refused_by_name() -> None:
    scales = torch.ones(1, 1)
    with (
        pytest.raises(IncompatibleModels, match="no layer nowhere"),
        attached(Small(), [{"nowhere": (torch.zeros(1, 1), torch.zeros(1, 1))}], scales, "my-lora"),
    ):
        pass
    wide = {"line": (torch.zeros(1, 9), torch.zeros(5, 1))}
    with (
        pytest.raises(IncompatibleModels, match="9→5, the base 6→5") as caught,
        attached(Small(), [wide], scales, "my-lora"),
    ):
        pass
    assert caught.value.field == "my-lora"


def test_files_that_are_no_lora(tmp_path) -> None:
    from safetensors.torch import save_file

    def load(name: str) -> None:
        load_adapter(tmp_path / name, name, Small(), {}, CPU, torch.float32)

    with pytest.raises(MissingModel):
        load("absent.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    with pytest.raises(MissingModel, match=r"cut\.safetensors"):
        load("cut.safetensors")
    good = {
        "unet.line.lora_A.weight": torch.ones(2, 6),
        "unet.line.lora_B.weight": torch.ones(5, 2),
    }
    save_file(
        {**good, "unet.line.lora_magnitude_vector": torch.ones(4)}, tmp_path / "dora.safetensors"
    )
    with pytest.raises(IncompatibleModels, match=r"layer line has magnitudes \(4, 1\)"):
        load("dora.safetensors")


def test_what_belongs_to_nothing_is_left_out_with_a_note(tmp_path) -> None:
    from safetensors.torch import save_file

    state = {
        "unet.line.lora_A.weight": torch.ones(2, 6),
        "unet.line.lora_B.weight": torch.ones(5, 2),
        "unet.what.is_this": torch.ones(1),
    }
    save_file(state, tmp_path / "odd.safetensors")
    found = load_adapter(tmp_path / "odd.safetensors", "odd", Small(), {}, CPU, torch.float32)
    assert list(found.unet) == ["line"]
    assert found.notes == ("left out, names that belong to no layer: 'unet.what.is_this'",)
