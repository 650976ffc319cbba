"""One adapter of every kind for the tiny U-Net, with the weights that it comes to, by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

LINEAR = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"  # 16 to 8
CONV = "down_blocks.0.resnets.0.conv1"  # 8 to 8, 3×3
NORM = "down_blocks.0.resnets.0.norm1"  # 8 channels

State = dict[str, Tensor]
Deltas = dict[str, Tensor]  # parameter → Δ


def kohya(layer: str, **tensors: Tensor) -> State:
    """A layer's tensors under kohya's name for it; ``__`` stands for a dot in a role."""
    name = "lora_unet_" + layer.replace(".", "_")
    return {f"{name}.{role.replace('__', '.')}": t.contiguous() for role, t in tensors.items()}


def r(*shape: int) -> Tensor:
    """Random numbers of moderate size."""
    return torch.randn(*shape) * 0.4


def lora(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    a, b = r(2, 16), r(8, 2)
    state = kohya(LINEAR, lora_down__weight=a, lora_up__weight=b, alpha=torch.tensor(8.0))
    return state, {f"{LINEAR}.weight": b @ a * 4}


def loha(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    a, b, c, d = r(8, 2), r(2, 72), r(8, 2), r(2, 72)
    state = kohya(CONV, hada_w1_a=a, hada_w1_b=b, hada_w2_a=c, hada_w2_b=d)
    return state, {f"{CONV}.weight": ((a @ b) * (c @ d)).reshape(8, 8, 3, 3)}


def lokr(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    left, right = r(2, 4), r(4, 4)
    return kohya(LINEAR, lokr_w1=left, lokr_w2=right), {f"{LINEAR}.weight": torch.kron(left, right)}


def glora(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    a, b, c, d = r(16, 2), r(2, 16), r(8, 2), r(2, 16)
    state = kohya(LINEAR, a1__weight=a, a2__weight=b, b1__weight=c, b2__weight=d)
    return state, {f"{LINEAR}.weight": w[f"{LINEAR}.weight"] @ a @ b + c @ d}


def ia3(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    factor = r(8)
    state = kohya(LINEAR, weight=factor, on_input=torch.tensor(False))
    return state, {f"{LINEAR}.weight": w[f"{LINEAR}.weight"] * factor[:, None]}


def oft(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    blocks, weight = r(2, 4, 4), w[f"{LINEAR}.weight"]
    skew = blocks - blocks.mT
    turn = (torch.eye(4) + skew) @ torch.linalg.inv(torch.eye(4) - skew)
    moved = torch.block_diag(*turn).mT @ weight
    return kohya(LINEAR, oft_blocks=blocks), {f"{LINEAR}.weight": moved - weight}


def dora(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    a, b, m, weight = r(2, 16), r(8, 2), r(8, 1), w[f"{LINEAR}.weight"]
    moved = weight + b.to(weight) @ a.to(weight)
    length = moved.square().sum(dim=1, keepdim=True).sqrt()
    state = kohya(LINEAR, lora_down__weight=a, lora_up__weight=b, dora_scale=m)
    return state, {f"{LINEAR}.weight": m * moved / length - weight}


def full(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    d, b = r(8, 8, 3, 3), r(8)
    return kohya(CONV, diff=d, diff_b=b), {f"{CONV}.weight": d, f"{CONV}.bias": b}


def norm(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    d, b = r(8), r(8)
    return kohya(NORM, w_norm=d, b_norm=b), {f"{NORM}.weight": d, f"{NORM}.bias": b}


def replaced(w: Mapping[str, Tensor]) -> tuple[State, Deltas]:
    value = r(8, 16)
    state = {f"diffusion_model.{LINEAR}.set_weight": value}
    return state, {f"{LINEAR}.weight": value - w[f"{LINEAR}.weight"]}


EXAMPLES: dict[str, Callable[[Mapping[str, Tensor]], tuple[State, Deltas]]] = {
    "lora": lora,
    "loha": loha,
    "lokr": lokr,
    "glora": glora,
    "ia3": ia3,
    "oft": oft,
    "full": full,
    "norm": norm,
    "replaced": replaced,
}


def merged(network: nn.Module, deltas: Mapping[str, Tensor], scale: float = 1.0) -> nn.Module:
    """A copy of ``network`` with ``scale·Δ`` added to its parameters."""
    found = copy.deepcopy(network)
    for name, delta in deltas.items():
        found.get_parameter(name).data += scale * delta
    return found
