"""One clear line for whatever goes wrong while the page handles an event."""

from __future__ import annotations

import functools
import html
import sys
import traceback
from collections.abc import Callable
from typing import Any

import gradio as gr

from studio import logs
from studio.errors import StudioError


def one_line(error: BaseException) -> str:
    """What a person reads: a :class:`StudioError` as it is, anything else by its kind."""
    if isinstance(error, StudioError):
        return str(error)
    traceback.print_exception(error, file=sys.stderr)
    logs.record(error)
    detail = " ".join(str(error).split())[:200]
    return f"Something went wrong: {type(error).__name__}{f': {detail}' if detail else ''}"


def warn(error: BaseException | str) -> None:
    """Show one line as a toast; the page stays as it is."""
    text = error if isinstance(error, str) else one_line(error)
    gr.Warning(
        html.escape(text), title="Please check" if isinstance(error, StudioError) else "Note"
    )


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """An event handler that turns every error into a toast and leaves its outputs untouched."""

    @functools.wraps(function)
    def handler(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:  # the page must outlive any mistake in one event
            warn(error)
            return gr.skip()

    return handler
