"""A sum of named terms as text, one line for each span of steps."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

MAX_LINES = 6  # above it, as with weight curves, changing coefficients share a line

Layers = Mapping[str, Sequence[float]]


def in_words(
    terms: Sequence[tuple[str, Layers]], steps: int, masks: Mapping[str, str], unit: str = "step"
) -> list[str]:
    """Lines such as ``ε̂ = −6.5·starter(∅) + 7.5·starter("cat")``.

    A coefficient that changes within a line is written ``(from→to)``.

    Args:
        terms: the name of each pass, and its coefficients per step by mask; the empty mask is
            everywhere.
        steps: the number of steps.
        masks: each other mask in order, and the name that stands for it.
        unit: what ``steps`` counts: steps, or evaluations where a step may take two.
    """

    def exactly(step: int) -> Hashable:
        return tuple(tuple(a[step] for a in layers.values()) for _, layers in terms)

    def support(step: int) -> Hashable:
        return tuple(tuple(a[step] != 0 for a in layers.values()) for _, layers in terms)

    spans = list(_spans(steps, exactly))
    if len(spans) > MAX_LINES:
        spans = list(_spans(steps, support))
    return [
        ("ε̂ = " if len(spans) == 1 else f"{_span(unit, first, last)}: ε̂ = ")
        + _all_layers(terms, masks, slice(first, last + 1))
        for first, last in spans
    ]


def _span(unit: str, first: int, last: int) -> str:
    return f"{unit} {first + 1}" if first == last else f"{unit}s {first + 1}–{last + 1}"


def _spans(steps: int, what: Callable[[int], Hashable]) -> Iterator[tuple[int, int]]:
    """Runs of steps for which ``what`` is the same, as (first, last)."""
    column = [what(step) for step in range(steps)]
    first = 0
    for step in range(1, steps + 1):
        if step == steps or column[step] != column[first]:
            yield first, step - 1
            first = step


def _all_layers(terms: Sequence[tuple[str, Layers]], masks: Mapping[str, str], span: slice) -> str:
    words = _layer(terms, "", span)
    for mask, name in masks.items():
        inside = _layer(terms, mask, span)
        if inside:
            words += f"{' + ' if words else ''}{name}⊙({inside})"
    return words or "0"


def _layer(terms: Sequence[tuple[str, Layers]], mask: str, span: slice) -> str:
    words = ""
    for name, layers in terms:
        values = layers.get(mask, ())[span]
        if any(values):
            words += _term(values, name, bool(words))
    return words


def _term(values: Sequence[float], name: str, follows: bool) -> str:
    if len(set(values)) > 1:
        return f"{' + ' if follows else ''}({_change(values)})·{name}"
    sign = "−" if values[0] < 0 else "+"
    factor = "" if abs(values[0]) == 1 else f"{abs(values[0]):.4g}·"
    return f" {sign} {factor}{name}" if follows else f"{'−' if sign == '−' else ''}{factor}{name}"


def _change(values: Sequence[float]) -> str:
    """First, farthest and last value; two where it only rises or falls."""
    turn = max(values, key=lambda value: max(abs(value - values[0]), abs(value - values[-1])))
    ends = (values[0], values[-1])
    shown = ends if turn in ends else (ends[0], turn, ends[1])
    return "→".join(f"{value:.4g}" for value in shown).replace("-", "−")
