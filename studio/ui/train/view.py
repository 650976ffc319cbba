"""What the Train tab draws: curves, samples, and the one line of how far it is."""

from __future__ import annotations

import html
from collections.abc import Sequence

from studio.train.events import Losses
from studio.train.runner import State
from studio.ui.describe import progress_bar
from studio.ui.widgets import jpeg_uri

WIDTH, HEIGHT, POINTS = 240, 64, 120
CURVES = (
    ("total", "Loss"),
    ("dd", "DDLoss"),
    ("pd", "PDLoss"),
    ("denoising", "Denoising dependence discrepancy"),
    ("prior", "Prior dependence discrepancy"),
    ("dd_share", "DDLoss's part of the gradient"),
    ("pd_share", "PDLoss's part of the gradient"),
)
BARS = {"running": "running", "done": "done", "failed": "failed"}


def progress(state: State) -> str:
    """The bar with its line."""
    share = state.step / state.steps if state.steps else 0.0
    return progress_bar(share, state.text, BARS.get(state.status, "idle"))


def curves(losses: Sequence[Losses]) -> str:
    """One small curve for each quantity that was measured."""
    drawn = []
    for name, title in CURVES:
        values = [(x.step, getattr(x, name)) for x in losses if getattr(x, name) is not None]
        if len(values) > 1:
            drawn.append(_curve(title, values))
    return f'<div class="gs-curves">{"".join(drawn)}</div>' if drawn else ""


def _curve(title: str, values: Sequence[tuple[int, float]]) -> str:
    means = _means(values)
    low, high = min(v for _, v in means), max(v for _, v in means)
    first, last = means[0][0], means[-1][0]
    points = " ".join(
        f"{(step - first) / max(1, last - first) * WIDTH:.1f},"
        f"{HEIGHT - 2 - (value - low) / ((high - low) or 1) * (HEIGHT - 4):.1f}"
        for step, value in means
    )
    told = f"{means[-1][1]:.4g} at step {last}, between {low:.4g} and {high:.4g}"
    return (
        f'<figure class="gs-curve"><figcaption>{html.escape(title)}<em>{told}</em></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}: {told}">'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg></figure>'
    )


def _means(values: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most ``POINTS`` of them, each the mean of its neighbours: single steps are noise."""
    size = max(1, -(-len(values) // POINTS))
    groups = [values[i : i + size] for i in range(0, len(values), size)]
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def samples(state: State) -> str:
    """The newest samples, with their step and prompt."""
    shown = "".join(
        f'<figure><img src="{jpeg_uri(image.copy())}" alt="{html.escape(prompt)}"/>'
        f"<figcaption>Step {step}: {html.escape(prompt)}</figcaption></figure>"
        for step, prompt, image in state.samples
    )
    return f'<div class="gs-samples">{shown}</div>' if shown else ""


def notes(state: State) -> str:
    """What the person should know, one line each."""
    lines = "".join(f"<li>{html.escape(note)}</li>" for note in state.notes)
    return f'<ul class="gs-notes">{lines}</ul>' if lines else ""
