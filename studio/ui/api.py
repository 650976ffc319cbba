"""The endpoints for programs: a preset in, plans and pictures out. No component stands behind them.

They are documented under *Use via API* at the foot of the page, callable with ``gradio_client`` and
plain HTTP, and tools of the MCP server when that is on. Gradio reads their annotations as they are.
"""

import base64
import functools
import html
import inspect as introspection
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from studio.errors import MissingFile, StudioError, shorten
from studio.events import Progress
from studio.plan.stated import stated_plan
from studio.preset import Preset, validate
from studio.share import extract, read_upload
from studio.ui import run
from studio.ui.asker import is_tool, refuse_tools
from studio.ui.describe import plan_of
from studio.ui.errors import plain_line
from studio.ui.history import view
from studio.ui.library.models import library
from studio.ui.runs import Runs
from studio.ui.session import Run, Session
from studio.ui.space import Limits
from studio.ui.widgets import FILE_META

MOST_FOUND = 200
PATIENCE_SECONDS = 1.0  # between two looks at a run
_MODEL = ("id", "kind", "family", "base", "title", "size", "trigger", "problem")
_FOUND = ("id", "title", "prompts", "seed", "width", "height", "base", "starred", "note")


def attach(limits: Limits, runs: Runs) -> None:
    """Declare the endpoints; must be called inside ``gr.Blocks``."""

    def read(preset: dict[str, Any]) -> Preset:
        found = validate(preset)
        limits.check(found)
        return extract(found)

    def plan(preset: dict[str, Any]) -> dict[str, Any]:
        """A preset's equation, network passes and cost. Loads no network.

        Args:
            preset: a preset document, as *Download JSON* gives it; fields left out have their defaults.
        """
        compiled = stated_plan(read(preset), library())
        return {
            "equation": str(compiled),
            "forwards": compiled.forwards_total,
            "notes": list(compiled.notes),
            **compiled.as_dict(),
        }

    def inspect(image: str) -> dict[str, Any]:
        """The preset that a picture carries, ours or another tool's, and notes on what was left out.

        Args:
            image: a picture file as a data URI (``data:image/png;base64,…``).
        """
        preset, notes = read_upload(image, library())
        return {"preset": preset.model_dump(mode="json"), "notes": notes}

    def models() -> list[dict[str, Any]]:
        """Every model of the library: its id, kind, family and base, or why it cannot be used."""
        return [{name: getattr(entry, name) for name in _MODEL} for entry in library().entries()]

    def owner_of(request: gr.Request) -> Session:
        refuse_tools(limits, request)
        return runs.session(request.session_hash or "api")

    def picture(id: str, request: gr.Request) -> dict[str, Any]:
        """One picture of the history as a file to look at, which carries its preset.

        Args:
            id: as *history* gives it, or *generate_preset* to a tool's user.
        """
        own = runs.history(owner_of(request))
        return _file_of(own.file(own.get(id)))

    def generate_preset(preset: dict[str, Any], request: gr.Request) -> Iterator[dict[str, Any]]:
        """Make a preset's pictures: progress first, then the pictures, which carry their presets. A
        tool's user gets their ids, to look at with *picture*.

        Args:
            preset: a preset document; its seed −1 means a new one.
        """
        chosen = run.chosen_seed(read(preset))
        owner = owner_of(request)
        asked = runs.submit(owner, chosen, plan_of(chosen).forwards_expected * chosen.sampler.count)
        try:
            yield from _followed(runs, owner, asked, as_ids=is_tool(request))
        finally:
            runs.cancel(asked)

    def history(request: gr.Request, text: str = "", limit: int = 20) -> dict[str, Any]:
        """Pictures made here, newest first, in which every word begins one of prompts, models or notes.

        Args:
            text: words; empty for all.
            limit: at most so many, 1 to 200.
        """
        if not isinstance(limit, int | float) or limit not in range(1, MOST_FOUND + 1):
            raise StudioError(
                f"a whole number from 1 to {MOST_FOUND}, got {shorten(limit)}", field="limit"
            )
        found = runs.history(owner_of(request)).search(view.query_of({"text": text}), int(limit))
        pictures = [  # a client takes "path" for a file to fetch
            {**{name: getattr(one, name) for name in _FOUND}, "file": one.path}
            for one in found.records
        ]
        return {"total": found.total, "pictures": pictures}

    for function in (plan, inspect, models, generate_preset, history, picture):
        api(in_one_line(function), api_name=function.__name__, concurrency_limit=None)


def _followed(runs: Runs, owner: Session, asked: Run, as_ids: bool) -> Iterator[dict[str, Any]]:
    """A run's progress until it ends, then what it made.

    Args:
        as_ids: the pictures by their ids in the history, and not as they are.

    Raises:
        StudioError: it failed, or was cancelled.
    """
    seen = -1
    while asked.active():
        version = owner.version
        if version != seen:
            yield _progress(asked)
        seen = version
        runs.wait(owner, seen, PATIENCE_SECONDS)
    if asked.state != "done":
        raise StudioError(asked.error or "was cancelled", field="generate_preset")
    yield {
        "state": "done",
        "forwards": asked.done.forwards if asked.done else 0,
        "saved": asked.done.saved if asked.done else 0,
        "estimated_error": asked.done.estimated_error if asked.done else 0.0,
        "seconds": asked.done.seconds if asked.done else 0.0,
        **(
            {"pictures": [moment.id for moment in asked.moments]}
            if as_ids
            else {"images": [_data_uri(Path(moment.path)) for moment in asked.moments]}
        ),
    }


def _progress(asked: Run) -> dict[str, Any]:
    step: Progress | None = asked.progress
    shown = {"step": step.step, "steps": step.steps, "stage": step.stage} if step else {}
    return {"state": asked.state, "finished": len(asked.moments), **shown}


def _file_of(path: Path) -> dict[str, Any]:
    """A picture's file as Gradio serves it.

    Raises:
        MissingFile: it is not there any more.
    """
    if not path.is_file():
        raise MissingFile("this picture is not there any more", field=path.name)
    return {"path": str(path.absolute()), "orig_name": path.name, "meta": FILE_META}


def _data_uri(path: Path) -> str:
    kind = {".jpg": "jpeg", ".webp": "webp"}.get(path.suffix, "png")
    return f"data:image/{kind};base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def in_one_line(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, whose errors reach a program as one line."""

    if introspection.isgeneratorfunction(function):

        @functools.wraps(function)
        def streamed(*args: Any, **kwargs: Any) -> Any:
            try:
                yield from function(*args, **kwargs)
            except Exception as error:
                raise _refusal(error) from error

        return streamed

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            raise _refusal(error) from error

    return called


def _refusal(error: Exception) -> gr.Error:
    return gr.Error(html.escape(plain_line(error), quote=False), print_exception=False)
