"""What an experiment is: a grid of cells, what is scored of them, and what the paper claims.

An experiment says nothing of how pictures are made or stored; :mod:`studio.experiments.run` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from studio.extensions import Table
from studio.home import ASSETS
from studio.library import ADAPTERS
from studio.train import METHODS

MODEL = "{model}"  # in a cell's preset, where the model that was trained for it belongs
WORD = "{subject}"  # in prompts and captions
EXAMPLES = ASSETS / "examples" / "training"


@dataclass(frozen=True)
class Subject:
    """What is learned: its pictures, their captions, and the word that calls it.

    ``references``: the pictures that scores compare with; empty for all of ``images``.
    """

    name: str
    images: Path
    word: str
    superclass: str = ""
    captions: Path | None = None
    references: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Training:
    """One training cell: a method on a subject, with settings besides the study's equal budget."""

    method: str
    subject: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One setting whose pictures are scored.

    Args:
        name: what tables call it.
        preset: a preset as a mapping; :data:`MODEL` stands for the trained model.
        training: what is trained for it, once for each training seed; None for shipped models.
        line: cells of one line are joined in the figure.
        at: its place on the figure's axis; None for a plain list of cells.
        subject: whose pictures it is compared with, where not those of its training's subject.
        prompts: instead of the experiment's own.
    """

    name: str
    preset: Mapping[str, Any]
    training: Training | None = None
    line: str = ""
    at: float | None = None
    subject: str = ""
    prompts: tuple[str, ...] = ()

    @property
    def compared(self) -> str:
        """The name of the subject whose pictures it is compared with, or ""."""
        return self.subject or self.learned

    @property
    def learned(self) -> str:
        """The name of the subject that its word calls, or ""."""
        return self.training.subject if self.training else self.subject


@dataclass(frozen=True)
class Claim:
    """``better`` scores better in ``metric`` than ``than``, by name of cell or of group.

    Several cells on either side are compared one with one and averaged. With ``margin`` the claim
    is that it is *no worse* than by that much.
    """

    says: str
    metric: str
    better: tuple[str, ...]
    than: tuple[str, ...]
    margin: float = 0.0


@dataclass(frozen=True)
class Study:
    """What an experiment runs on, and how large.

    Args:
        small: whether the base is of a small family, with budgets and weights of its own.
        scale: the guidance weight λ that stands for the papers' 7.5.
        sampler: fields of every preset's sampler.
        trainings: training seeds of every training cell.
        seeds: pictures of each prompt and training seed.
        budget: settings of every training, the same for all cells.
        subjects: by name.
        quick: whether it runs, not what comes out.
    """

    base: str = "starter"
    small: bool = True
    scale: float = 4.0
    sampler: Mapping[str, Any] = field(default_factory=lambda: {"steps": 8})
    trainings: tuple[int, ...] = (0, 1, 2)
    seeds: int = 2
    budget: Mapping[str, Any] = field(default_factory=dict)
    subjects: Mapping[str, Subject] = field(default_factory=dict)
    prompts: tuple[str, ...] = ()
    quick: bool = False

    def preset(self, *rows: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
        """A preset on this base with this sampler; a field ``sampler`` adds to it."""
        sampler = {**self.sampler, **fields.pop("sampler", {})}
        return {"base": self.base, "rows": list(rows), "sampler": sampler, **fields}


@dataclass(frozen=True)
class Experiment:
    """A table or figure of a paper in miniature.

    Args:
        paper: where the claim is made, such as ``GCFG, Table 1``.
        claim: what the paper says, in one line of our own.
        cells: the grid, for a study.
        claims: what is tested of it.
        metrics: names of :data:`studio.metrics.METRICS`, or of :data:`MEASURES`.
        prompts: templates; may hold :data:`WORD`.
        seeds: pictures of each prompt (and training seed) where the study is not quick.
        budget: settings of its trainings, beside the study's.
        about: axis of the figure.
        scatter: two metrics to draw against each other.
        groups: name → cells, of which the best by the sum of ``chosen_by`` on half of the prompts
            stands for the group; claims then look at the other half.
        needs: a sentence on what a base must bring, for the page.
    """

    paper: str
    claim: str
    cells: Callable[[Study], Iterable[Cell]]
    claims: tuple[Claim, ...]
    metrics: tuple[str, ...]
    prompts: tuple[str, ...] = ()
    seeds: int = 2
    budget: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    scatter: tuple[str, str] | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chosen_by: tuple[str, ...] = ()
    pictures: bool = True

    def grid(self, study: Study) -> list[Cell]:
        """The cells, each name once.

        Raises:
            ValueError: two cells have one name, or a claim speaks of none; a fault of the experiment.
        """
        found = list(self.cells(study))
        names = {cell.name for cell in found}
        if len(names) < len(found):
            raise ValueError("two cells have one name")
        grouped = {cell for cells in self.groups.values() for cell in cells}
        asked = {name for claim in self.claims for name in (*claim.better, *claim.than)}
        unknown = (grouped | asked) - names - set(self.groups)
        if unknown:
            raise ValueError(f"no cell is called {sorted(unknown)[0]!r}")
        return found

    def sized(self, study: Study) -> Study:
        """The study with this experiment's own number of pictures, prompts and budget."""
        prompts = study.prompts or self.prompts
        if study.quick:
            small = {**self.budget, **study.budget}
            return replace(study, prompts=prompts[:2], seeds=2, trainings=(0,), budget=small)
        budget = {**study.budget, **self.budget} if study.small else dict(study.budget)
        return replace(study, prompts=prompts, seeds=self.seeds, budget=budget)


EXPERIMENTS: Table[Experiment] = Table("experiment")

# Of pictures that an experiment has made: name → (better, unit), each a figure that the engine
# itself reports of a picture, or one of its training.
MEASURES: dict[str, tuple[str, str]] = {
    "forwards": ("lower", "network evaluations of a picture"),
    "seconds": ("lower", "seconds of a picture (processor time on a CPU)"),
    "drift": ("lower", "root mean square of ε_θ′(φ) − ε_θ(φ), mean over the steps"),
    "denoising": ("lower", "first discrepancy of ACCORD, Eq. 5, in training"),
    "prior": ("lower", "second discrepancy of ACCORD, Eq. 5, in training"),
}


def lora(weight: float, prompt: str = "{prompt}", **more: Any) -> dict[str, Any]:
    """A row of the trained model."""
    return {"model": MODEL, "prompt": prompt, "weight": weight, **more}


def plain(weight: float, prompt: str = "{prompt}", **more: Any) -> dict[str, Any]:
    """A row of the prior."""
    return {"prompt": prompt, "weight": weight, **more}


def shipped(
    study: Study, model: str, method: str, subject: str
) -> tuple[dict[str, Any], Training | None]:
    """A row of a model that ships with the starter; on other bases of one that is trained."""
    if study.base == "starter":
        row = {"lora": model} if METHODS[method].kind in ADAPTERS else model
        return {"model": row}, None
    return {"model": MODEL}, Training(method, subject)


def concept(study: Study) -> tuple[dict[str, Any], Training | None]:
    """A row of the null-text concept network of faces."""
    return shipped(study, "starter/faces", "concept", "faces")


@dataclass(frozen=True)
class Guidance:
    """Rows and ω of one way to guide."""

    rows: tuple[Mapping[str, Any], ...]
    omega: float


def baselines(row: Mapping[str, Any], scale: float) -> dict[str, Guidance]:
    """The guidances of Steering Guidance, Tables 1 and 2, at λ = ``scale``.

    AG is its Eq. 6, SAG leads away from the same prompt with the superclass for the word; beside CFG
    either is one more row (Fig. 4, Table 8), of half the weight.
    """
    mine = {**row, "prompt": "{prompt}"}
    class_prompt = {"prompt": "{class prompt}"}
    cfg = {**mine, "weight": scale}
    ag = {**mine, "weight": scale, "reference": "autoguidance"}
    sag = {**mine, "weight": scale, "reference": class_prompt}
    return {
        "CFG": Guidance((cfg,), 1.0),
        "AG": Guidance((ag, plain(1.0)), 0.0),
        "SAG": Guidance((sag, {**row, **class_prompt, "weight": 1.0}), 0.0),
        "CFG and AG": Guidance((cfg, {**ag, "weight": scale / 2}), 1.0),
        "CFG and SAG": Guidance((cfg, {**sag, "weight": scale / 2}), 1.0),
        "ours, ω 0": Guidance((cfg,), 0.0),
        "ours, ω 0.6": Guidance((cfg,), 0.6),
    }


def without_subject(prompt: str) -> str:
    """A template less its subject: what the text asks for besides.

    >>> without_subject("a {subject} and a crown in flat style")
    'a crown in flat style'
    """
    for said in (f"a {WORD} and ", f"a {WORD} face ", f"a {WORD} ", f"{WORD} ", WORD):
        prompt = prompt.replace(said, "")
    return prompt.strip()


def names(cells: Sequence[Cell], line: str) -> tuple[str, ...]:
    """The names of a line's cells."""
    return tuple(cell.name for cell in cells if cell.line == line)
