"""What each network of a plan was trained to predict; what cannot be put together is refused by name.

Networks meet in a sum at one noise level: those of another prediction are converted, those of other
noise are refused. Weights between two networks exist only where both learned the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.diffusion.training import Training
from studio.engine.inputs.memory_check import field_of
from studio.engine.networks.loader import Loader
from studio.errors import IncompatibleModels
from studio.library import ModelEntry
from studio.plan import Pass, Plan


def predictions(
    plan: Plan, loader: Loader, base_config: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """The parameterisation of each full network that the plan runs, from configs alone.

    Args:
        base_config: the base's scheduler config, where it has been read already.

    Raises:
        IncompatibleModels: noise of another kind than the base's, or an ω between networks that
            predict different things; names the row's model, the refiner's or ``omega``.
    """
    configs = {} if base_config is None else {plan.prior: base_config}
    known = _Known(plan.prior, loader, configs)
    for item in plan.passes:
        field = "refiner.model" if item.weights.model in plan.others else field_of(item)
        _check_noise(item, known, field)
    for item in plan.passes:
        _check_blend(item, known)
    return {
        name: known.of(name).prediction
        for name in dict.fromkeys(item.weights.model for item in plan.passes)
    }


def check_second(plan: Plan | None, loader: Loader) -> None:
    """See that the networks of a second pass can be put together, before the first begins.

    Raises:
        IncompatibleModels: as :func:`predictions` does.
    """
    if plan is not None:
        predictions(plan, loader)


class _Known:
    """Each model's training, read once."""

    def __init__(self, base: str, loader: Loader, configs: dict[str, Mapping[str, Any]]) -> None:
        self.base = base
        self.loader = loader
        self.configs = configs

    def of(self, name: str) -> Training:
        """By the model's own files; else by those of the base that it names; else by the plan's."""
        entry = self.loader.library[name]
        own = self._config(name) or (self._config(entry.base) if self._here(entry) else {})
        return Training.of(own or self._config(self.base))

    def _here(self, entry: ModelEntry) -> bool:
        return bool(entry.base) and any(entry.base == name for name in self.loader.library)

    def _config(self, name: str) -> Mapping[str, Any]:
        if name not in self.configs:
            entry = self.loader.library[name]
            self.configs[name] = self.loader.family(name).scheduler_config(entry)
        return self.configs[name]


def _check_noise(item: Pass, known: _Known, field: str) -> None:
    """A time step must mean the same noise to every network of a sum."""
    name, base = item.weights.model, known.base
    mine, theirs = known.of(name), known.of(base)
    different = mine.other_noise(theirs)
    if different:
        raise IncompatibleModels(
            f"{name!r} was trained on another noise schedule than {base!r} ({different} differs)",
            field=field,
        )
    if mine.prediction != theirs.prediction and mine.reaches_zero:
        raise IncompatibleModels(
            f"{name!r} predicts {mine.prediction}, {base!r} {theirs.prediction}: where the noise "
            "schedule reaches zero signal neither can be converted to the other",
            field=field,
        )


def _check_blend(item: Pass, known: _Known) -> None:
    """θ and θ′ are interpolated only where both predict the same thing on the same noise."""
    for name, _ in item.weights.blend:
        prior = item.weights.model
        different = known.of(name).difference(known.of(prior))
        if different:
            raise IncompatibleModels(
                f"{name!r} and {prior!r} were not trained to predict the same ({different} "
                "differs), so there are no weights between them; set omega to 0, or for a single "
                "personalised row to 1",
                field="omega",
            )
