"""Figures of the campaign: kept as JSON, and shown in docs/reliability.md between two marks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from studio.hard.attack import ATTACKS, Result

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def read_figures(path: Path) -> dict[str, Result]:
    """The figures by attack, in the order of their table; none where there is no file."""
    if not path.is_file():
        return {}
    kept = {one["name"]: Result(**one) for one in json.loads(path.read_text(encoding="utf-8"))}
    return {name: kept[name] for name in ATTACKS if name in kept}


def keep(path: Path, results: Iterable[Result]) -> dict[str, Result]:
    """Put results into the file, each in the place of an earlier one of its attack; all of them, as
    they are kept."""
    figures = read_figures(path) | {one.name: one for one in results}
    ordered = {name: figures[name] for name in ATTACKS if name in figures}
    lines = ",\n".join(json.dumps(one.as_dict(), ensure_ascii=False) for one in ordered.values())
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return read_figures(path)


def table(figures: Mapping[str, Result]) -> str:
    """The figures as Markdown."""
    lines = [
        "| attack | what | cases | of | refused | slowest | memory grew by | faults | seed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in figures.items():
        attack = ATTACKS[name]
        lines.append(
            f"| {name} | {attack.about} | {one.cases:,} | {attack.cases:,} | {one.refused:,} | "
            f"{one.slowest:.2f} s | {one.grown / 2**20:.0f} MiB | {len(one.faults)} | {one.seed} |"
        )
    measured = [f"- {name}: {one.measured}" for name, one in figures.items() if one.measured]
    return "\n".join([*lines, *([""] if measured else []), *measured])


def write_page(path: Path, figures: Mapping[str, Result]) -> None:
    """Put the table in its place; the rest of the page stays."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{table(figures)}\n{END}{after}", encoding="utf-8")
