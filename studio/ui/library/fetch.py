"""Fetching a model from the hub or from civitai.com, on the Models tab: terms and size, progress, stop,
go on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.library.civitai import SiteModel
from studio.library.download import HubModel, download, look_up
from studio.ui.describe import progress_bar
from studio.ui.errors import on_page, plain_line
from studio.ui.library import kept_fields
from studio.ui.library.job import Job, Steps, begin, shown
from studio.ui.library.models import megabytes
from studio.ui.space import Limits
from studio.ui.widgets import EACH, QUIET

STOPPED = progress_bar(
    0,
    "Stopped. Files that came whole are kept; the one under way starts again with Download, "
    "or goes on where it comes from civitai.com.",
    "idle",
)

ASKING = progress_bar(0, "Asking for it …")
LABEL = "From the Hugging Face Hub or Civitai"
# Of a model's page, whichever of its parts one has copied it from.
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?!(?:datasets|spaces|collections|papers)/)"
    r"([^/?#]+/[^/?#]+)"
)
WORTH_SAYING = 50_000  # bytes; less reads as 0.0 MB


@dataclass(frozen=True)
class FetchParts:
    """The components."""

    name: gr.Textbox
    look: gr.Button
    fetch: gr.Button
    stop: gr.Button
    status: gr.HTML
    found: gr.HTML
    kept: gr.Textbox


def lay_out(limits: Limits) -> FetchParts | None:
    """Declare them; a shared page fetches nothing into its host's library."""
    if limits.shared:
        return None
    with gr.Column(elem_id="gs-fetch", elem_classes=["gs-panel"]):
        with gr.Row(equal_height=False):
            name = gr.Textbox(
                label=LABEL,
                placeholder="owner/name, or a link or hash of civitai.com",
                max_lines=1,
                elem_id="gs-fetch-name",
                scale=3,
                min_width=180,
            )
            look, fetch, stop = (
                gr.Button(text, size="sm", scale=0, min_width=70, elem_id=f"gs-fetch-{event}")
                for text, event in (("Look up", "look"), ("Download", "start"), ("Stop", "stop"))
            )
        status = gr.HTML("", elem_id="gs-fetch-status", apply_default_css=False)
        found = gr.HTML("", elem_id="gs-fetch-found", apply_default_css=False)
    kept = gr.Textbox("", visible=False, label="kept fetch")
    return FetchParts(name, look, fetch, stop, status, found, kept)


def attach(parts: FetchParts | None, library_parts: list[Any], limits: Limits) -> None:
    """Attach the events; ``library_parts`` are drawn anew when a model has come."""
    if parts is None:
        return
    job = fetch_job()

    def watched() -> Iterator[tuple[Any, ...]]:
        yield from shown(job, library_parts, limits)

    def fetching(identity: str) -> Iterator[tuple[Any, ...]]:
        yield from begin(job, {"identity": identity}, library_parts, limits)

    def opened(kept: str) -> tuple[Any, Any]:
        """For a page that is opened: the name of what comes now, else the one that this tab had, and
        how the last one ended, which the page that was left may have been told."""
        given = job.given or kept_fields.read(kept, ["identity"])
        return given.get("identity") or gr.skip(), job.line() or gr.skip()

    def looked(identity: str) -> tuple[Any, str]:
        line = looked_up(identity)  # below the bar of what comes meanwhile
        return (gr.skip(), line) if job.given else (line, "")

    outputs = [parts.status, *library_parts]
    parts.look.click(looked, parts.name, [parts.status, parts.found], **QUIET)
    for asked in (parts.fetch.click, parts.name.submit):
        asked(fetching, parts.name, outputs, concurrency_limit=None, **EACH)
        asked(lambda: "", None, parts.found, queue=False, **EACH)  # what was looked up before
    parts.stop.click(
        lambda: job.line() if job.stop() else STOPPED, None, parts.status, queue=False, **QUIET
    )
    parts.name.change(None, parts.name, None, js=kept_fields.keep("fetch"), **QUIET)
    gr.on(
        None, opened, parts.kept, [parts.name, parts.status], js=kept_fields.ask("fetch"), **QUIET
    )
    gr.on(None, watched, None, outputs, concurrency_limit=None, **QUIET)


def fetch_job(endpoint: str | None = None) -> Job:
    """One download at a time, which outlives the page that began it.

    Args:
        endpoint: another hub than the environment's, or another address than the site's.
    """
    return Job(
        "fetching",
        lambda given: fetched(str(given["identity"]), endpoint),
        begin=ASKING,
        stopping=progress_bar(0, "Stopping: what came whole is kept"),
        stopped=STOPPED,
        busy="is fetched first; wait until it is there, or stop it",
        called=lambda given: str(given.get("identity", "")).strip()[:200],
        cut=cut_off,
    )


def cut_off(name: str) -> str:
    """The line after a start anew over a download."""
    text = f"The studio was started anew while {name} was being fetched: Download goes on with it"
    return progress_bar(0, text, "failed")


def looked_up(identity: str, endpoint: str | None = None) -> str:
    """What a download would bring, or the one line that says why it cannot be had."""
    try:
        return progress_bar(0, _summary(look_up(_cleaned(identity), endpoint)), "idle")
    except Exception as error:  # whatever a network does, the page shows one line
        return progress_bar(0, on_page(plain_line(error), {"model": LABEL}), "failed")


def fetched(identity: str, endpoint: str | None = None) -> Steps:
    """Status lines while a model comes, each with whether it is in the library now.

    Closing the generator stops it; a later call keeps what :func:`download` keeps.

    Args:
        identity: ``owner/name``; or a link or AIR of civitai.com.
        endpoint: another hub than the environment's, or another address than the site's.
    """
    try:
        yield ASKING, False
        model = look_up(_cleaned(identity), endpoint)
        sizes, names = dict(model.files), [name for name, _ in model.files]
        called = model.id
        yield progress_bar(0, f"{_summary(model)} · {_next(names, sizes)}"), False
        for seen in download(model, endpoint):
            if seen.whole:
                names.remove(seen.file)
            called = seen.id or called
            line = f"{megabytes(seen.done)} of {megabytes(seen.total)} · {model.terms}"
            if names:
                share = seen.done / max(1, seen.total)
                now = f"checking {seen.file}" if seen.checking else _next(names, sizes)
                yield progress_bar(share, f"{line} · {now}"), False
        text = f"{called} is in the library · {megabytes(model.bytes)} · {model.terms}"
        yield progress_bar(1, text, "done"), True
    except Exception as error:  # whatever a network does, the page shows one line
        yield progress_bar(0, on_page(plain_line(error), {"model": LABEL}), "failed"), False


def _cleaned(identity: str) -> str:
    """The id in what a person pasted: an address on the hub is taken too."""
    text = (identity or "").strip()
    if not text:
        raise StudioError(
            "type a hub id (owner/name), or a link or hash of civitai.com first", field="model"
        )
    address = _ADDRESS.match(text)
    return address[1] if address else text.removesuffix("/")


def _summary(model: HubModel | SiteModel) -> str:
    files = f"{len(model.files)} file{'' if len(model.files) == 1 else 's'}"
    return f"{model.id}: {model.terms}, {files}, {megabytes(model.bytes)}"


def _next(names: list[str], sizes: dict[str, int]) -> str:
    if not names:
        return ""
    size = sizes[names[0]]
    return f"fetching {names[0]}" + (f" ({megabytes(size)})" if size >= WORTH_SAYING else "")
