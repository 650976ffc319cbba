"""One clear line for whatever goes wrong while the page handles an event."""

from __future__ import annotations

import functools
import html
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from studio import logs
from studio.errors import StudioError
from studio.library.hub import is_closed, is_offline
from studio.preset.mistakes import WRONG_TOO
from studio.ui.schema import labels

# A command line is no use to a page, which lists what is missing with what can be done about it.
CHECK = "Please check"  # heads what is refused
UNFORESEEN = "Something went wrong"  # begins the line of what is no :class:`StudioError`
_SHELL = re.compile(r"fetch it with 'python -m studio download [^']*'")
_ON_PAGE = "download it, or choose another, in the list of what is missing"
_ALLOW = re.compile(r"set STUDIO_ALLOW_DOWNLOAD=1 to fetch them, or ")
_SETTING = "turn on “Fetch weights when needed” in the Settings, or "
_NOT_HERE = "they are not fetched here; "  # the page fetches nothing, or is not the visitor's own
# A dotted path anywhere, or the field that a line begins with.
_FIELD = re.compile(r"\b[a-z_]+(?:\.[a-z_][a-z_0-9]*)+|^[a-z_]+(?=: )")
_NAMED = re.compile(r"([a-z_]+(?:\.[a-z_0-9]+)*)(?=: )")
_ROW = re.compile(r"\brows\.(\d+)(?:\.([a-z_]+(?:\.(?:[a-z_]+|\d+))*))?")
# The entries of a row's lists, as its fields are called; row/card.js says the same.
_ENDS = {"range, 0": "start of the range", "range, 1": "end of the range"}
_POINT = re.compile(r"^curve, (\d+)(, \d+)?$")
_CONTROL = re.compile(r"\bcontrols, (\d+)")  # behind the first
_LORA = re.compile(r"\bloras, (\d+)")  # history/differences.py calls it so too


def on_page(text: str, names: Mapping[str, str] | None = None) -> str:
    """A line in the page's words: ``rows.1.weight`` is row 2, ``sampler.width`` is Width, and what is
    missing stands in a list.

    Args:
        names: what fields are called where the line stands; by default those of a preset.
    """
    known = labels() if names is None else names

    def named(match: re.Match[str]) -> str:
        part = (match[2] or "").replace("_", " ").replace(".", ", ")
        part = _POINT.sub(lambda at: f"point {int(at[1]) + 1} of the curve", _ENDS.get(part, part))
        part = _LORA.sub(lambda lora: f"LoRA {int(lora[1]) + 1}", part)
        part = _CONTROL.sub(lambda one: f"control {int(one[1]) + 2}", part)
        return f"row {int(match[1]) + 1}" + (f", {part}" if part else "")

    fetching = _NOT_HERE if is_offline() or is_closed() else _SETTING
    rows = _ROW.sub(named, _ALLOW.sub(fetching, _SHELL.sub(_ON_PAGE, text)))
    said = _FIELD.sub(lambda match: known.get(match[0], match[0]), rows)
    mistake, besides, others = said.partition(WRONG_TOO)
    return mistake + besides + " · ".join(known.get(one, one) for one in others.split(" · "))


def field_of(text: str) -> str:
    """The path of the field that a line of :func:`plain_line` names first; "" where it names none."""
    named = _NAMED.match(text)
    path = named[1] if named else ""
    part = path == "init" or path.startswith(("rows.", "init."))
    return path if part or path in labels() else ""


def one_line(error: BaseException) -> str:
    """What a person reads at the page."""
    return on_page(plain_line(error))


def plain_line(error: BaseException) -> str:
    """What a program reads: a :class:`StudioError` as it is, anything else by its kind."""
    if isinstance(error, StudioError):
        return str(error)
    traceback.print_exception(error, file=sys.stderr)
    logs.record(error)
    detail = " ".join(str(error).split())[:200]
    return f"{UNFORESEEN}: {type(error).__name__}{f': {detail}' if detail else ''}"


def warn(error: BaseException | str, worded: Callable[[str], str] = on_page) -> None:
    """Show one line as a toast; the page stays as it is. ``worded``: how fields are named there."""
    text = error if isinstance(error, str) else plain_line(error)
    title = CHECK if isinstance(error, StudioError) else "Please note"
    gr.Warning(html.escape(worded(text)), title=title)


def tell(text: str, title: str) -> None:
    """Show a line as a toast, letter by letter: a name in it may hold what would be read as HTML."""
    gr.Info(html.escape(text), title=title)


def refusal(error: StudioError) -> gr.Error:
    """What a component raises that cannot take a value: read at the page, and by clients of the API."""
    text = html.escape(str(error), quote=False)
    return gr.Error(text, title=CHECK, print_exception=False)


def guarded(
    function: Callable[..., Any], worded: Callable[[str], str] = on_page
) -> Callable[..., Any]:
    """An event handler that turns every error into a toast and leaves its outputs untouched."""

    @functools.wraps(function)
    def handler(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:  # the page must outlive any mistake in one event
            warn(error, worded)
            return gr.skip()

    return handler
