"""One experiment from its trainings to its JSON: train, make, score, compare, judge."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from studio.engine import Engine
from studio.experiments import pictures, scoring, trainings
from studio.experiments.experiment import (
    EXPERIMENTS,
    MEASURES,
    WORD,
    Cell,
    Experiment,
    Study,
    without_subject,
)
from studio.experiments.says import PARTS, says
from studio.experiments.scoring import Key, Scores
from studio.library import Library
from studio.metrics import METRICS, Scored
from studio.metrics.backbones import Backbones
from studio.preset import Preset
from studio.workers.choice import Choice, open_pool
from studio.workers.job import Packer
from studio.workers.pool import Pool

FIRST_SEED = 100
LOCAL = Choice()
Tell = Callable[[str], object]


def run(
    name: str,
    study: Study,
    device: str | None = None,
    vision: str = "efficientnet-lite0",
    tell: Tell = lambda line: None,
    seconds: float | None = None,
    workers: Choice = LOCAL,
) -> dict[str, Any]:
    """Run an experiment and return what docs/evidence keeps of it.

    Args:
        study: its size; :meth:`Experiment.sized` fits it to the experiment.
        device: ``cuda``, ``mps`` or ``cpu``.
        vision: the network of picture-to-picture scores.
        seconds: time after which no further round of seeds is begun; every round has all cells.
        workers: who makes the pictures; trainings stay in this process.

    Raises:
        StudioError: an unknown experiment, or what a training, a preset or a metric raises.
    """
    experiment = EXPERIMENTS.require(name, "experiment")
    study = experiment.sized(study)
    work = _Work(experiment, study, device, vision, tell)
    began = time.monotonic()
    work.train()
    work.make(None if seconds is None else began + seconds, workers)
    found = work.judged(work.scored())
    found["minutes"] = round((time.monotonic() - began) / 60, 1)
    return {"experiment": name, "paper": experiment.paper, **found}


@dataclass
class _Picture:
    key: Key
    text: str
    made: pictures.Made


class _Work:
    """What one run of an experiment goes through, in order."""

    def __init__(
        self, experiment: Experiment, study: Study, device: str | None, vision: str, tell: Tell
    ) -> None:
        self.experiment, self.study, self.device, self.tell = experiment, study, device, tell
        self.cells = experiment.grid(study)
        self.models: dict[tuple[str, int], str] = {}
        self.made: dict[str, list[_Picture]] = {cell.name: [] for cell in self.cells}
        self.ahead: set[Path] = set()  # pictures that workers have made
        self.seeds = 0
        self.backbones = Backbones(vision=vision, device=device or "cpu")
        self.vision = vision

    def train(self) -> None:
        """Every training cell for every training seed."""
        for seed in self.study.trainings:
            for cell in self.cells:
                if cell.training is not None:
                    model = trainings.trained(
                        cell.training, seed, self.study, self.device, self.tell
                    )
                    self.models[cell.name, seed] = model

    def make(self, until: float | None, workers: Choice) -> None:
        """Pictures in one round, or seed by seed while there is time."""
        if not self.experiment.pictures:
            return
        engine = Engine(device=self.device)
        count = self.study.seeds
        rounds = [range(count)] if until is None else [range(n, n + 1) for n in range(10**6)]
        with ExitStack() as stack:
            pool = None
            if not workers.here:
                pool = stack.enter_context(open_pool(workers, (), self.device, self.tell))
            for numbers in rounds:
                if pool is not None:
                    self._make_ahead(pool, workers, engine.library, numbers)
                for cell in self.cells:
                    self._make(engine, cell, numbers)
                self.seeds = numbers.stop
                if until is not None and time.monotonic() > until:
                    break
        for made in self.made.values():
            made.sort(key=lambda picture: picture.key)

    def _make_ahead(self, pool: Pool, workers: Choice, library: Library, numbers: range) -> None:
        """Have the workers make what is missing of a round; :meth:`_make` then finds it."""
        asked = (one for cell in self.cells for one in self._asked(cell, library, numbers))
        found = [
            batch
            for *_, preset, seeds in asked
            for batch in pictures.batches(preset, seeds, self._drift)
        ]
        packer = Packer((), workers.ray, int(self._drift), library)
        self.ahead |= pictures.make_ahead(pool, packer, found, self.tell)

    def _make(self, engine: Engine, cell: Cell, numbers: range) -> None:
        new = 0

        def count(made: int) -> None:
            nonlocal new
            new += made

        for index, training, prompt, preset, seeds in self._asked(cell, engine.library, numbers):
            made = pictures.make(engine, preset, seeds, self._drift, count)
            count(len(self.ahead.intersection(one.path for one in made)))
            text = without_subject(prompt) if WORD in prompt else prompt.replace(PARTS, " ")
            self.made[cell.name] += [
                _Picture((index, seed, training), text, one)
                for seed, one in zip(seeds, made, strict=True)
            ]
        self.tell(f"{cell.name}: {len(self.made[cell.name])} pictures, {new} of them new")

    @property
    def _drift(self) -> bool:
        return "drift" in self.experiment.metrics

    def _asked(
        self, cell: Cell, library: Library, numbers: range
    ) -> Iterator[tuple[int, int, str, Preset, list[int]]]:
        """A cell's pictures: the prompt's number, the training's seed, prompt, preset, seeds."""
        prompts = cell.prompts or self.study.prompts or ("",)
        for training in self._trainings(cell):
            model = self.models.get((cell.name, training), "")
            seeds = [FIRST_SEED + 1000 * training + number for number in numbers]
            for index, prompt in enumerate(prompts):
                preset = pictures.filled(
                    cell.preset, says(cell, prompt, self.study), model, library
                )
                yield index, training, prompt, preset, seeds

    def _trainings(self, cell: Cell) -> Sequence[int]:
        """The training seeds of a cell; shipped models take as many pictures, so that cells pair."""
        del cell
        trained = any(one.training is not None for one in self.cells)
        return self.study.trainings if trained else (0,)

    def scored(self) -> dict[str, Scores]:
        """Every cell's values in every metric."""
        found = {}
        for cell in self.cells:
            if self.experiment.pictures:
                found[cell.name] = self._of_pictures(cell)
            else:
                found[cell.name] = self._of_trainings(cell)
        return found

    def _of_pictures(self, cell: Cell) -> Scores:
        made = self.made[cell.name]
        subject = self.study.subjects.get(cell.compared)
        scored = Scored(
            [one.made.path for one in made],
            [one.text for one in made],
            references=subject.references if subject else (),
            backbones=self.backbones,
            few=True,
        )
        scores = Scores([one.key for one in made])
        for name in self.experiment.metrics:
            if name in MEASURES:
                values = [getattr(one.made, name) for one in made]
                scores.each[name] = np.array([np.nan if v is None else v for v in values], float)
                continue
            metric = METRICS.require(name, "metrics")
            scored.check(metric)
            if metric.each is not None:
                scores.each[name] = np.asarray(metric.each(scored), float)
            elif metric.whole is not None:
                scores.whole[name] = metric.whole(scored)
        return scores

    def _of_trainings(self, cell: Cell) -> Scores:
        """Measures of the second half of each training, by step; what was not measured is NaN."""
        names = self.experiment.metrics
        keys: list[Key] = []
        values: dict[str, list[float]] = {name: [] for name in names}
        for training in self.study.trainings:
            lines = {line["step"]: line for line in self._curve(cell, training)}
            for step in self._measured(training):
                keys.append((step, 0, training))
                for name in names:
                    found = lines[step].get(name)
                    values[name].append(np.nan if found is None else found)
        return Scores(keys, {name: np.array(one, float) for name, one in values.items()})

    def _curve(self, cell: Cell, training: int) -> list[dict[str, Any]]:
        return trainings.curve(self.models[cell.name, training])

    def _measured(self, training: int) -> list[int]:
        """The later half of the steps at which the first metric was measured in every cell."""
        steps = [
            {
                line["step"]
                for line in self._curve(cell, training)
                if line.get(self.experiment.metrics[0]) is not None
            }
            for cell in self.cells
        ]
        found = sorted(set.intersection(*steps))
        return found[len(found) // 2 :]

    def judged(self, scores: Mapping[str, Scores]) -> dict[str, Any]:
        """The JSON: settings, cells, claims and the verdict."""
        experiment = self.experiment
        chosen = {
            group: scoring.best(scores, cells, experiment.chosen_by)
            for group, cells in experiment.groups.items()
        }
        keep = scoring.tests if experiment.groups and len(self.study.prompts) > 1 else _any
        claims = []
        for claim in experiment.claims:
            better, than = (
                [scores[chosen.get(name, name)] for name in side]
                for side in (claim.better, claim.than)
            )
            interval, each = scoring.difference(better, than, claim.metric, keep)
            claims.append(
                {
                    "says": claim.says,
                    "metric": claim.metric,
                    "margin": claim.margin,
                    "difference": scoring.rounded(interval),
                    "by_training": [round(value, 6) for value in each],
                    "found": scoring.judge(claim, interval, each),
                }
            )
        return {
            "settings": self._settings(),
            "cells": [self._cell(cell, scores[cell.name]) for cell in self.cells],
            "chosen": chosen,
            "claims": claims,
            "verdict": scoring.verdict([claim["found"] for claim in claims]),
        }

    def _cell(self, cell: Cell, scores: Scores) -> dict[str, Any]:
        metrics = {name: scoring.summary(scores, name) for name in self.experiment.metrics}
        return {"name": cell.name, "line": cell.line, "at": cell.at, "metrics": metrics}

    def _settings(self) -> dict[str, Any]:
        study = self.study
        trained = any(cell.training is not None for cell in self.cells)
        return {
            "base": study.base,
            "device": self.device or "cpu",
            "prompts": list(study.prompts),
            "seeds": self.seeds,
            "trainings": list(study.trainings) if trained else [],
            "budget": json.loads(json.dumps(dict(study.budget))) if trained else {},
            "scale": study.scale,
            "sampler": dict(study.sampler),
            "vision": self.vision,
            "quick": study.quick,
        }


def _any(key: Key) -> bool:
    del key
    return True
