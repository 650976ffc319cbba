"""What the tensors of each kind of adapter mean: the change of one layer's weight and bias.

Each kind is one function from a layer's tensors and its own weight to a :class:`Delta`, under the
kind's name in :data:`studio.library.adapter_kinds.ADAPTER_KINDS`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.engine.adapters.changes import Delta, Factors, product, reads, shaped, tucker
from studio.errors import IncompatibleModels


@reads("lora")
def lora(f: Factors) -> Delta:
    """``α/r · B·A`` (LoRA); a Tucker core belongs to ``A``: ``A'[r] = Σ_s core[r, s]·A[s]``."""
    down, up, shape = f["down"], f["up"], f.shape
    scale = f.scale(down.shape[0])
    if "mid" in f:
        down = torch.einsum("rs...,si->ri...", f["mid"], down.flatten(1))
    _check_ends(down, up, shape)
    rank = down.shape[0]
    bias = f["up_bias"] * scale if "up_bias" in f else None
    if len(shape) == 4:  # factors of a 1×1 convolution may come as matrices, and the reverse
        down = down.reshape(rank, *shape[1:])
        return Delta((down, up.reshape(-1, rank, 1, 1) * scale), bias)
    return Delta((down.reshape(rank, -1), up.reshape(-1, rank) * scale), bias)


def _check_ends(down: Tensor, up: Tensor, shape: torch.Size) -> None:
    """Raise :class:`IncompatibleModels` unless ``up·down`` leads from the layer's inputs to its outputs."""
    rank, out = down.shape[0], up.shape[0]
    if len(shape) < 2:
        raise IncompatibleModels("is a product of factors for a layer that has one vector")
    if up.numel() != out * rank:
        raise IncompatibleModels(
            f"has factors that do not meet: {tuple(down.shape)} and {tuple(up.shape)}"
        )
    given = down[0].numel()
    if out != shape[0] or given != shape[1:].numel():
        raise IncompatibleModels(
            f"is a LoRA of another architecture: it is {_width(down.shape)}→{out}, the base "
            f"{_width(shape)}→{shape[0]}"
        )


def _width(shape: torch.Size) -> str:
    """Inputs of a weight, with its kernel where it has one: ``320 (3×3)``."""
    kernel = [size for size in shape[2:] if size != 1]
    return f"{shape[1]}" + (f" ({'×'.join(map(str, kernel))})" if kernel else "")


@reads("loha")
def loha(f: Factors) -> Delta:
    """``α/r · (A₁·B₁) ⊙ (A₂·B₂)``; with Tucker cores each side is one (LyCORIS)."""
    sides = []
    for side in ("1", "2"):
        a, b = f[f"hada_w{side}_a"], f[f"hada_w{side}_b"]
        if "hada_t1" in f or "hada_t2" in f:
            sides.append(tucker(f[f"hada_t{side}"], a, b))
        else:
            sides.append(product(a, b))
    change = sides[0] * sides[1] * f.scale(f["hada_w1_b"].shape[0])
    return Delta(shaped(change, f.shape))


@reads("lokr")
def lokr(f: Factors) -> Delta:
    """``W₁ ⊗ W₂``, each whole or a product; scaled where one is a product, the second's rank first."""
    left, rank = (
        (f["lokr_w1"], None)
        if "lokr_w1" in f
        else (product(f["lokr_w1_a"], f["lokr_w1_b"]), f["lokr_w1_b"].shape[0])
    )
    if "lokr_w2" in f:
        right = f["lokr_w2"]
    else:
        a, b = f["lokr_w2_a"], f["lokr_w2_b"]
        rank = b.shape[0]
        if "lokr_t2" in f:
            right = tucker(f["lokr_t2"], a, b)
        else:
            right = product(a, b)
            kernel = f.shape[2:]
            if kernel:
                right = right.reshape(right.shape[0], -1, *kernel)
    left = left.reshape(left.shape[0], -1)
    change = torch.kron(left.reshape(*left.shape, *[1] * (right.ndim - 2)), right)
    return Delta(shaped(change * (1.0 if rank is None else f.scale(rank)), f.shape))


@reads("glora")
def glora(f: Factors) -> Delta:
    """``α/r · (W·A₁·A₂ + B₁·B₂)``; the first files had the two factors of each product swapped."""
    a1, a2, b1, b2 = (f[name].flatten(1) for name in ("a1", "a2", "b1", "b2"))
    inner, out = f.shape[1], f.shape[0]
    if b1.shape[0] != out or a1.shape[0] != inner:
        a1, a2, b1, b2 = a2, a1, b2, b1
    rank = a2.shape[0]
    moved = torch.einsum("oi...,ij->oj...", f.weight, a1 @ a2)
    if "bm" in f:
        added = tucker(f["bm"], b1.T, b2)
    else:
        added = b1 @ b2
    return Delta((moved + shaped(added, f.shape)) * f.scale(rank))


@reads("ia3")
def ia3(f: Factors) -> Delta:
    """``W ⊙ l``, ``l`` one number an input or an output."""
    factor = f["weight"].flatten()
    axis = 1 if bool(f["on_input"].flatten()[0]) else 0
    if factor.numel() != f.shape[axis]:
        raise IncompatibleModels(
            f"scales {factor.numel()} inputs of a layer with {f.shape[1]}"
            if axis
            else f"scales {factor.numel()} outputs of a layer with {f.shape[0]}"
        )
    shape = [1] * len(f.shape)
    shape[axis] = -1
    return Delta(f.weight * factor.reshape(shape))


@reads("oft")
def oft(f: Factors) -> Delta:
    """``R·W − W``, ``R = (I + Q)(I − Q)⁻¹`` in blocks, ``Q`` skew and no longer than α·outputs.

    Three axes are OFT as LyCORIS and kohya write it, whose blocks act transposed; four are
    BOFT's butterfly factors, one after another.
    """
    blocks, weight = f["oft_blocks"], f.weight
    rotations = _cayley(blocks, (f.alpha or 0.0) * weight.shape[0])
    rows = weight.flatten(1)
    if blocks.ndim == 3:
        parts = rows.reshape(blocks.shape[0], blocks.shape[1], -1)
        moved = (rotations.transpose(1, 2) @ parts).reshape(rows.shape)
    else:
        moved = _butterflies(rotations, rows)
    change = moved - rows
    if "rescale" in f:
        scale = f["rescale"].reshape(-1, 1)
        # LyCORIS: OFT adds s·(R·W − W) and (s − 1)·W, which is s·(R·W) − W, as for BOFT.
        change = scale * moved - rows
    return Delta(change.reshape(weight.shape))


def _cayley(blocks: Tensor, longest: float) -> Tensor:
    skew = blocks - blocks.transpose(-1, -2)
    norm = skew.norm() + 1e-8
    if 0 < longest < float(norm):
        skew = skew * (longest / norm)
    one = torch.eye(blocks.shape[-1], dtype=blocks.dtype)
    return torch.linalg.solve(one - skew, one + skew, left=False)


def _butterflies(rotations: Tensor, rows: Tensor) -> Tensor:
    """Stage ``i`` turns blocks of rows that lie ``2^i · b/2`` apart (BOFT, Sec. 4)."""
    size = rotations.shape[-1]
    for stage, blocks in enumerate(rotations):
        apart = 2**stage * (size // 2)
        sorted_rows = rows.unflatten(0, (-1, 2, apart)).transpose(1, 2).flatten(0, 2)
        turned = blocks @ sorted_rows.unflatten(0, (-1, size))
        rows = turned.flatten(0, 1).unflatten(0, (-1, apart, 2)).transpose(1, 2).flatten(0, 2)
    return rows


@reads("full")
def full(f: Factors) -> Delta:
    """The differences as they are."""
    weight = shaped(f["diff"], f.shape) if "diff" in f else None
    return Delta(weight, _bias(f, "diff_b"))


@reads("norm")
def norm(f: Factors) -> Delta:
    """The differences of a norm's weight and bias."""
    weight = shaped(f["w_norm"], f.shape) if "w_norm" in f else None
    return Delta(weight, _bias(f, "b_norm"))


@reads("replaced")
def replaced(f: Factors) -> Delta:
    """``W′ − W`` of weights that were trained whole."""
    weight = shaped(f["weight_value"], f.shape) - f.weight if "weight_value" in f else None
    bias = _bias(f, "bias_value")
    return Delta(weight, bias if bias is None or f.bias is None else bias - f.bias)


def _bias(f: Factors, role: str) -> Tensor | None:
    return f[role].flatten() if role in f else None
