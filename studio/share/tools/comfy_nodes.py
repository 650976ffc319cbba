"""What ComfyUI's nodes do to a conditioning: combine, mix, mask, time it, and control it.

``Combine`` joins two lists, ``Average`` mixes two encodings, the rest sets a property of each
entry. Each function is registered under the class of its node.
"""

from __future__ import annotations

from dataclasses import replace

from studio.preset import Control
from studio.preset.bounds import bounds
from studio.preset.preprocessors import preprocessor_of
from studio.share.tools.comfy_conditions import NODES, Conditions, Entries, Step
from studio.share.tools.comfy_graph import MAX_DEPTH, MAX_TEXT, Graph, Node
from studio.share.tools.table import Condition, ControlUse

_BIG_PIXELS = 16384
# Nodes that find edges by Canny's method, and what one of their thresholds' units is of OpenCV's, which
# reckons with pixels from 0 to 255.
_EDGES = {"Canny": 255.0, "CannyEdgePreprocessor": 1.0}


def _combine(walk: Conditions, step: Step) -> Entries:
    found: Entries = []
    for name, _ in step.node.links():
        found += walk.inner(step, name)
    return found


def _concat(walk: Conditions, step: Step) -> Entries:
    """The second text's tokens behind those of each of the first: windows of one prompt."""
    first = walk.inner(step, "conditioning_to")
    second = walk.inner(step, "conditioning_from")
    if not second:
        return first
    tail = second[0].texts[0][0]
    walk.graph.note("ConditioningConcat keeps its texts in windows apart; here they are one prompt")
    if len(second) > 1 or len(second[0].texts) > 1:
        walk.graph.note("ConditioningConcat: only the first of its added texts is used")
    return [
        replace(
            one,
            texts=tuple((f"{text}, {tail}"[:MAX_TEXT], share) for text, share in one.texts),
        )
        for one in first
    ]


def _average(walk: Conditions, step: Step) -> Entries:
    """``s·to + (1−s)·from`` of the encodings; here of the predictions."""
    first = walk.inner(step, "conditioning_to")
    second = walk.inner(step, "conditioning_from")
    strength = walk.graph.number(step.node, "conditioning_to_strength")
    strength = 1.0 if strength is None else float(strength)
    if not second or strength == 1.0:
        return first
    walk.graph.note("ConditioningAverage mixes encodings; here the predictions are mixed")
    return [
        replace(
            one,
            texts=(
                *((text, share * strength) for text, share in one.texts),
                *((text, share * (1.0 - strength)) for text, share in second[0].texts),
            ),
        )
        for one in first
    ]


def _zero_out(walk: Conditions, step: Step) -> Entries:
    walk.inner(step, "conditioning")  # what it discards is read, and means nothing
    walk.graph.note("ConditioningZeroOut is zeros there; here it is the empty prompt")
    return [Condition((("", 1.0),))]


def _set_area(walk: Conditions, step: Step) -> Entries:
    numbers = {
        n: walk.graph.number(step.node, n) for n in ("x", "y", "width", "height", "strength")
    }
    parts = "Percentage" in step.node.kind
    wide, high = (1, 1) if parts else walk.size
    left, top, width, height = (
        float(min(_BIG_PIXELS, max(0, value or 0))) / whole
        for value, whole in (
            (numbers["x"], wide),
            (numbers["y"], high),
            (numbers["width"], wide),
            (numbers["height"], high),
        )
    )
    walk.graph.note(
        f"{step.node.kind}: the network there sees the area alone; here it is a mask over the picture"
    )
    strength = numbers["strength"]
    return [
        replace(
            one,
            area=(left, top, width, height),
            strength=1.0 if strength is None else float(strength),
        )
        for one in walk.inner(step, "conditioning")
    ]


def _set_strength(walk: Conditions, step: Step) -> Entries:
    strength = walk.graph.number(step.node, "strength")
    entries = walk.inner(step, "conditioning")
    return entries if strength is None else [replace(e, strength=float(strength)) for e in entries]


def _set_mask(walk: Conditions, step: Step) -> Entries:
    mask = walk.graph.node(step.node.link("mask"))
    image = mask.inputs.get("image") if mask else None
    named = repr(image[:80]) if isinstance(image, str) else f"({mask.kind[:60]})" if mask else ""
    walk.graph.note(
        f"{step.node.kind}: the mask {named} is not in the file; its row acts everywhere"
        if named
        else f"{step.node.kind}: the mask is not in the file; its row acts everywhere"
    )
    return _set_strength(walk, step)


def _set_range(walk: Conditions, step: Step) -> Entries:
    start, end = (walk.graph.number(step.node, name) for name in ("start", "end"))
    chosen = (part_of(start, 0.0), part_of(end, 1.0))
    entries = walk.inner(step, "conditioning")
    if chosen[0] >= chosen[1]:
        walk.graph.note(
            f"{step.node.kind}: an empty range ({chosen[0]:g}-{chosen[1]:g}) leaves its text out"
        )
        return []
    return [replace(one, range=chosen) for one in entries]


def _control(walk: Conditions, step: Step) -> Entries:
    graph = walk.graph
    loader = graph.node(step.node.link("control_net"))
    kind, steps = "", 0
    while loader is not None and loader.link("control_net") and steps < MAX_DEPTH:
        kind = kind or str(loader.inputs.get("type") or "")
        loader, steps = graph.node(loader.link("control_net")), steps + 1
    name = loader.inputs.get("control_net_name") if loader else None
    source = graph.node(step.node.link("image"))
    image, prepared = picture_of(graph, source)
    strength = graph.number(step.node, "strength")
    start, end = (graph.number(step.node, n) for n in ("start_percent", "end_percent"))
    used = ControlUse(
        name[:200] if isinstance(name, str) else "ControlNet",
        kind or (prepared.kind if prepared else ""),
        1.0 if strength is None else float(strength),
        (part_of(start, 0.0), part_of(end, 1.0)),
        image,
        finished=prepared is None,
        thresholds=_thresholds(graph, prepared),
    )
    if "positive" in step.node.inputs:
        entries = walk.inner(step, "negative" if step.output == 1 else "positive")
    else:
        entries = walk.inner(step, "conditioning")
        if used not in walk.on_both:
            walk.on_both.append(used)
    return [replace(one, controls=(*one.controls, used)) for one in entries]


def picture_of(graph: Graph, source: Node | None) -> tuple[str, Node | None]:
    """The file of a control picture, and the preprocessor between: the first that is known as one, else
    the first node."""
    between: list[Node] = []
    while source is not None and len(between) < MAX_DEPTH:
        image = source.inputs.get("image")
        if isinstance(image, str):
            return image[:200], _prepared(between)
        between.append(source)
        source = graph.node(source.link("image", "images", "pixels"))
    return "", _prepared(between)


def _prepared(between: list[Node]) -> Node | None:
    known = (node for node in between if preprocessor_of(node.kind))
    return next(known, between[0] if between else None)


def _thresholds(graph: Graph, node: Node | None) -> tuple[int, int] | None:
    """Canny's, as OpenCV counts them: low and high; ``None`` where they are not both numbers."""
    units = _EDGES.get(node.kind.strip()) if node else None
    if node is None or units is None:
        return None
    low, high = (graph.number(node, name) for name in ("low_threshold", "high_threshold"))
    if low is None or high is None:
        return None
    least, most = bounds(Control, "low")
    first, second = (round(min(most, max(least, one * units))) for one in (low, high))
    return first, second


def part_of(value: float | None, plain: float) -> float:
    """A part of the denoising, from 0 to 1."""
    return plain if value is None else min(1.0, max(0.0, float(value)))


for _name, _make in {
    "ConditioningCombine": _combine,
    "ConditioningConcat": _concat,
    "ConditioningAverage": _average,
    "ConditioningZeroOut": _zero_out,
    "ConditioningSetArea": _set_area,
    "ConditioningSetAreaPercentage": _set_area,
    "ConditioningSetAreaStrength": _set_strength,
    "ConditioningSetMask": _set_mask,
    "ConditioningSetTimestepRange": _set_range,
    "ControlNetApply": _control,
    "ControlNetApplyAdvanced": _control,
    "ControlNetApplySD3": _control,
}.items():
    NODES.register(_name, _make)
