"""Models distilled to a few steps, known by their names, and how much guidance they bear."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class FewSteps:
    """A way of distilling.

    ``named``: a pattern of ids in lower case. ``most``: what the sizes of weights may sum to, as its
    makers advise; guidance is in the weights of the model already.
    """

    title: str
    named: str
    most: float = 1.0


_WORD = r"(?:^|[^a-z]){}(?:$|[^a-z])"
FEW_STEPS = (
    FewSteps("LCM", _WORD.format("lcm"), 2.0),
    FewSteps("Turbo", _WORD.format("turbo")),
    # A storm may be called lightning, too.
    FewSteps("Lightning", r"(?:xl|qwen|flux|step).*lightning|lightning.*(?:xl|step)"),
    FewSteps("Hyper", _WORD.format(r"hyper-?(?:sd|sdxl|flux)[a-z0-9]*")),
    FewSteps("DMD", _WORD.format(r"dmd2?")),
    FewSteps("FLUX.1 [schnell]", _WORD.format("schnell")),
    FewSteps("FLUX.2 [klein]", r"flux\.?2-klein(?!.*base)"),
)


def few_steps(name: str) -> FewSteps | None:
    """How the model of an id was distilled; ``None`` for none that its name tells of."""
    return next((one for one in FEW_STEPS if re.search(one.named, name.lower())), None)
