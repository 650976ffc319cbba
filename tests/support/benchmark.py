"""A tiny network for the benchmark, and a clock that counts."""

from __future__ import annotations

TINY = {
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "cross_attention_dim": 16,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
    "sample_size": 8,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}
STEPS = 2


class Counter:
    """A clock that counts calls instead of measuring."""

    def __init__(self) -> None:
        self.calls = 0

    def time(self, work) -> float:  # noqa: ANN001
        work()
        self.calls += 1
        return float(self.calls)
