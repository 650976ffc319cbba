r"""Prompts that are chosen anew for each image: ``{a|b|c}`` and ``__file__``, by dynamicprompts.

``{a|b}`` is one of its texts, ``{2$$a|b|c}`` two of them, ``{0.7::a|b}`` weighs them; ``__hat__`` is
a line of ``wildcards/hat.txt`` below ``STUDIO_HOME``, or an entry of a ``.yaml`` or ``.json`` there.
They nest; a backslash makes a brace or the first underscore plain text. What is chosen depends on
the image's seed and on the prompt alone, so that rows of one prompt have one text, and the picture's
preset holds what was chosen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import TYPE_CHECKING

from studio.errors import BadPreset, shorten
from studio.preset.choosing import collections, context, sampled, unread
from studio.preset.document import Preset
from studio.preset.later_prompts import later_prompts, with_later
from studio.preset.rows import PromptReference, Row

if TYPE_CHECKING:
    from dynamicprompts.sampling_context import SamplingContext

MAX_NESTING = 10
MAX_MARKS = 200
MAX_PROMPT = 4000
_WILD = re.compile(r"(?<!\\)__([\w/*.-]{1,200}?)__")
_BRACE = re.compile(r"\\.|[{}|]", re.DOTALL)


def varies(prompt: str) -> bool:
    """Whether a prompt holds something that is chosen anew."""
    return next(_marks(prompt), None) is not None


def preset_varies(preset: Preset) -> bool:
    """Whether an active row of a preset does, or a prompt of what comes after it."""
    rows = any(varies(text) for _, row in preset.active_rows() for text in _texts(row))
    return rows or any(varies(text) for text in later_prompts(preset).values())


def counted_seed(preset: Preset) -> int:
    """The seed of one image by which its prompts choose."""
    sampler = preset.sampler
    return sampler.variation_seed if sampler.variation_strength else sampler.seed


def chosen(preset: Preset, seed: int, like: Preset | None = None) -> Preset:
    """The preset with every choice of its active rows, and of the prompts of later passes, made.

    Args:
        seed: of the image.
        like: one of as many rows, whose prompts choose as these here do.

    Raises:
        BadPreset: an unknown wildcard, or text that dynamicprompts does not read; names the field.
    """
    rows = list(preset.rows)
    for index, row in preset.active_rows():
        places, others = ("prompt", "reference.prompt"), _texts((like or preset).rows[index])
        texts = [
            text_of(text, seed, f"rows.{index}.{name}", like=other)
            for text, name, other in zip(_texts(row), places, others, strict=False)
        ]
        update: dict[str, object] = {"prompt": texts[0]}
        if isinstance(row.reference, PromptReference):
            update["reference"] = PromptReference(prompt=texts[1])
        rows[index] = row.model_copy(update=update)
    made = preset.model_copy(update={"rows": tuple(rows)})
    others = later_prompts(like or preset)
    later = {
        field: text_of(text, seed, field, like=others.get(field, text))
        for field, text in later_prompts(preset).items()
    }
    return with_later(made, later)


def text_of(prompt: str, seed: int, field: str = "prompt", like: str | None = None) -> str:
    """One prompt with its choices made, or made as the prompt ``like`` makes them; raises as
    :func:`chosen` does."""
    text = "".join(_pieces(prompt, seed, field, like))
    if text != prompt and len(text) > MAX_PROMPT:
        raise BadPreset(
            f"has {len(text)} characters once it is chosen; at most {MAX_PROMPT}", field=field
        )
    return text


def choices(asked: Preset, made: Preset) -> list[str]:
    """What the choices in the prompts of ``asked`` came to in ``made``, the preset of one of its
    images: each text once, row by row. Where the wildcards are others by now, the whole prompt.

    Raises:
        BadPreset: as :func:`chosen` does.
    """
    found: list[str] = []
    texts = [
        pair
        for index, row in asked.active_rows()
        for pair in zip(_texts(row), _texts(made.rows[index]), strict=True)
    ]
    later = later_prompts(made)
    texts += [(text, later.get(name, text)) for name, text in later_prompts(asked).items()]
    for text, settled in texts:
        if varies(text):
            pieces = _pieces(text, counted_seed(made))
            found += pieces[1::2] if "".join(pieces) == settled else [settled]
    return list(dict.fromkeys(filter(None, found)))


def _pieces(prompt: str, seed: int, field: str = "prompt", like: str | None = None) -> list[str]:
    """A prompt in parts: by turns what is written, and what a choice came to."""
    marks = list(_marks(prompt))
    if not marks:
        return [prompt]
    if len(marks) > MAX_MARKS:
        raise BadPreset(f"has {len(marks)} choices; at most {MAX_MARKS}", field=field)
    digest = hashlib.sha256(f"{seed}\n{prompt if like is None else like}".encode()).digest()
    among = context(Random(digest))
    pieces, place = [], 0
    for start, end in marks:
        pieces += [prompt[place:start], *_sampled(among, prompt[start:end], field)]
        place = end
    return [*pieces, prompt[place:]]


def every_text(
    prompt: str, most: int, field: str = "prompt", letters: int | None = None
) -> list[str]:
    """All that a prompt can become, each once: the first choice changes last.

    Args:
        letters: how many characters all of them may have together; without it, any number.

    Raises:
        BadPreset: more than ``most``, more than ``letters``, a prompt that is too long, or as
            :func:`chosen` does.
    """
    if len(prompt) > MAX_PROMPT:
        raise BadPreset(f"has {len(prompt)} characters; at most {MAX_PROMPT}", field=field)
    among = context(Random(0), combined=True)
    parts, place, count = [], 0, 1
    for start, end in _marks(prompt):
        texts = list(dict.fromkeys(_sampled(among, prompt[start:end], field, most + 1)))
        count *= len(texts)
        if count > most:
            raise BadPreset(f"has more than {most} combinations of its choices", field=field)
        parts += [[prompt[place:start]], texts]
        place = end
    found: dict[str, None] = {}
    total = 0
    for text in map("".join, product(*parts, [prompt[place:]])):
        total += 0 if text in found else len(text)
        found[text] = None
        if letters is not None and total > letters:  # before the others are built
            raise BadPreset(
                f"has more than {letters} characters in the combinations of its choices",
                field=field,
            )
    return list(found)


def names() -> list[str]:
    """The wildcards that there are, as they are written between underscores."""
    found = collections()
    return sorted(name for name in found if _WILD.fullmatch(f"__{name}__"))


def _texts(row: Row) -> tuple[str, ...]:
    other = (row.reference.prompt,) if isinstance(row.reference, PromptReference) else ()
    return row.prompt, *other


def _marks(prompt: str) -> Iterator[tuple[int, int]]:
    """Where outermost choices start and end: braces with ``|`` or ``$$`` in them, wildcards."""
    if "{" not in prompt and "__" not in prompt:
        return
    spans: list[tuple[int, int]] = []
    open_: list[int] = []
    bars = False
    for match in _BRACE.finditer(prompt):
        letter = match[0]
        if letter == "{":
            open_.append(match.start())
            bars = bars and len(open_) > 1
        elif letter == "|" and open_:
            bars = True
        elif letter == "}" and open_:
            start = open_.pop()
            if not open_ and (bars or "$$" in prompt[start : match.end()]):
                spans.append((start, match.end()))
    inside = iter([*spans, (len(prompt) + 1, len(prompt) + 1)])
    span = next(inside)
    wild = []
    for match in _WILD.finditer(prompt):
        while match.start() >= span[1]:
            span = next(inside)
        if match.start() < span[0]:
            wild.append(match.span())
    yield from sorted([*spans, *wild])


def _sampled(among: SamplingContext, text: str, field: str, most: int = 1) -> list[str]:
    if _depth(text) > MAX_NESTING:
        raise BadPreset(f"nests choices more than {MAX_NESTING} deep", field=field)
    _check_wildcards(among, text, field)
    try:
        found = sampled(among, text, most)
    except RecursionError:
        raise BadPreset(f"{shorten(text)} leads back to itself", field=field) from None
    except Exception as error:  # whatever a parser says of a stranger's text
        reason = " ".join(str(error).split())[:120]
        raise BadPreset(f"{shorten(text)} cannot be read ({reason})", field=field) from error
    for one in found:
        _check_wildcards(among, one, field)  # those that a wildcard's own lines name
    return found


def _depth(text: str) -> int:
    deepest = now = 0
    for letter in text:
        now += (letter == "{") - (letter == "}")
        deepest = max(deepest, now)
    return deepest


def _check_wildcards(among: SamplingContext, text: str, field: str) -> None:
    for name in _WILD.findall(text):
        try:
            there = among.wildcard_manager.get_values(name)
        except OSError as error:
            raise BadPreset(
                f"the wildcard {shorten(name)} cannot be read ({error.strerror})", field=field
            ) from error
        if not there:
            if name in names():
                raise BadPreset(
                    f"the wildcard {shorten(name)} holds no choice yet; write one a line into its file",
                    field=field,
                )
            if why := unread(name):
                raise BadPreset(why, field=field)
            if known := ", ".join(names()[:8]):
                raise BadPreset(
                    f"there is no wildcard {shorten(name)} in the folders of wildcards; "
                    f"there is {known}",
                    field=field,
                )
            raise BadPreset(
                f"there is no wildcard {shorten(name)}, nor any other yet; a file such as "
                "wildcards/hat.txt below STUDIO_HOME, a choice a line, is one",
                field=field,
            )
