"""One image's own preset of a batch."""

from __future__ import annotations

from studio.engine.inputs.settled import single
from studio.preset import MAX_SEED, parse, validate


def test_seeds_count_up_and_after_the_largest_comes_0() -> None:
    sampler = {"seed": MAX_SEED - 1, "count": 4}
    presets = [single(validate({"sampler": sampler}), index) for index in range(4)]
    assert [one.sampler.seed for one in presets] == [MAX_SEED - 1, MAX_SEED, 0, 1]
    varied = {"seed": 5, "variation_seed": MAX_SEED, "variation_strength": 0.2, "count": 2}
    later = single(validate({"sampler": varied}), 1)
    assert (later.sampler.seed, later.sampler.variation_seed) == (5, 0)
    for one in (*presets, later):
        assert parse(one.to_json()) == one  # a picture's own preset can be opened
