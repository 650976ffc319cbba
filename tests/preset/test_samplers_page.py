"""docs/samplers.md lists what the tables hold."""

from __future__ import annotations

from studio.preset.effort import EFFORTS
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.preprocessors import PREPROCESSORS
from studio.preset.schedulers import SCHEDULERS
from tests.support import REPOSITORY


def rows() -> list[str]:
    found = []
    for name, kind in SCHEDULERS.items():
        schedules = ", ".join(kind.takes(not kind.kind)[1:]) or "–"
        flow = "yes" if kind.flow else "no"
        noise = f"eta, {kind.eta:g}" if kind.eta is not None else "yes" if kind.random else "no"
        found.append(f"| `{name}` | {kind.title}. {kind.help} | {schedules} | {flow} | {noise} |")
    found += [f"| `{name}` | {one.title}. {one.help} |" for name, one in NOISE_SCHEDULES.items()]
    for name, one in EFFORTS.items():
        found.append(f"| `{name}` | {one.title}. {one.help} | {one.allowed:g} |")
    for name, one in PREPROCESSORS.items():
        found.append(f"| `{name}` | {one.title}. {one.help} | {one.weights or '–'} |")
    return found


def test_the_page_holds_every_row_of_the_tables() -> None:
    page = (REPOSITORY / "docs/samplers.md").read_text(encoding="utf-8")
    missing = [row for row in rows() if row not in page]
    assert not missing, "\n".join(missing)
    listed = [line for line in page.splitlines() if line.startswith("| `")]
    assert sorted(listed) == sorted(rows())
