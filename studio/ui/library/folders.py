"""Further folders of models, other tools' among them: named on the Models tab, kept for every start."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.home import further_models
from studio.library.places import LAYOUTS, layout_of
from studio.named_folders import keep, kept, named_folders
from studio.ui.errors import guarded, on_page
from studio.ui.space import Limits
from studio.ui.widgets import QUIET

LABEL = "Folders of other tools"
READING = '<p class="gs-progress-text">Reading the folders …</p>'


@dataclass(frozen=True)
class FolderParts:
    """The components."""

    folders: gr.Textbox
    save: gr.Button
    status: gr.HTML


def lay_out(limits: Limits) -> FolderParts | None:
    """Declare them; visitors of a shared page name no folders of its host."""
    if limits.shared:
        return None
    tools = ", ".join(layout.title for layout in LAYOUTS.values())
    with gr.Column(elem_id="gs-folders", elem_classes=["gs-panel"]):
        folders = gr.Textbox(
            value=text(),
            label=LABEL,
            info=f"One full path a line, read in place: {tools}, or any folder with models",
            placeholder="~/stable-diffusion-webui\n~/ComfyUI/extra_model_paths.yaml",
            lines=2,
            max_lines=8,
            elem_id="gs-folder-names",
        )
        save = gr.Button("Read these folders", size="sm", elem_id="gs-folders-save")
        status = gr.HTML(described(), elem_id="gs-folder-status", apply_default_css=False)
    return FolderParts(folders, save, status)


def attach(parts: FolderParts | None, shown: list[Any], rescanned: Callable[[], list[Any]]) -> None:
    """Attach the events: the page opened, the folders saved.

    Args:
        shown: components that show the library; ``rescanned`` looks anew and fills them.
    """
    if parts is None:
        return

    def saved(given: str) -> list[Any]:
        keep((given or "").splitlines())
        return [text(), described(), *rescanned()]

    gr.on(None, lambda: (text(), described()), None, [parts.folders, parts.status], **QUIET)
    outputs = [parts.folders, parts.status, *shown]
    both = [parts.folders, parts.save]
    # A large folder takes a while; what is typed or pressed meanwhile would be lost.
    parts.save.click(
        lambda: [gr.update(interactive=False)] * 2 + [READING],
        None,
        [*both, parts.status],
        queue=False,
        **QUIET,
    ).then(guarded(saved, in_words), parts.folders, outputs, **QUIET).then(
        lambda: [gr.update(interactive=True)] * 2 + [described()],
        None,
        [*both, parts.status],
        queue=False,
        **QUIET,
    )


def in_words(line: str) -> str:
    """A line in which the field has its name here."""
    return on_page(line, {"folders": LABEL})


def text() -> str:
    """The folders that are kept, one a line."""
    return "\n".join(map(str, kept()))


def described() -> str:
    """Whose each folder is, and what is wrong with it."""
    lines = []
    started_with = set(further_models()) - set(kept())
    for folder in named_folders():
        tool, places = layout_of(folder)
        problem = next((place.problem for place in places if place.problem), "")
        said = problem or f"read as {tool}'s folder" if tool or problem else "read as it is"
        if folder in started_with:
            said += " (named at the start)"
        lines.append(
            f"<div class='gs-model-line'><code>{html.escape(str(folder))}</code>"
            f"<em>{html.escape(said)}</em></div>"
        )
    return "".join(lines)
