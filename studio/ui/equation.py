"""The equation of a plan as HTML: prompts and weights coloured, each term with its row's name."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from studio.plan import Pass, Plan
from studio.preset import ModelRef, Preset, Row

_TOKEN = re.compile(
    r'("[^"]*+")|(∅|no text)|([+\-−]\s?\d+(?:\.\d+)?|(?<![\w.])\d+(?:\.\d+)?)(?=·)|(ε̂)'
)
# The steps that a line is of: words of the page, where the rest is a person's own and the models'.
_SPAN = re.compile(r"((?:step|evaluation)s? \d+(?:–\d+)?)(: ε̂ = .*)", re.DOTALL)


def equation(plan: Plan, preset: Preset | None = None) -> str:
    """The plan's sum, one line per span of steps; user text is escaped, terms are named on hover."""
    owners = _owners(plan, preset) if preset else {}
    lines = "".join(f"<div>{_line(line, owners)}</div>" for line in str(plan).splitlines())
    head = '<div class="gs-equation" tabindex="0" aria-label="Equation of the plan">'
    return f"{head}{lines}</div>"


def _line(line: str, owners: Mapping[str, str]) -> str:
    found = _SPAN.fullmatch(line)
    span, rest = found.groups() if found else ("", line)
    said = f"<span>{span}</span>" if span else ""
    return f'{said}<span data-own="text">{_named(rest, owners)}</span>'


def _owners(plan: Plan, preset: Preset) -> dict[str, str]:
    """Whose each term is, by its text in the equation."""
    rows = dict(preset.active_rows())
    return {
        str(item): _owner(item, rows, index in plan.unconditional)
        for index, item in enumerate(plan.passes)
    }


def _owner(item: Pass, rows: Mapping[int, Row], base: bool) -> str:
    if base:
        return "the base term, which rows are compared with"
    if len(item.rows) == 1:
        row = rows[item.rows[0]]
        said = " · ".join(text for text in (row.prompt.strip(), _model_of(row)) if text)
        return f"row {item.rows[0] + 1}{f': {said}' if said else ''}"
    return f"rows {', '.join(str(index + 1) for index in item.rows)}" if item.rows else ""


def _model_of(row: Row) -> str:
    if isinstance(row.model, ModelRef):
        return " + ".join(name for name, _ in row.model.adapters()) or row.model.model or ""
    return row.model or ""


def _named(line: str, owners: Mapping[str, str]) -> str:
    """Escape ``line``; each term says on hover whose it is."""
    names = sorted(owners, key=len, reverse=True)
    pieces = re.split(f"({'|'.join(map(re.escape, names))})", line) if names else [line]
    out = []
    for index, piece in enumerate(pieces):
        marked = _coloured(piece, before_term=index + 1 < len(pieces))
        title = owners.get(piece) if index % 2 else None
        out.append(
            f'<span class="gs-term" title="{html.escape(title)}">{marked}</span>'
            if title
            else marked
        )
    return "".join(out)


def _coloured(line: str, before_term: bool = False) -> str:
    """Escape ``line``; mark prompts, and weights by their sign.

    ``before_term``: a term follows, so that a sign at the end is a weight of one.
    """
    out, last = [], 0
    for match in _TOKEN.finditer(line):
        out.append(html.escape(line[last : match.start()]))
        text, last = match.group(0), match.end()
        quoted, empty, weight, _ = match.groups()
        kind = (
            "q"
            if quoted
            else "z"
            if empty
            else "e"
            if not weight
            else "n"
            if text[0] in "-−"
            else "p"
        )
        out.append(f'<span class="gs-{kind}">{html.escape(text)}</span>')
    rest = line[last:]
    sign = re.search(r"[+−](?= $)", rest) if before_term else None
    if sign:
        out.append(html.escape(rest[: sign.start()]))
        out.append(f'<span class="gs-{"n" if sign[0] == "−" else "p"}">{sign[0]}</span>')
        rest = rest[sign.end() :]
    return "".join(out) + html.escape(rest)
