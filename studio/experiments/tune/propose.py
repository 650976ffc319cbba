"""Where to look next: Optuna's Gaussian processes over what was measured so far.

The next point depends on the record alone, so that a search that was stopped goes on as if it had
not been. The first points are the preset's own setting, the ends and a Sobol sequence.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from studio.errors import StudioError
from studio.experiments.tune.search import Values
from studio.preset.ranges import Range

OPTUNA = "optuna>=4.4,<5"
MOST_FOR_PROCESSES = 120  # beyond it the processes' matrices cost more than a picture
TRIES = 64


def has_optuna() -> bool:
    """Whether Optuna is installed."""
    return importlib.util.find_spec("optuna") is not None


def check_optuna() -> None:
    """Raise :class:`StudioError` with the command where Optuna is not installed."""
    if not has_optuna():
        raise StudioError(f"needs a package: pip install '{OPTUNA}'", field="tune")


def next_values(
    ranges: Sequence[Range],
    record: Sequence[tuple[Values, Sequence[float]]],
    signs: Sequence[int],
    own: Values,
    tried: Sequence[Values],
    guided: bool = True,
) -> Values | None:
    """The next setting to try, one that was not tried; ``None`` where every one was.

    Args:
        record: settings and their scores.
        signs: 1 or −1 for each score: higher or lower is better.
        own: the preset's own setting, tried first where the ranges hold it.
        tried: every setting so far, also those without a score.
        guided: by what was measured; else evenly spread, for which Optuna is not needed.
    """
    planned = first_values(ranges, own)
    for values in planned:
        if values not in tried:
            return values
    if guided and (proposed := _proposed(ranges, record, signs)) not in tried:
        return proposed
    for values in _spread(ranges, len(planned) + len(tried), TRIES):
        if values not in tried:
            return values
    return None


def first_values(ranges: Sequence[Range], own: Values) -> list[Values]:
    """The settings of the beginning: the preset's own, the ends, and some between."""
    ends = [{one.field: one.at(part) for one in ranges} for part in (0.0, 1.0)]
    given = [own] if all(_holds(one, own.get(one.field)) for one in ranges) else []
    found: list[Values] = []
    for values in [*given, *ends, *_spread(ranges, 0, 2 * len(ranges) + 1)]:
        if values not in found:
            found.append(values)
    return found


def _holds(one: Range, value: Any) -> bool:
    if one.choices:
        return value in one.choices
    return isinstance(value, int | float) and one.low <= value <= one.high


def _spread(ranges: Sequence[Range], skip: int, count: int) -> list[Values]:
    """Points ``skip … skip + count`` of a Sobol sequence without its corner."""
    from scipy.stats import qmc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that a power of two would be better balanced
        rows = qmc.Sobol(len(ranges), scramble=False).random(skip + count + 1)[skip + 1 :]
    return [
        {one.field: one.at(float(part)) for one, part in zip(ranges, row, strict=True)}
        for row in rows
    ]


def _proposed(
    ranges: Sequence[Range],
    record: Sequence[tuple[Values, Sequence[float]]],
    signs: Sequence[int],
) -> Values:
    check_optuna()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    spaces = {one.field: _distribution(one) for one in ranges}
    samplers = optuna.samplers
    seed = len(record)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a sampler is experimental
        if len(record) <= MOST_FOR_PROCESSES:
            sampler: Any = samplers.GPSampler(
                seed=seed, n_startup_trials=0, deterministic_objective=False
            )
        else:
            sampler = samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=0)
        directions = ["maximize" if sign > 0 else "minimize" for sign in signs]
        study = optuna.create_study(directions=directions, sampler=sampler)
        for values, scores in record:
            study.add_trial(
                optuna.trial.create_trial(
                    params=_params(ranges, values), distributions=spaces, values=list(scores)
                )
            )
        params: Mapping[str, Any] = study.ask(spaces).params
    return {
        one.field: one.choices[params[one.field]] if one.choices else one.rounded(params[one.field])
        for one in ranges
    }


def _distribution(one: Range) -> Any:
    from optuna import distributions

    if one.choices:
        return distributions.CategoricalDistribution(range(len(one.choices)))
    if one.whole:
        return distributions.IntDistribution(int(one.low), int(one.high))
    return distributions.FloatDistribution(one.low, one.high)


def _params(ranges: Sequence[Range], values: Values) -> Values:
    return {
        one.field: one.choices.index(values[one.field]) if one.choices else values[one.field]
        for one in ranges
    }
