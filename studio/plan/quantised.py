"""What cannot be reckoned with weights that are rounded to few bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from studio.errors import IncompatibleModels
from studio.library import ModelEntry
from studio.plan.passes import Weights


def check_blends(catalogue: Mapping[str, ModelEntry], weights: Iterable[Weights]) -> None:
    """See that no θ_ω is asked for between full networks of which one is quantised.

    A LoRA's θ_ω needs no weights, only another scale, and is not refused.

    Raises:
        IncompatibleModels: one is; names ``omega``.
    """
    for one in weights:
        for name in (one.model, *(tuned for tuned, _ in one.blend)) if one.blend else ():
            if method := catalogue[name].quantised:
                raise IncompatibleModels(
                    f"{name!r} has weights rounded by {method}, between which ω cannot interpolate; "
                    "set omega to 0 or 1 for one fine-tune alone, or use the full weights",
                    field="omega",
                )
