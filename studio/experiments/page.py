"""docs/evidence.md, made from the results that are kept beside it and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.experiments.experiment import EXPERIMENTS, Experiment
from studio.experiments.figure import draw
from studio.files import write_atomically

PAGE = "evidence.md"
REASONS = "reasons.json"  # experiment → {"verdict", "reason"}: what looking into a verdict found
HEAD = """# Evidence: the papers' claims in miniature

Each section is a table or figure of a paper, made again with the studio's own training, engine and metrics
on the first edition of the shipped starter family, the base `starter-1` by now: small pictures, small networks,
short trainings. It can show a direction; it cannot show the papers' figures. This page is written by
`python -m studio experiment --report` from the JSON files in [evidence/](evidence/), and by nothing else.

**How a verdict comes about.** A claim is a difference between cells, paired by prompt, seed and training
seed, with a 95 % interval from a bootstrap over all three (scores of whole sets: leaving out groups of
pictures). It *holds* where the whole interval and the mean of every training seed lie on the claim's side, is
*against* where they lie on the other, else *open*. A row *holds* where all its claims do, *holds in part* where
some do, and *does not show here* where none does. Claims were
written down before their pictures were made; where looking into a verdict changed a grid, its section says so.
"""
MARKS = {"holds": "holds", "against": "**against**", "open": "open"}


def stored(folder: Path) -> dict[str, dict[str, Any]]:
    """The results in ``folder`` by experiment, in the table's order.

    Raises:
        StudioError: a file that is no result.
    """
    found = {}
    for name in EXPERIMENTS:
        path = folder / f"{name}.json"
        if path.is_file():
            try:
                result = json.loads(path.read_text(encoding="utf-8"))
                _ = result["verdict"], result["cells"], result["claims"], result["settings"]
                found[name] = result
            except (ValueError, KeyError, TypeError) as error:
                raise StudioError(
                    f"{path.name} is no result of an experiment", field="--out"
                ) from error
    return found


def write(folder: Path) -> list[Path]:
    """Write the figures into ``folder`` and the page beside it; returns what was written."""
    results = stored(folder)
    written = []
    for name, result in results.items():
        experiment = EXPERIMENTS[name]
        path = folder / f"{name}.svg"
        write_atomically(path, draw(result, experiment.about, experiment.scatter).encode())
        written.append(path)
    page = folder.parent / PAGE
    write_atomically(page, text(results, reasons(folder), folder.name).encode())
    return [*written, page]


def reasons(folder: Path) -> dict[str, dict[str, str]]:
    """What was found by looking into verdicts, by experiment."""
    path = folder / REASONS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def text(
    results: Mapping[str, Mapping[str, Any]], why: Mapping[str, Mapping[str, str]], folder: str
) -> str:
    """The page."""
    parts = [HEAD, _overview(results)]
    for name, result in results.items():
        parts.append(_section(name, EXPERIMENTS[name], result, why.get(name, {}), folder))
    missing = [name for name in EXPERIMENTS if name not in results]
    if missing:
        listed = ", ".join(f"`{name}`" for name in missing)
        parts.append(
            f"## Not run yet\n\n{listed}: `python -m studio experiment NAME --out docs/evidence`.\n"
        )
    return "\n".join(parts)


def _overview(results: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| experiment | paper | verdict | pictures |", "| --- | --- | --- | --- |"]
    for name, result in results.items():
        count = sum(_count(cell) for cell in result["cells"])
        lines.append(
            f"| [`{name}`](#{name}) | {result['paper']} | *{result['verdict']}* | {count or '–'} |"
        )
    return "\n".join(lines) + "\n"


def _count(cell: Mapping[str, Any]) -> int:
    return max(found["n"] for found in cell["metrics"].values())


def _section(
    name: str,
    experiment: Experiment,
    result: Mapping[str, Any],
    why: Mapping[str, str],
    folder: str,
) -> str:
    parts = [
        f"## {name}",
        f"{experiment.paper}. {experiment.claim}",
        _claims(result),
        f"Verdict: ***{result['verdict']}***.",
    ]
    if why.get("verdict") == result["verdict"]:
        parts.append(why["reason"])
    parts += [f"![{name}]({folder}/{name}.svg)", _cells(result), _made(name, result)]
    return "\n\n".join(parts) + "\n"


def _claims(result: Mapping[str, Any]) -> str:
    lines = ["| claim | by | difference | 95 % interval | by training seed | |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for claim in result["claims"]:
        found = claim["difference"]
        each = ", ".join(_signed(value) for value in claim["by_training"])
        margin = f" (margin {claim['margin']:g})" if claim["margin"] else ""
        lines.append(
            f"| {claim['says']}{margin} | `{claim['metric']}` | {_signed(found['mean'])} | "
            f"{_signed(found['low'])} to {_signed(found['high'])} | "
            f"{each if len(claim['by_training']) > 1 else '–'} | {MARKS[claim['found']]} |"
        )
    return "\n".join(lines)


def _cells(result: Mapping[str, Any]) -> str:
    metrics = list(result["cells"][0]["metrics"])
    lines = ["| | " + " | ".join(f"`{metric}`" for metric in metrics) + " |"]
    lines.append("| --- |" + " --- |" * len(metrics))
    for cell in result["cells"]:
        values = (_with_interval(cell["metrics"][metric]) for metric in metrics)
        lines.append(f"| {cell['name']} | " + " | ".join(values) + " |")
    table = "\n".join(lines)
    chosen = [f"{group}: {cell}" for group, cell in result["chosen"].items()]
    best = f"\n\nChosen on half of the prompts: {'; '.join(chosen)}." if chosen else ""
    return f"<details><summary>All cells</summary>\n\n{table}{best}\n\n</details>"


def _made(name: str, result: Mapping[str, Any]) -> str:
    settings = result["settings"]
    said = [f"{len(settings['prompts'])} prompts × {settings['seeds']} seeds"]
    if settings["trainings"]:
        budget = ", ".join(f"{key} {value}" for key, value in settings["budget"].items())
        said.append(f"{len(settings['trainings'])} trainings of every model ({budget})")
    said.append(f"λ {settings['scale']:g}, {settings['sampler']['steps']} steps")
    said.append(f"{settings['base']} on {settings['device']}, {result['minutes']:g} minutes")
    return f"{'; '.join(said)}: `python -m studio experiment {name} --out docs/evidence`"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3g}".replace("-", "−")


def _with_interval(found: Mapping[str, Any]) -> str:
    if found["mean"] is None:
        return "–"
    if found["low"] is None or found["high"] is None:
        return f"{found['mean']:.3g}"
    return f"{found['mean']:.3g} ± {(found['high'] - found['low']) / 2:.2g}"
