"""What one more row costs in bytes: its own, not a copy of the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.bench.counting import peak_bytes
from studio.bench.scene import Scene

BASE_ROW_LIMIT = 200_000_000


def measure(scene: Scene) -> dict[str, Any]:
    """Peak bytes per added row of the base, and what a LoRA adds to such a row.

    Returns:
        ``memory_base_row`` and ``memory_lora_row``, each with its bytes and its aim.
    """
    two = _peak(scene, scene.rows(1))
    four = _peak(scene, scene.rows(3))
    plain = _peak(scene, scene.rows(2))
    with_lora = _peak(scene, [*scene.rows(1), {**scene.rows(2)[1], "model": {"lora": scene.lora}}])
    adapter = scene.loader.adapter(scene.lora, scene.base, scene.base)
    weights = sum(t.numel() * t.element_size() for t in adapter.tensors())
    return {
        "memory_base_row": {"bytes": (four - two) // 2, "aim": BASE_ROW_LIMIT},
        "memory_lora_row": {"bytes": with_lora - plain + weights, "aim": weights},
    }


def _peak(scene: Scene, rows: Sequence[dict[str, Any]]) -> int:
    """Of a second run, so that what is made once and kept is there on all sides."""
    run = scene.engine(rows)
    run()
    return peak_bytes(run, scene.loader.device)
