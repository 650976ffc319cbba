"""ComfyUI's guiders: the sums of predictions that a sampler or a guider node computes.

Equations as in its sources (``comfy/samplers.py``, ``comfy_extras/nodes_custom_sampler.py`` and
``nodes_perpneg.py``); every one of them has coefficients whose sum is 1.
"""

from __future__ import annotations

from dataclasses import replace

from studio.share.tools.comfy_conditions import Conditions
from studio.share.tools.comfy_graph import Node
from studio.share.tools.table import Condition, Term

DEFAULT_SCALE = 7.0
EMPTY = (Condition((("", 1.0),)),)


def terms_of(walk: Conditions, guider: Node, perp: Node | None) -> tuple[Term, ...]:
    """The terms of a sampler's or a guider's sum.

    Args:
        guider: the node that has the conditions as its inputs.
        perp: the older PerpNeg node on the model's way, which takes the sampler's conditions.
    """
    if guider.kind == "DualCFGGuider":
        return _dual(walk, guider)
    if guider.kind == "PerpNegGuider":
        return _perpendicular(walk, guider, guider)
    if guider.link("conditioning") and not guider.link("positive"):  # BasicGuider
        return (Term(1.0, _side(walk, guider, "conditioning", "positive")),)
    if perp is not None:
        return _perpendicular(walk, guider, perp)
    return _classic(walk, guider)


def _side(walk: Conditions, node: Node, name: str, side: str) -> tuple[Condition, ...]:
    """The conditions of one input; the empty prompt where nothing is linked or can be followed."""
    if isinstance(node.inputs.get(name), str):
        return (Condition(((walk.graph.text(node, name, side), 1.0),)),)
    link = node.link(name) or node.link("basic_pipe", "pipe")
    found = walk.of(link, side)
    if not found and link is not None:
        walk.graph.note(f"{node.kind[:80]}: its {name} prompt cannot be followed; it is left empty")
    return tuple(found) or EMPTY


def _number(walk: Conditions, node: Node, name: str, plain: float, field: str) -> float:
    found = walk.graph.number(node, name)
    if found is None or abs(found) > 1000:
        walk.graph.note(
            f"{field}: no usable CFG scale is given; {plain:g} is used"
            if found is None
            else f"{field}: no usable CFG scale is given ({node.inputs.get(name)}); {plain:g} is used"
        )
        return plain
    return float(found)


def _classic(walk: Conditions, node: Node) -> tuple[Term, ...]:
    """``ε(neg) + w·(ε(pos) − ε(neg))``."""
    scale = _number(walk, node, "cfg", DEFAULT_SCALE, "rows.0.weight")
    positive = _side(walk, node, "positive", "positive")
    negative = _with_controls(walk, _side(walk, node, "negative", "negative"), positive)
    return Term(scale, positive), Term(1.0 - scale, negative)


def _with_controls(
    walk: Conditions, side: tuple[Condition, ...], positive: tuple[Condition, ...]
) -> tuple[Condition, ...]:
    """A control applied to the positive side alone reaches the negative one too (``control_apply_to_uncond``):
    of several conditions with controls, those of the last."""
    both = [tuple(use for use in one.controls if use in walk.on_both) for one in positive]
    extra = next((one for one in reversed(both) if one), ())
    if not extra:
        return side
    return tuple(one if one.controls else replace(one, controls=extra) for one in side)


def _dual(walk: Conditions, node: Node) -> tuple[Term, ...]:
    """``ε(neg) + w₂·(ε(cond2) − ε(neg)) + w₁·(ε(cond1) − ε(cond2))``, or nested.

    Nested: ``ε(neg) + w₂·(ε(cond2) + w₁·(ε(cond1) − ε(cond2)) − ε(neg))``.
    """
    first = _number(walk, node, "cfg_conds", DEFAULT_SCALE, "rows.0.weight")
    second = _number(walk, node, "cfg_cond2_negative", DEFAULT_SCALE, "rows.1.weight")
    sides = [
        _side(walk, node, name, side)
        for name, side in (("cond1", "positive"), ("cond2", "positive"), ("negative", "negative"))
    ]
    if node.inputs.get("style") == "nested":
        weights = (first * second, second * (1.0 - first), 1.0 - second)
    else:
        weights = (first, second - first, 1.0 - second)
    return tuple(Term(weight, side) for weight, side in zip(weights, sides, strict=True))


def _perpendicular(walk: Conditions, sampler: Node, node: Node) -> tuple[Term, ...]:
    """``ε_0 + w·(p − s·(n − (n·p / ‖p‖²)·p))`` with ``p``, ``n`` against the empty prompt.

    The projection is no linear combination; without it the sum is ``ε_0 + w·p − w·s·n``.
    """
    scale = _number(walk, sampler, "cfg", DEFAULT_SCALE, "rows.0.weight")
    strength = walk.graph.number(node, "neg_scale")
    strength = 1.0 if strength is None else float(strength)
    walk.graph.note(
        f"{node.kind} takes the negative's part along the positive out; here it is subtracted whole"
    )
    return (
        Term(scale, _side(walk, sampler, "positive", "positive")),
        Term(-scale * strength, _side(walk, sampler, "negative", "negative")),
        Term(1.0 - scale + scale * strength, _side(walk, node, "empty_conditioning", "negative")),
    )
