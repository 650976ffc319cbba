"""The table of figures in docs/reliability.md, between its two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.hard.attack import ATTACKS, Result

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def table(results: Sequence[Result]) -> str:
    """The figures as Markdown."""
    lines = [
        "| attack | what | cases | of | refused | slowest | memory grew by | faults | seed |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        attack = ATTACKS[one.name]
        lines.append(
            f"| {one.name} | {attack.about} | {one.cases:,} | {attack.cases:,} | {one.refused:,} | "
            f"{one.slowest:.2f} s | {one.grown / 2**20:.0f} MiB | {len(one.faults)} | {one.seed} |"
        )
    return "\n".join(lines)


def write_page(path: Path, results: Sequence[Result]) -> None:
    """Put the table in its place; the rest of the page stays."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}", encoding="utf-8")
