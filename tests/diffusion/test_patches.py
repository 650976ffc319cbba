"""The norm of patches, beside diffusers' way: latents packed two by two, a norm of each place."""

from __future__ import annotations

import pytest
import torch

from studio.diffusion.guidance import Moment
from studio.diffusion.parameterisation import Prediction
from studio.diffusion.patches import rescale_patches

ONE = torch.tensor(1.0, dtype=torch.float64)


def packed(latents: torch.Tensor) -> torch.Tensor:
    """(batch, channels, h, w) as (batch, places, channels of four positions)."""
    batch, channels, height, width = latents.shape
    latents = latents.view(batch, channels, height // 2, 2, width // 2, 2)
    return latents.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * 4)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_each_patch_has_the_reference_s_length(share: float) -> None:
    reference, output = torch.randn(2, 2, 3, 4, 6, dtype=torch.float64).unbind()
    moment = Moment(output, ONE, ONE, "flow_prediction", reference=reference)
    found = packed(rescale_patches(Prediction(output), moment, share).output)
    lengths = packed(reference).norm(dim=-1, keepdim=True)
    whole = packed(output) * lengths / packed(output).norm(dim=-1, keepdim=True)
    torch.testing.assert_close(found, share * whole + (1 - share) * packed(output))


def test_a_patch_of_zeros_stays_one() -> None:
    reference, output = torch.full((1, 4, 4, 4), 1e30), torch.zeros(1, 4, 4, 4)
    moment = Moment(output, ONE, ONE, "flow_prediction", reference=reference)
    assert rescale_patches(Prediction(output), moment, 1.0).output.equal(output)
