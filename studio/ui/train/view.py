"""What the Train tab draws: curves, samples, and the one line of how far it is."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import gradio as gr

from studio.train.events import Losses
from studio.train.runner import State
from studio.ui.describe import progress_bar
from studio.ui.train.words import on_tab
from studio.ui.widgets import jpeg_uri

WIDTH, HEIGHT, LEFT, TOP, POINTS = 200, 70, 38, 2, 120
CURVES = (
    ("total", "Loss"),
    ("dd", "DDLoss"),
    ("pd", "PDLoss"),
    ("denoising", "Denoising dependence discrepancy"),
    ("prior", "Prior dependence discrepancy"),
    ("dd_share", "DDLoss's part of the gradient"),
    ("pd_share", "PDLoss's part of the gradient"),
)
BARS = {"running": "running", "paused": "paused", "done": "done", "failed": "failed"}


def progress(
    state: State,
    begun: str = "",
    gone: str = "",
    lost: str = "",
    form: str = "",
    made: bool = False,
) -> str:
    """The bar with its line.

    Args:
        begun: the name of a training that an earlier start left unended.
        gone: the name of one of which an earlier start left nothing.
        lost: the model that was made, where its files have gone since.
        form: the name that stands in the form, to which the buttons belong.
        made: whether what ``begun`` names was stopped and kept.
    """
    if lost:
        text = f"{lost} was made, and is no longer in the library: its files have gone"
        return progress_bar(0, text, "idle")
    if gone:
        text = f"{gone} ended before its first checkpoint: nothing of it is left, Train begins anew"
        return progress_bar(0, text, "failed")
    if begun and made:
        text = f"{begun} is in the library, and has steps left: Resume goes on with them"
        return progress_bar(0, text, "idle")
    if begun:
        text = f"{begun} was begun and has not ended: Resume goes on with it"
        return progress_bar(0, text, "idle")
    share = state.step / state.steps if state.steps else 0.0
    text = on_tab(state.text)
    goes_on = state.status in ("running", "paused")  # which a page without a name shows, too
    if state.config and form != state.config.name and (form or goes_on):
        text = _of_another(state.config.name, state.status, text)
    bar = progress_bar(share, text, BARS.get(state.status, "idle"))
    if state.config is None:
        return bar
    # A script keeps the name, for the case that the server ends meanwhile.
    name = state.config.name if state.status == "running" else ""
    return f'<div data-training="{html.escape(name)}">{bar}</div>'


def _of_another(name: str, status: str, text: str) -> str:
    """The line of a training whose name is not in the form."""
    if status == "done":
        return f"{text} · To use it, type its name above again"
    more = " · To resume it, type its name above again" if status == "paused" else ""
    return f"{name} · {text}{more}"


def curves(losses: Sequence[Losses]) -> str:
    """One small curve for each quantity that was measured."""
    drawn = []
    for name, title in CURVES:
        values = [(x.step, getattr(x, name)) for x in losses if getattr(x, name) is not None]
        if len(values) > 1:
            drawn.append(_curve(title, values))
    return f'<div class="gs-curves">{"".join(drawn)}</div>' if drawn else ""


def _curve(title: str, values: Sequence[tuple[int, float]]) -> str:
    """Single steps faintly, their running mean over it, and axes with their ends."""
    smooth = _smoothed(values)
    means, line = _means(values), _means(smooth)
    low, high = min(v for _, v in means), max(v for _, v in means)
    first, last = values[0][0], values[-1][0]

    def points(of: Sequence[tuple[int, float]]) -> str:
        return " ".join(
            f"{LEFT + (step - first) / max(1, last - first) * WIDTH:.1f},"
            f"{TOP + HEIGHT - (value - low) / ((high - low) or 1) * HEIGHT:.1f}"
            for step, value in of
        )

    said = f"{smooth[-1][1]:.4g} at step {last}, between {low:.4g} and {high:.4g}"
    below, right = TOP + HEIGHT, LEFT + WIDTH
    return (
        f'<figure class="gs-curve"><figcaption>{html.escape(title)}<em>{said}</em></figcaption>'
        f'<svg viewBox="0 0 {right + 4} {below + 14}" role="img" '
        f'aria-label="{html.escape(title)}: {said}">'
        f'<path class="gs-axis" d="M{LEFT} {TOP}V{below}H{right}"/>'
        f'<text x="{LEFT - 3}" y="{TOP + 7}" text-anchor="end">{high:.3g}</text>'
        f'<text x="{LEFT - 3}" y="{below}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{LEFT}" y="{below + 11}">{first}</text>'
        f'<text x="{(LEFT + right) / 2}" y="{below + 11}" text-anchor="middle">step</text>'
        f'<text x="{right}" y="{below + 11}" text-anchor="end">{last}</text>'
        f'<polyline class="gs-raw" points="{points(means)}"/>'
        f'<polyline class="gs-mean" points="{points(line)}"/></svg></figure>'
    )


def _smoothed(values: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """A running mean that forgets over a tenth of what there is, without a bias at the start."""
    keep = 1 - 1 / max(1.0, len(values) / 10)
    mean, weight, found = 0.0, 0.0, []
    for step, value in values:
        mean = keep * mean + (1 - keep) * value
        weight = keep * weight + (1 - keep)
        found.append((step, mean / weight))
    return found


def _means(values: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most ``POINTS`` of them, each the mean of its neighbours."""
    size = max(1, -(-len(values) // POINTS))
    groups = [values[i : i + size] for i in range(0, len(values), size)]
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def _of_step(step: int, prompt: str) -> str:
    return f"Step {step}: {prompt}" if prompt else f"Step {step}"  # a concept network has none


def samples(state: State) -> str:
    """The newest samples, with their step and prompt."""
    shown = "".join(
        f'<figure><button type="button" data-enlarge aria-label="Enlarge the sample of step {step}">'
        f'<img src="{jpeg_uri(image.copy())}" alt="{html.escape(prompt)}" data-own="alt"/></button>'
        f'<figcaption title="{html.escape(prompt)}" data-own="title">{html.escape(_of_step(step, prompt))}</figcaption>'
        "</figure>"
        for step, prompt, image in state.samples
    )
    return f'<div class="gs-samples">{shown}</div>' if shown else ""


def notes(state: State) -> str:
    """What the person should know, one line each."""
    lines = "".join(f"<li>{html.escape(on_tab(note))}</li>" for note in state.notes)
    return f'<ul class="gs-notes">{lines}</ul>' if lines else ""


def refusal(text: str) -> Any:
    """Why a training was not begun, beside the bar of the one before; nothing for ""."""
    line = f'<p class="gs-error" role="alert">{html.escape(text)}</p>'
    return gr.update(value=line if text else "", visible=bool(text))
