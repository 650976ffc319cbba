"""What is scored where no score is named. Knows names alone, so that a command's help can say them."""

from __future__ import annotations

from collections.abc import Collection

# Each with what has to be there for it: keys of CASES.
DEFAULTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("clip-t", ("prompts",)),
    ("clip-i", ("references",)),
    ("gram-d", ("references",)),
    ("judge-attributes", ("prompts", "starter")),
    ("judge-content", ("prompts", "starter")),
    ("diversity", ("several",)),
)
CASES = {
    "prompts": "with texts",
    "references": "with --reference",
    "starter": "for a preset of the starter",
    "several": "with 4 pictures or more, several of a prompt",
}


def chosen(there: Collection[str]) -> list[str]:
    """The scores that are taken, given which of :data:`CASES` there are."""
    return [name for name, needs in DEFAULTS if all(need in there for need in needs)]


def in_words() -> str:
    """The list for a command's help, scores of the same case together."""
    by_case: dict[tuple[str, ...], list[str]] = {}
    for name, needs in DEFAULTS:
        by_case.setdefault(needs, []).append(name)
    parts = [
        f"{' and '.join(names)} {', '.join(CASES[need] for need in needs)}"
        for needs, names in by_case.items()
    ]
    return "; ".join(parts)
