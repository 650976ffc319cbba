"""Noise by seed: distinct, as torch and numpy make it, and its variations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from studio.diffusion.noise import generator, initial_noise, varied


def words(made: torch.Generator) -> np.ndarray:
    return made.get_state().numpy()[24 : 24 + 624 * 8].view(np.uint64)


def test_small_seeds_are_torchs_own() -> None:
    for seed in (0, 5, 2**32 - 1):
        theirs = torch.Generator().manual_seed(seed)
        assert torch.equal(generator(seed).get_state(), theirs.get_state())
        # The state is the Mersenne Twister's, as numpy's legacy seeding sets it.
        assert (words(theirs) == np.random.RandomState(seed).get_state()[1]).all()


def test_large_seeds_differ_from_small_ones_and_from_each_other() -> None:
    seeds = [5, 2**32 + 5, 2**33 + 5, 2**53 - 1, 2**32 - 1]
    drawn = [torch.randn(64, generator=generator(seed)) for seed in seeds]
    for i, one in enumerate(drawn):
        assert all(not torch.equal(one, other) for other in drawn[:i])
        assert torch.equal(one, torch.randn(64, generator=generator(seeds[i])))
    many = torch.randn(100_000, generator=generator(2**40 + 1))
    assert abs(float(many.mean())) < 0.02 and abs(float(many.std()) - 1) < 0.01


def test_large_seeds_are_numpys_array_seeds() -> None:
    made = generator(2**40 + 5)
    theirs = np.random.RandomState([5, 2**8])
    ours = torch.rand(8, generator=made)
    # torch makes a float32 of the lower 24 bits of one word of the twister.
    drawn = theirs.randint(0, 2**32, 8, dtype=np.uint32)
    assert ours.tolist() == ((drawn & (2**24 - 1)) / 2**24).tolist()


def slerp(low: np.ndarray, high: np.ndarray, share: float) -> np.ndarray:
    """As the web UI has it, on one picture's (channels, height, width), by hand."""
    cosine = (low / np.linalg.norm(low, axis=1, keepdims=True)) * (
        high / np.linalg.norm(high, axis=1, keepdims=True)
    )
    cosine = cosine.sum(1)
    if cosine.mean() > 0.9995:
        return low * (1 - share) + high * share
    angle = np.arccos(cosine)[:, None]
    return (np.sin((1 - share) * angle) * low + np.sin(share * angle) * high) / np.sin(angle)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_variations_are_the_web_uis(share: float) -> None:
    one, other = (
        initial_noise((4, 6, 5), [generator(s) for s in seeds], torch.device("cpu"))
        for seeds in ((1, 2), (3, 2))
    )
    ours = varied(one, other, share)
    for image in range(2):  # the second picture varies towards itself
        expected = slerp(one[image].double().numpy(), other[image].double().numpy(), share)
        assert ours[image].numpy() == pytest.approx(expected, abs=1e-5)
