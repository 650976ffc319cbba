"""ComfyUI's graph: nodes by id, and the values that their inputs have, literal or along links.

A link is ``[id, output]``. Links may lead anywhere, also in circles; each walk is bounded in depth
and all walks of a picture together in steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from studio.errors import cut, shorten
from studio.share.tools.prompts import number

MAX_DEPTH = 64
MAX_WALKS = 4000
MAX_NODES = 5000
MAX_TEXT = 40_000

Link = tuple[str, int]

_NUMBERS = ("value", "number", "int", "float", "Number", "Value", "seed", "noise_seed", "constant")
_TEXTS = (
    "populated_text",  # a wildcard's outcome, beside its own text
    "value",
    "text",
    "string",
    "prompt",
    "String",
    "Text",
    "positive",
    "text_positive",
    "text_g",
    "text_0",
    "result",
    "wildcard_text",
)
_JOINS = re.compile(r"concat|join|combine|append|merge", re.IGNORECASE)
_PART = re.compile(  # what the texts of a node that joins them are called
    r"(?:text|string|str|prompt|input|line|part|value|word|tag|prefix|suffix|append|prepend|[a-z])"
    r"[_ -]?\w{0,3}",
    re.IGNORECASE,
)
_COUNTS_UP = "control_after_generate"
_SAYS_NOTHING = (_COUNTS_UP, "clean_whitespace", "autorefresh", *_TEXTS)
_BETWEEN = ("delimiter", "separator", "seperator", "linebreak_addition")


class Node:
    """One node: its class and its inputs."""

    def __init__(self, identity: str, kind: str, inputs: Mapping[str, Any]) -> None:
        self.id = identity
        self.kind = kind
        self.inputs = inputs

    def link(self, *names: str) -> Link | None:
        """The first of these inputs that is a link."""
        return next((link for name in names if (link := as_link(self.inputs.get(name)))), None)

    def links(self) -> Iterator[tuple[str, Link]]:
        """Every input that is a link."""
        for name, value in self.inputs.items():
            link = as_link(value)
            if link:
                yield name, link

    def literals(self) -> dict[str, Any]:
        """Every input that is none."""
        return {k: v for k, v in self.inputs.items() if as_link(v) is None}


def as_link(value: object) -> Link | None:
    """A link as id and output; ``None`` for a literal."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
        output = value[1]
        if isinstance(output, int) and not isinstance(output, bool):
            return str(value[0]), output
    return None


class Graph:
    """The nodes of a picture.

    ``seen``: those that something was read from; ``sources``: of these, the ones that a text or
    a number comes from.
    """

    def __init__(self, data: Mapping[str, Any], notes: list[str]) -> None:
        self.nodes: dict[str, Node] = {}
        self.seen: set[str] = set()
        self.sources: set[str] = set()
        self.notes = notes
        self._walks = 0
        for identity, node in list(data.items())[:MAX_NODES]:
            if isinstance(node, Mapping) and isinstance(node.get("class_type"), str):
                inputs = node.get("inputs")
                inputs = inputs if isinstance(inputs, Mapping) else {}
                self.nodes[str(identity)] = Node(str(identity), node["class_type"][:200], inputs)
        if len(data) > MAX_NODES:
            notes.append(f"only the first {MAX_NODES} of {len(data)} nodes are read")

    def note(self, text: str) -> None:
        """A note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def node(self, link: Link | None, depth: int = 0) -> Node | None:
        """The node that a link leads to, reroutes and switches passed; ``None`` where there is none."""
        while link is not None and depth < MAX_DEPTH:
            self._walks += 1
            if self._walks > MAX_WALKS:
                self.note("the graph is too large to be followed whole; parts of it are left out")
                return None
            node = self.nodes.get(link[0])
            if node is None:
                return None
            self.seen.add(node.id)
            onward = _chosen(node)
            if onward is not None:
                self.sources.add(node.id)
            elif _is_reroute(node):
                onward = next((one for _, one in node.links()), None)
            if onward is None:
                return node
            link = onward
            depth += 1
        return None

    def number(self, node: Node, *names: str) -> float | int | None:
        """A number among a node's inputs, followed along links; ``None`` for none."""
        for name in names:
            if name in node.inputs:
                found = self._number(node.inputs[name], name, 0)
                if found is not None:
                    return found
                if node.inputs[name] is not None:
                    self.note(f"{node.kind}: {name} is not read")
        return None

    def _number(self, value: object, name: str, depth: int) -> float | int | None:
        link = as_link(value)
        if link is None:
            return number(value)
        node = self.node(link, depth)
        if node is None or depth >= MAX_DEPTH:
            return None
        self.sources.add(node.id)
        candidates = [key for key in (name, *_NUMBERS) if key in node.inputs]
        plain = [key for key, one in node.literals().items() if number(one) is not None]
        for key in (*(candidates or (plain if len(plain) == 1 else [])), *dict(node.links())):
            found = self._number(node.inputs[key], key, depth + 1)
            if found is not None:
                self._note_beside(node, [key, _COUNTS_UP], f"{name} is read as {found:g}")
                return found
        return None

    def _note_beside(self, node: Node, used: list[str], what: str) -> None:
        """A note where a node has more inputs than the one that was read: it may calculate."""
        left = {
            key: value if as_link(value) is None else "(linked)"
            for key, value in node.inputs.items()
            if key not in used and value not in ("", None, False)
        }
        if left:
            shown = ", ".join(f"{key[:40]} {shorten(one, 40)}" for key, one in [*left.items()][:6])
            shown = cut(shown, 200)
            self.note(f"{node.kind[:80]}: {what[:80]}, without what else it has ({shown})")

    def text(self, node: Node, name: str, side: str = "positive") -> str:
        """A text among a node's inputs, followed along links; "" for none."""
        value = node.inputs.get(name)
        found = self._text(value, side, 0)
        if found is None:
            if value is not None and value != "":
                self.note(f"{node.kind}: its {name} cannot be followed")
            return ""
        return found[:MAX_TEXT]

    def _text(self, value: object, side: str, depth: int) -> str | None:
        link = as_link(value)
        if link is None:
            return value if isinstance(value, str) else None
        node = self.node(link, depth)
        if node is None or depth >= MAX_DEPTH:
            return None
        self.sources.add(node.id)
        styled = _styled(node, side, link[1])
        if styled:
            self.note(f"{node.kind}: its {styled} is read without what the node adds to it")
            return self._text(node.inputs[styled], side, depth + 1)
        keys, joins, used = _text_keys(node), _joins(node), [*_BETWEEN]
        parts = []
        for key in keys:
            found = self._text(node.inputs[key], side, depth + 1)
            if found is not None and (found or not as_link(node.inputs[key])):
                parts.append(found)
                used.append(key)
                if not joins:
                    break
        if not parts:
            return None
        if "populated_text" not in used:  # a wildcard's outcome is all that counts
            self._note_beside(node, [*used, *_SAYS_NOTHING], "its text is read")
        between = next((node.inputs[key] for key in _BETWEEN if key in node.inputs), " ")
        between = between.replace("\\n", "\n") if isinstance(between, str) else " "
        return between.join(part for part in parts if part)[:MAX_TEXT]


def _text_keys(node: Node) -> list[str]:
    """The inputs of a node that may hold its text, the likeliest first; all of them to join."""
    may = [key for key, value in node.inputs.items() if _may_be_text(value)]
    if _joins(node):
        named = [key for key in may if _PART.fullmatch(key) or as_link(node.inputs[key])]
        return [key for key in named if key not in _BETWEEN]
    known = [key for key in _TEXTS if key in may]
    others = [key for key in may if key not in known]
    others.sort(key=lambda key: (not _PART.fullmatch(key), as_link(node.inputs[key]) is None))
    return known + (others if len(others) == 1 or not known else [])


def _joins(node: Node) -> bool:
    return _JOINS.search(node.kind) is not None or node.inputs.get("action") == "append"


def _chosen(node: Node) -> Link | None:
    """Where a switch leads whose choice is written in it."""
    for name in ("select", "index", "Input"):
        number_ = node.inputs.get(name)
        if isinstance(number_, int) and not isinstance(number_, bool):
            names = (f"input{number_}", f"input_{number_}", f"input {number_}")
            return node.link(*names)
    for name in ("switch", "boolean", "cond"):
        value = node.inputs.get(name)
        if isinstance(value, bool):
            return node.link(*(("on_true", "tt_value") if value else ("on_false", "ff_value")))
    return None


def _is_reroute(node: Node) -> bool:
    return "reroute" in node.kind.lower() and any(True for _ in node.links())


def _may_be_text(value: object) -> bool:
    return isinstance(value, str) or as_link(value) is not None


def _styled(node: Node, side: str, output: int) -> str:
    """The input of a node that gives a positive text and a negative one."""
    for positive, negative in (("text_positive", "text_negative"), ("positive", "negative")):
        if positive in node.inputs and negative in node.inputs:
            return negative if output == 1 or (output != 0 and side == "negative") else positive
    return ""
