"""What the rows of a run pulled towards, kept at a few of its steps. Reads what ran; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

from studio.diffusion.guidance import led_to
from studio.diffusion.parameterisation import to_sample
from studio.events import Explanation
from studio.plan import Plan

Level = tuple[Tensor, Tensor]  # α and σ of the noisy latent
BASE, SUM = "base", "sum"
Of = int | str  # a row, ε_0 or the sum


@dataclass
class Explainer:
    """Keeps finished latents ``x₀`` (batch, channels, h, w), on the CPU, at the looks of a plan.

    Args:
        plan: what is looked at, and when.
        prediction: the parameterisation of what it is shown (the scheduler's).

    ``seen``: for each look, by row, :data:`BASE` or :data:`SUM`; what did not run is not in it.
    """

    plan: Plan
    prediction: str
    seen: list[dict[Of, Tensor]] = field(default_factory=list)

    def look(
        self, step: int, outputs: Mapping[int, Tensor], guided: Tensor, z: Tensor, level: Level
    ) -> None:
        """Keep what the predictions of ``step`` lead to, where it is one to look at.

        Args:
            outputs: by number in the plan, those that ran; ``guided``: their sum; each of the
                shape of ``z``, the noisy latents at noise ``level``.
        """
        for one in self.plan.looks:
            if one.step == step:
                base = {} if one.base is None else {BASE: {one.base: 1.0}}
                wanted: dict[Of, Mapping[int, float]] = {**base, **one.own}
                found = {
                    of: _kept(led_to(outputs, shares, z, *level, self.prediction))
                    for of, shares in wanted.items()
                    if shares.keys() <= outputs.keys()
                }
                found[SUM] = _kept(to_sample(guided, z, *level, self.prediction))
                self.seen.append(found)

    def told(
        self, image: int, steps: int, shown: Callable[[Tensor], list[Image.Image]]
    ) -> Explanation:
        """What was seen of one image of the batch, as pictures.

        Args:
            steps: evaluations of the run.
            shown: latents (n, channels, h, w) to n pictures.
        """
        found: list[dict[Of, Image.Image]] = []
        for one in self.seen:
            pictures = shown(torch.stack([latents[image] for latents in one.values()]))
            found.append(dict(zip(one, pictures, strict=True)))

        def strip(of: Of) -> tuple[Image.Image | None, ...]:
            return tuple(pictures.get(of) for pictures in found)

        rows = sorted({of for pictures in found for of in pictures if isinstance(of, int)})
        moments = tuple(look.step + 1 for look in self.plan.looks)
        return Explanation(
            moments, steps, strip(BASE), {row: strip(row) for row in rows}, strip(SUM)
        )


def _kept(latents: Tensor) -> Tensor:
    return latents.to("cpu", torch.float32)
