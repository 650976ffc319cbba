"""``θ_ω``: networks and text towers between a prior and its full fine-tunes (Steering Guidance, Eq. 8)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from studio.diffusion.guidance import lerp_weights
from studio.engine.networks.storage import dtype_of
from studio.errors import IncompatibleModels


def blended_network(
    prior: Any, tuned: Sequence[tuple[Any, float]], names: Sequence[str], prior_name: str
) -> nn.Module:
    """A new network of weights ``θ + Σ f·(θ′ − θ)``, where the prior's lie.

    Args:
        prior: θ. tuned: networks θ′ with their fractions f, called ``names`` in errors.

    Raises:
        IncompatibleModels: a fine-tune of another architecture; names ``omega``.
    """
    theta = prior.state_dict()
    for (network, _), name in zip(tuned, names, strict=True):
        theta = _widened(theta, network.state_dict())
        _check_same_shape(theta, network.state_dict(), name, prior_name)
    state = lerp_weights(theta, [(network.state_dict(), f) for network, f in tuned])
    mixed = _empty(type(prior), tuned[0][0].config, dtype_of(prior))
    mixed.load_state_dict(state, assign=True)
    return mixed.to(next(prior.parameters()).device).eval().requires_grad_(False)


def _empty(kind: Any, config: Mapping[str, Any], dtype: torch.dtype) -> nn.Module:
    """A network without weights, as diffusers begins one of ``dtype``: each tensor comes with its own
    type, and norms that a family keeps in float32 stay so."""
    from accelerate import init_empty_weights

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with init_empty_weights():
            return kind.from_config(config)
    finally:
        torch.set_default_dtype(before)


def blended_text(prior: nn.Module, tuned: Sequence[tuple[nn.Module, float]]) -> nn.Module:
    """A text tower (or pair of towers) between those of a prior and its fine-tunes; the prior's tokenizer."""
    mixed = copy.deepcopy(prior)
    state = [(tower.state_dict(), fraction) for tower, fraction in tuned]
    mixed.load_state_dict(lerp_weights(prior.state_dict(), state))
    return mixed


def moved(one: nn.Module, other: nn.Module) -> bool:
    """Whether two modules have the same tensors by name and shape, and other values in them."""
    theta, tuned = one.state_dict(), other.state_dict()
    if _shapes(theta) != _shapes(tuned):
        return False
    return any(not torch.equal(value, tuned[name]) for name, value in theta.items())


def _widened(theta: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """``theta`` with the input channels that an editing fine-tune added, as it began: at zero.

    InstructPix2Pix (Brooks et al. 2023, Sec. 3.2) starts from the prior with a first convolution
    whose further channels are zero, so that this is the prior exactly.
    """
    name = "conv_in.weight"
    if name not in theta or name not in other or theta[name].shape[1] >= other[name].shape[1]:
        return theta
    more = other[name].shape[1] - theta[name].shape[1]
    return {**theta, name: torch.cat([theta[name], torch.zeros_like(other[name][:, :more])], dim=1)}


def _check_same_shape(
    theta: Mapping[str, Tensor], other: Mapping[str, Tensor], name: str, base: str
) -> None:
    if _shapes(theta) != _shapes(other):
        raise IncompatibleModels(
            f"{name!r} has another architecture than {base!r}; ω cannot interpolate between them "
            "(set omega to 0)",
            field="omega",
        )


def _shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state.items()}
