"""docs/refinements.md states what the table of refinements holds."""

from __future__ import annotations

from studio.preset.refinements import REFINEMENTS, path_of
from tests.support import REPOSITORY


def lines() -> tuple[list[str], list[str]]:
    table, fields = [], []
    for name, record in REFINEMENTS.items():
        reads = ", ".join(record.needs)
        only = "; single-step schedulers only" if record.single_step else ""
        table.append(f"| {record.title} | {record.help} | {record.source} | {reads}{only} |")
        for key, setting in record.settings.items():
            path = path_of(name) if len(record.settings) == 1 else f"{path_of(name)}.{key}"
            if isinstance(setting.neutral, bool):
                bounds = "false | false | true"
            else:
                ends = "not itself" if setting.open else ""
                bounds = f"{setting.neutral:g} | {setting.low:g} | {setting.high:.10g} | {ends}"
            bounds += " |" if isinstance(setting.neutral, bool) else ""
            fields.append(f"| `{path}` | {bounds} |".replace("|  |", "| |"))
    return table, fields


def test_the_docs_table_is_the_table() -> None:
    text = (REPOSITORY / "docs/refinements.md").read_text()
    for part in lines():
        assert "\n".join(part) in text, "\n".join(part)
