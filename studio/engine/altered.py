"""What a run changes in all networks that it calls, for the time of each call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import nn

from studio.engine.freeu import freed
from studio.engine.seamless import AXES, wrapping
from studio.preset import Preset


@dataclass(frozen=True)
class Altered:
    """What differs from the networks as they are.

    Args:
        axes: along which the picture's edges meet.
        freeu: FreeU's factors by name, none for a run without it.
    """

    axes: Collection[int] = ()
    freeu: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def by(preset: Preset) -> Altered:
        """What a preset asks for."""
        return Altered(AXES[preset.seamless], preset.freeu.factors())

    @contextmanager
    def on(self, network: nn.Module, guides: Sequence[nn.Module]) -> Iterator[None]:
        """Inside the ``with``, a network and the ControlNets beside it are so."""
        with wrapping([network, *guides], self.axes), freed(network, self.freeu):
            yield
