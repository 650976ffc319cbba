"""ComfyUI's conditionings, followed along their links to conditions.

A conditioning is a list there, over whose predictions the sampler averages. What each node does
to its list stands in :mod:`studio.share.tools.comfy_nodes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from studio.errors import cut, shorten
from studio.extensions import Table
from studio.share.tools.comfy_graph import MAX_DEPTH, Graph, Link, Node
from studio.share.tools.table import Condition, ControlUse

MAX_ENTRIES = 60
Entries = list[Condition]
_PASSED = ("conditioning", "conditioning_1", "conditioning_to", "positive", "negative")
_TEXT_INPUTS = (
    "text",
    "text_g",
    "text_l",
    "clip_l",
    "clip_g",
    "t5xxl",
    "prompt",
    "tags",
    "caption",
)
_FILES_BEHIND = (  # links that lead to a picture or to a network besides the model
    "image",
    "images",
    "pixels",
    "mask",
    "model2",
    "clip_vision",
    "clip_vision_output",
    "style_model",
    "ipadapter",
    "control_net",
    "insightface",
)
_FILE = re.compile(r"image|\w{1,40}_(?:name|file)")
_ENCODERS_OWN = {  # an encoder's inputs that are its text and its network
    "clip",
    "ascore",
    "width",
    "height",
    "crop_w",
    "crop_h",
    "target_width",
    "target_height",
    "parser",
    *_TEXT_INPUTS,
}


@dataclass(frozen=True)
class Step:
    """One node on the way: which of its outputs is asked, for which side, and how deep it lies."""

    node: Node
    output: int
    side: str
    depth: int


class Conditions:
    """Follows the links of one picture's graph to its conditions.

    Args:
        size: of the latent in pixels, which areas are parts of.
    """

    def __init__(self, graph: Graph, size: tuple[int, int] | None) -> None:
        self.graph = graph
        self.size = size or (512, 512)
        self.clips: list[Link] = []  # the text encoders that were met
        self.on_both: list[ControlUse] = []  # controls that reach the negative side as well
        self._open: set[tuple[str, int]] = set()
        self._known: dict[tuple[Link, str], Entries] = {}

    def of(self, link: Link | None, side: str, depth: int = 0) -> Entries:
        """The conditions behind a link.

        Args:
            side: ``positive`` or ``negative``, for nodes that give both.
        """
        node = self.graph.node(link, depth)
        if node is None or link is None:
            return []
        if depth >= MAX_DEPTH or (node.id, link[1]) in self._open:
            self.graph.note(f"{node.kind}: its links lead back to itself, or too far")
            return []
        known = self._known.get((link, side))
        if known is None:
            self._open.add((node.id, link[1]))
            known = self._bounded(node, self._made(node, link[1], side, depth))
            self._open.discard((node.id, link[1]))
            self._known[link, side] = known
        return known

    def _made(self, node: Node, output: int, side: str, depth: int) -> Entries:
        make = NODES.get(node.kind.strip())
        if make is not None:
            return make(self, Step(node, output, side, depth))
        if any(name in node.inputs for name in _TEXT_INPUTS):
            return self._encoded(node, side)
        if _gives_both(node):
            name = "negative" if side == "negative" else "positive"
            return [Condition(((self.graph.text(node, name, side), 1.0),))]
        return self._unknown(node, output, side, depth)

    def inner(self, step: Step, name: str) -> Entries:
        """The conditions of an input."""
        return self.of(step.node.link(name), step.side, step.depth + 1)

    def _bounded(self, node: Node, entries: Entries) -> Entries:
        """Lists and mixtures that refer to themselves twice, again and again, stay small."""
        if len(entries) > MAX_ENTRIES or any(len(one.texts) > MAX_ENTRIES for one in entries):
            self.graph.note(f"{node.kind}: only its first {MAX_ENTRIES} texts are read")
        return [replace(one, texts=one.texts[:MAX_ENTRIES]) for one in entries[:MAX_ENTRIES]]

    def _encoded(self, node: Node, side: str) -> Entries:
        """A text through one or several encoders; different texts for them become one prompt."""
        self.graph.sources.add(node.id)  # its further inputs are noted here
        clip = node.link("clip")
        if clip:
            self.clips.append(clip)
        texts = [self.graph.text(node, n, side) for n in _TEXT_INPUTS if n in node.inputs]
        different = list(dict.fromkeys(text for text in texts if text.strip()))
        if len(different) > 1:
            self.graph.note(f"{node.kind}: its texts for several encoders are read as one prompt")
        self._note_sizes(node)
        others = {k: v for k, v in node.literals().items() if k not in _ENCODERS_OWN}
        for name, value in others.items():
            if value not in (None, "", False):
                self.graph.note(f"{node.kind}: {name[:60]} {shorten(value)} is not carried over")
        return [Condition(((", ".join(different), 1.0),))]

    def _note_sizes(self, node: Node) -> None:
        """SDXL's numbers beside a text, where they say another size than the picture's."""
        numbers = {n: self.graph.number(node, n) for n in ("crop_w", "crop_h") if n in node.inputs}
        pairs = [
            tuple(self.graph.number(node, f"{kind}{edge}") for edge in ("width", "height"))
            for kind in ("", "target_")
            if f"{kind}width" in node.inputs
        ]
        if any(numbers.values()) or any(pair != self.size for pair in pairs):
            shown = ", ".join(
                f"{k} {v}" for k, v in node.literals().items() if not isinstance(v, str)
            )
            self.graph.note(f"{node.kind}: {shown[:200]} are not carried over")

    def _unknown(self, node: Node, output: int, side: str, depth: int) -> Entries:
        """What is not known lets its input through, and is named."""
        shown = ", ".join(f"{k} {shorten(v, 40)}" for k, v in list(node.literals().items())[:6])
        self.graph.note(not_carried(node.kind, shown))
        note_files(self.graph, node)
        if "positive" in node.inputs and "negative" in node.inputs:
            return self.of(node.link("negative" if output == 1 else "positive"), side, depth + 1)
        names = [n for n in _PASSED if node.link(n)] or [n for n, _ in node.links()]
        for name in names:
            found = self.of(node.link(name), side, depth + 1)
            if found:
                return found
        return []


def _gives_both(node: Node) -> bool:
    """Whether it holds both texts, as loaders that encode do."""
    return all(isinstance(node.inputs.get(n), str) for n in ("positive", "negative"))


def note_files(graph: Graph, node: Node) -> None:
    """A note for each file that a node which is not carried over gets besides: pictures, networks."""
    waiting, seen = [node], {node.id}
    while waiting and len(seen) < MAX_DEPTH:
        for name, link in waiting.pop().links():
            other = graph.node(link) if name in _FILES_BEHIND else None
            if other is None or other.id in seen:
                continue
            seen.add(other.id)
            waiting.append(other)
            for key, value in other.literals().items():
                if _FILE.fullmatch(key) and isinstance(value, str):
                    graph.note(f"{node.kind[:80]}: {name} {value[:100]!r} is not carried over")


Make = Callable[[Conditions, Step], Entries]
NODES: Table[Make] = Table("ComfyUI conditioning node")


def summary(values: dict[str, Any]) -> str:
    """A node's literals for a note."""
    return cut(", ".join(f"{k[:40]} {shorten(v, 60)}" for k, v in list(values.items())[:12]), 400)


def not_carried(kind: str, shown: str) -> str:
    """A note on a node, with its literals where it has any."""
    kind = kind[:80]
    return f"{kind} is not carried over ({shown})" if shown else f"{kind} is not carried over"


def not_read(kind: str, values: dict[str, Any]) -> str:
    """A note on those of a node's literals that are not taken over, of which there are some."""
    shown = f"{kind[:80]}: {summary(values)}"
    return f"{shown} is not carried over" if len(values) == 1 else f"{shown} are not carried over"
