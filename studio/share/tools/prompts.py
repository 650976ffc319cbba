"""Another tool's prompt in the studio's words: its weights as ``(word:1.2)``, its tags apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from studio.preset import Row
from studio.preset.bounds import most

MAX_PROMPT = most(Row, "prompt")
MAX_READ = 40_000  # of a text with its tags; what follows is cut before any pattern sees it
MAX_NESTING = 20
MAX_NUMBER = 10**30
_PLUS, _MINUS, _BRACE = 1.1, 0.9, 1.05  # compel's and NovelAI's steps

# A stranger's text: every pattern takes time in proportion to it (bounded or possessive repeats).
_TAG = re.compile(r"<(lora|lyco|hypernet):([^:<>]{1,200})(?::([^<>]{0,80}))?>", re.IGNORECASE)
_TRIGGER = re.compile(r"<([\w.-]{1,200})>")  # InvokeAI's embeddings
_BREAK = re.compile(r"\bBREAK\b")
_BRACES = re.compile(r"(?<!\\)[{}]")
_BRACKETS = re.compile(r"(?<!\\)[()\[\]]")
_AND = re.compile(r"\bAND\b")
_NESTED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_WEIGHT = re.compile(r":\s{0,9}[+-]?(?:\d{1,9}\.?|\d{0,9}\.\d{1,9})\s{0,99}$")
_WILD = re.compile(r"(?<!\\)__(?=[\w/*.-]{1,200}__)")
_NUMBERED = re.compile(r"(?:(?<![\w.])(-?\d{1,6}(?:\.\d{1,6})?))?::")
_SUFFIX = re.compile(r"\++|-+|\d+(?:\.\d+)?|\.\d+")
_COMPEL_WORD = re.compile(r"(?<![\w'+\\-])[\w'+-]++(?=[\s,.:\x02]|$)")
_OPEN, _CLOSE = "\x01", "\x02"  # brackets that already are the studio's

_EMBEDDING = re.compile(r"\bembedding:[\w./\\-]{0,199}\w")


@dataclass(frozen=True)
class Lora:
    """A LoRA as another tool names it, and its strengths there.

    ``text``: on the text encoder; ``None`` for the same as on the network.
    """

    name: str
    strength: float = 1.0
    text: float | None = None

    def __str__(self) -> str:
        return f"<lora:{self.name}:{self.strength:g}>"


def read_prompt(text: str, tool: str, field: str, notes: list[str]) -> tuple[str, list[Lora]]:
    """``text`` with its weights in the studio's grammar, and the LoRAs that its tags name.

    Embeddings stay in the text, as ``embedding:name`` where the tool marks them. ``AND`` with
    ``:weight`` stays: the studio reads it the same way. What the studio cannot read is added to
    ``notes``.

    Args:
        tool: ``AUTOMATIC1111``, ``ComfyUI``, ``InvokeAI``, ``NovelAI``, ``SwarmUI`` or another name.
    """
    if len(text) > MAX_READ:
        notes.append(f"{field}: only the first {MAX_READ} of {len(text)} characters are read")
        text = text[:MAX_READ]
    text, loras = without_tags(text, field, notes)
    dialects: dict[str, Callable[[str, str, list[str]], str]] = {
        "AUTOMATIC1111": _web,
        "ComfyUI": _comfy,
        "InvokeAI": _compel,
        "NovelAI": _novel,
    }
    plain = tidy(dialects.get(tool, _same)(text, field, notes))
    if len(plain) > MAX_PROMPT:
        notes.append(f"{field}: cut to {MAX_PROMPT} of {len(plain)} characters")
    return plain[:MAX_PROMPT], loras


def without_tags(text: str, field: str, notes: list[str]) -> tuple[str, list[Lora]]:
    """A text without the web UI's tags, and the LoRAs that they name; others are noted."""
    loras = []
    for kind, name, given in _TAG.findall(text):
        if kind.lower() == "hypernet":
            notes.append(f"{field}: the hypernetwork {name!r} is left out")
        else:
            loras.append(Lora(name.strip(), *_strengths(name, given, field, notes)))
    return _TAG.sub("", text), loras


def tidy(text: str) -> str:
    """One blank between words, one comma between what is not empty, as tags leave gaps behind."""
    parts = (" ".join(part.split()) for part in text.split(","))
    return ", ".join(filter(None, parts))


def _strengths(name: str, given: str, field: str, notes: list[str]) -> tuple[float, float | None]:
    """On network and text, of ``0.8``, ``0.8:0.6`` (text, network) or ``te=0.8:unet=0.6``."""
    parts = given.split(":") if given else []
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    plain = [part for part in parts if "=" not in part]
    unread = [*plain[2:], *(f"{key}={named[key]}" for key in named if key not in ("te", "unet"))]
    if unread:  # weights of single blocks, steps at which it ends
        notes.append(f"{field}: {':'.join(unread)[:80]!r} of the LoRA {name!r} is left out")
    of_text = number(named.get("te", plain[0] if plain else "1"))
    found = number(named.get("unet", plain[1] if len(plain) > 1 else named.get("te", of_text)))
    if found is None:
        notes.append(f"{field}: the strength {given!r} of {name!r} is not read; 1 is used")
        return 1.0, None
    return float(found), None if of_text is None else float(of_text)


def number(value: object) -> float | int | None:
    """A finite number from what a tool wrote; integers stay exact. ``None`` for anything else.

    Numbers beyond ``MAX_NUMBER`` are nothing that a tool sets.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        value = _read_number(value[:400])
    return value if value is not None and -MAX_NUMBER <= value <= MAX_NUMBER else None


def _read_number(text: str) -> float | int | None:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _web(text: str, field: str, notes: list[str]) -> str:
    """The web UIs' grammar is the studio's, changing texts and ``BREAK`` too; a bracket that is never
    closed acts to the end there."""
    parts = _AND.split(_literal(text))
    return "AND".join(_closed(part, weighed=len(parts) > 1) for part in parts)


def _closed(part: str, weighed: bool) -> str:
    """A part with its brackets closed, before its blanks and, of several parts, its weight."""
    end = _WEIGHT.search(part) if weighed else None
    text = part[: end.start()].rstrip() if end else part.rstrip()
    return _balanced(text) + part[len(text) :]


def _balanced(text: str) -> str:
    """A text whose brackets all close. What needs its bracket to be more than text there is text here too:
    a weight's number, an editing or alternating text."""
    open_: list[int] = []
    for found in _BRACKETS.finditer(text):
        if found[0] in "([":
            open_.append(found.start())
        elif open_ and text[open_[-1]] + found[0] in ("()", "[]"):
            open_.pop()
    if len(open_) > MAX_NESTING:  # which nobody means: each as it is, in one go
        return text + "".join({"(": ")", "[": "]"}[text[at]] for at in reversed(open_))
    for at in reversed(open_):
        before, inner = text[:at], text[at + 1 :]
        if not inner.strip():
            text = before.rstrip()
        elif text[at] == "(":
            text = f"{before}({inner}{':1.1' if _WEIGHT.search(inner) else ''})"
        else:
            plain = not re.search(r"[:|]", _NESTED.sub("", inner))
            text = before + (f"[{inner}]" if plain else f"({inner}:{1 / 1.1:.6g})")
    return text


def _same(text: str, field: str, notes: list[str]) -> str:
    """A grammar that is the studio's, or near it."""
    return _literal(text)


def _literal(text: str) -> str:
    """A text as it was drawn with: what would be chosen anew here was chosen there already."""
    if "|" in text:
        text = _BRACES.sub(r"\\\g<0>", text)
    return _WILD.sub(r"\\\g<0>", text)


def _comfy(text: str, field: str, notes: list[str]) -> str:
    """Round brackets as here; square ones are plain text, and so is a word that ends windows here."""
    return _plain_words(re.sub(r"(?<!\\)([\[\]])", r"\\\1", text))


def _plain_words(text: str) -> str:
    """A text without what only the web UIs give a meaning to; towers read in lower case anyway."""
    return _BREAK.sub("break", _literal(text))


def _numbered(text: str) -> str:
    """NovelAI's ``1.2::some words::`` as ``(some words:1.2)``; what is not closed goes to the end."""
    found, place, weight = [], 0, ""
    for match in _NUMBERED.finditer(text):
        piece = text[place : match.start()]
        found.append(f"{_OPEN}{piece}:{weight}{_CLOSE}" if weight and piece else piece)
        place, weight = match.end(), match[1] or ""
    piece = text[place:]
    found.append(f"{_OPEN}{piece}:{weight}{_CLOSE}" if weight and piece else piece)
    return "".join(found)


def _novel(text: str, field: str, notes: list[str]) -> str:
    """``{word}`` weighs 1.05, ``[word]`` 1/1.05, ``1.2::word::`` 1.2; round brackets are text."""
    text = _numbered(_BREAK.sub("break", text))
    text = re.sub(r"(?<!\\)([()])", r"\\\1", text)
    for _ in range(MAX_NESTING):
        found = re.sub(r"\{([^{}\[\]]*)\}", rf"(\1:{_BRACE:g})", text)
        found = re.sub(r"\[([^{}\[\]]*)\]", rf"(\1:{1 / _BRACE:.4g})", found)
        if found == text:
            break
        text = found
    return text.replace(_OPEN, "(").replace(_CLOSE, ")")


def _compel(text: str, field: str, notes: list[str]) -> str:
    """InvokeAI's ``word++``, ``(two words)1.2``, ``word-`` and ``<embedding>``."""
    text = _plain_words(_TRIGGER.sub(r"embedding:\1", text))
    text = re.sub(r"(?<!\\)([\[\]])", r"\\\1", text)
    open_: list[list[str]] = [[]]
    place = 0
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            letter = text[place : place + 2]
        place += len(letter)
        if letter == "(":
            open_.append([])
        elif letter == ")" and len(open_) > 1:
            body, suffix = "".join(open_.pop()), _SUFFIX.match(text, place)
            place = suffix.end() if suffix else place
            open_[-1].append(_weighed(body, suffix[0]) if suffix else rf"\({body}\)")
        else:
            open_[-1].append(letter)
    plain = r"\(".join("".join(parts) for parts in open_)
    plain = _COMPEL_WORD.sub(_compel_word, plain)
    return plain.replace(_OPEN, "(").replace(_CLOSE, ")")


def _compel_word(match: re.Match[str]) -> str:
    """``word++`` or ``word--`` weighed; the word is what stands before its trailing signs."""
    whole = match[0]
    body = whole.rstrip(whole[-1]) if whole[-1] in "+-" else whole
    if body == whole or not body or not (body[-1].isalnum() or body[-1] == "_"):
        return whole
    start = body.rfind("+") + 1
    return whole[:start] + _weighed(body[start:], whole[len(body) :])


def _weighed(body: str, suffix: str) -> str:
    if suffix[0] in "+-":
        weight = (_PLUS if suffix[0] == "+" else _MINUS) ** min(len(suffix), MAX_NESTING)
    else:
        weight = number(suffix) or 0.0
    return f"{_OPEN}{body}:{weight:.4g}{_CLOSE}"


def without_models(prompt: str, tool: str, field: str, notes: list[str]) -> str:
    """A later pass's prompt without LoRAs and marked embeddings, which are the rows' here.

    Args:
        field: the preset's, for the notes.
    """
    text, loras = read_prompt(prompt, tool, field, notes)
    notes += [f"{field}: {one} is left out; a later pass has the rows' LoRAs" for one in loras]
    for one in dict.fromkeys(_EMBEDDING.findall(text)):
        notes.append(f"{field}: {one} is left out; a later pass has the rows' embeddings")
    return tidy(_EMBEDDING.sub("", text))
