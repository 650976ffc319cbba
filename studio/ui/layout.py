"""The layout: every component, declared once and in reading order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.images import SUFFIXES
from studio.preset import Preset
from studio.share.tools.foreign import not_here
from studio.ui import help as words
from studio.ui.describe import progress_bar
from studio.ui.editor.aspect import AspectList
from studio.ui.editor.field import Field
from studio.ui.editor.stack import GuidanceStack
from studio.ui.editor.start_image import StartPicture
from studio.ui.explain.panel import Explain
from studio.ui.form import Form, to_values
from studio.ui.history.view import BOUNDS
from studio.ui.library import base_choice, fetch, folders, merge, models, previews
from studio.ui.messages import LanguageList
from studio.ui.presets import copies, galleries
from studio.ui.presets.look import Look
from studio.ui.queue import QueueList
from studio.ui.schema import Leaf, leaves, reach, start_leaves
from studio.ui.scores.bar import ScoresBar
from studio.ui.settings import view as settings
from studio.ui.space import Limits
from studio.ui.sweep.tab import SweepTab, swept
from studio.ui.tour import Tour
from studio.ui.tradeoff.panel import Tradeoff
from studio.ui.train import tab
from studio.ui.widgets import SIGNALS, Cards, Changes, HistoryView, Signal, Stage, UndoButtons
from studio.ui.works.works import Works

TITLE = """<div class="gs-brand"><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"
 fill="currentColor"/><path d="M7 22h18M7 16h12M7 10h6" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/>
<circle cx="22" cy="10" r="2.6" fill="#fb923c"/></svg><h1>Guidance Studio</h1><span id="gs-tour-place"></span></div>"""
IDLE = progress_bar(0, "Ready", "idle")
FILE_TYPES = [".json", ".csv", ".txt", *SUFFIXES]
NO_HISTORY = "Every image made here is shown in this strip, with the preset that made it."
KEPT_FOR_A_WHILE = (
    "Images made here are gone when you close this tab: download what you want to keep."
)
NO_STYLES = "No style or saved prompt yet. Choosing one adds it to the rows."
NO_PRESETS = "No preset yet. Save one above."


@dataclass(frozen=True)
class Parts:
    """The components that events read or change."""

    form: Form
    tradeoff: Tradeoff | None
    tour: Tour
    settings: settings.SettingsView | None
    open_settings: gr.Button
    load: gr.UploadButton
    undo: UndoButtons
    look: Look
    link: gr.Button
    code: gr.Button
    copies: dict[str, gr.Button]
    theme: gr.Button
    dice: gr.Button
    reseed: gr.Button
    swap: gr.Button
    plan: gr.HTML
    generate: gr.Button
    forever: gr.Button
    cancel: gr.Button
    queue: QueueList
    progress: gr.HTML
    stage: Stage
    explain: Explain
    scores: ScoresBar | None
    strip: Cards
    history: HistoryView
    sweep: SweepTab
    galleries: galleries.GalleryParts | None
    shelf: Cards
    keep_style: gr.Button
    keep_rows: gr.Button
    styles: Cards
    save: gr.Button
    download: gr.Button
    train: tab.TrainParts | None
    fetch: fetch.FetchParts | None
    folders: folders.FolderParts | None
    merge: merge.MergeParts | None
    previews: previews.Previews
    base_choice: base_choice.BaseChoice
    models: gr.HTML
    rescan: gr.Button
    free: gr.Button
    models_tab: gr.Tab
    loaded: gr.HTML
    works: Works
    changes: Changes
    signals: dict[str, Signal]
    session: gr.Textbox
    saved: gr.Textbox


def lay_out(preset: Preset, limits: Limits) -> Parts:
    """Declare the page; must be called inside ``gr.Blocks``."""
    found: dict[str, Any] = {}
    with gr.Row(elem_id="gs-top"):
        gr.HTML(TITLE, elem_id="gs-title")
        found["undo"] = UndoButtons()
        found["load"] = gr.UploadButton(
            "Open", file_types=FILE_TYPES, elem_id="gs-load", size="sm", scale=0
        )
        found["link"] = gr.Button("Copy link", elem_id="gs-link", size="sm", scale=0)
        found["code"] = gr.Button("Copy code", elem_id="gs-code", size="sm", scale=0)
        if not limits.local:
            LanguageList()
        found["theme"] = gr.Button("Light or dark", elem_id="gs-theme", size="sm", scale=0)
        found["open_settings"] = gr.Button(
            "Settings", elem_id="gs-open-settings", size="sm", scale=0, visible=not limits.shared
        )
    with gr.Row(elem_id="gs-main"):
        with gr.Column(scale=7, min_width=320, elem_id="gs-left"):
            fields = _left(preset, limits, found)
        with gr.Column(scale=5, min_width=320, elem_id="gs-right"):
            _dock(limits, found)
            _tabs(limits, found)
    found["signals"] = {name: Signal(name) for name in SIGNALS}
    found["tour"], found["works"], found["changes"] = Tour(), Works(), Changes("preset")
    found["settings"] = settings.lay_out(limits)
    # What the browser keeps: the key of its session, and the form as it was left.
    found["session"] = gr.Textbox("", visible=False, label="session")
    found["saved"] = gr.Textbox("", visible=False, label="saved form")
    return Parts(form=_ordered(fields), **found)


def _ordered(fields: Form) -> Form:
    return {name: fields[name] for name in leaves()}


def _left(preset: Preset, limits: Limits, found: dict[str, Any]) -> Form:
    records = bounded(leaves(), limits)
    shown = to_values(preset)
    fields: Form = {}

    def field(name: str, **kwargs: Any) -> None:
        varied = name in swept()
        fields[name] = Field(records[name], shown[name], varied=varied, **kwargs)

    found["look"] = Look()
    with gr.Column(elem_id="gs-heading", elem_classes=["gs-panel"]):
        _heading(preset, fields, records)
    fields["rows"] = GuidanceStack(
        preset.rows, limits.rows, not limits.shared, elem_id="gs-stack", label="Guidance rows"
    )
    with gr.Row(elem_classes=["gs-panel"], elem_id="gs-steering"):
        with gr.Column(min_width=240, elem_id="gs-omega"):
            field("omega", slider=(0, 1, 0.01), min_width=240)
            found["merge"] = merge.lay_out_keeper(limits)
        field("decoupling", slider=(0, 1, 0.01), min_width=240)
    found["tradeoff"] = None if limits.shared else Tradeoff(elem_id="gs-tradeoff")
    with gr.Column(elem_classes=["gs-panel"], elem_id="gs-sampling"):
        with gr.Row():
            field("scheduler", min_width=150)
            field("effort", min_width=120)
            field("steps", slider=(1, min(limits.steps, 100), 1), min_width=150)
            field("count", slider=(1, min(limits.count, 16), 1), min_width=150)
        with gr.Row(elem_id="gs-numbers"):
            with gr.Row(elem_id="gs-seed-row"):
                field("seed", min_width=120, scale=4)
                found["dice"] = _tool("New random seed", "gs-dice")
                found["reseed"] = _tool("A new seed each time, or the last result's", "gs-reseed")
            with gr.Row(elem_id="gs-sides-row"):
                AspectList()
                for side in ("width", "height"):
                    field(side, placeholder="native", min_width=90, elem_classes=["gs-side"])
                found["swap"] = _tool("Swap width and height", "gs-swap")
    with gr.Accordion("Advanced", open=False, elem_id="gs-advanced", elem_classes=["gs-panel"]):
        start = {leaf["name"]: leaf for leaf in bounded(start_leaves(), limits).values()}
        kwargs = {"elem_id": "gs-start", "label": "Start from a picture"}
        fields["init"] = StartPicture(preset.init, start, **kwargs)
        with gr.Row(elem_id="gs-refinements"):
            for name, leaf in records.items():
                if name not in fields:
                    field(name, slider=reach(leaf), min_width=220)
    return fields


def _tool(label: str, name: str) -> gr.Button:
    """A small square button beside fields, of which the style shows a picture alone."""
    return gr.Button(label, elem_id=name, size="sm", min_width=42, scale=0)


def bounded(records: dict[str, Leaf], limits: Limits) -> dict[str, Leaf]:
    """The schema's records with what this page allows at most."""
    most = limits.most
    return {
        name: {**leaf, "high": min(leaf["high"], most[leaf["path"]])}
        if leaf["path"] in most and "high" in leaf
        else leaf
        for name, leaf in records.items()
    }


def _heading(preset: Preset, fields: Form, records: dict[str, Leaf]) -> None:
    with gr.Row():
        fields["name"] = Field(
            {**records["name"], "help": ""},
            preset.name,
            placeholder="Untitled preset",
            scale=3,
            min_width=150,
            elem_id="gs-name",
        )
        fields["base"] = gr.Dropdown(
            models.bases(preset.base),
            value=preset.base,
            label=records["base"]["title"],
            scale=2,
            min_width=120,
            allow_custom_value=True,
            elem_id="gs-base",
        )
    fields["description"] = Field(
        {**records["description"], "help": ""},
        preset.description,
        placeholder="Description: what to watch",
        lines=5,
        bare=True,
        written=[not_here("")],
        elem_id="gs-description",
    )


def _dock(limits: Limits, found: dict[str, Any]) -> None:
    with gr.Column(elem_id="gs-dock"):
        found["plan"] = gr.HTML("", elem_id="gs-plan", apply_default_css=False)
        with gr.Row(elem_id="gs-actions"):
            found["generate"] = gr.Button(
                "Generate", variant="primary", elem_id="gs-generate", scale=4, min_width=140
            )
            found["forever"] = gr.Button(
                "Forever", elem_id="gs-forever", scale=1, min_width=84, visible=not limits.shared
            )
            found["cancel"] = gr.Button(
                "Cancel", variant="secondary", elem_id="gs-cancel", scale=1, min_width=84
            )
        found["queue"] = QueueList()
        found["progress"] = gr.HTML(IDLE, elem_id="gs-progress", apply_default_css=False)


def _tabs(limits: Limits, found: dict[str, Any]) -> None:
    with gr.Tabs(elem_id="gs-tabs"):
        with gr.Tab("Result", id="result"):
            found["stage"] = Stage()
            found["explain"] = Explain()
            found["scores"] = None if limits.shared else ScoresBar()
            if limits.shared:
                gr.Markdown(KEPT_FOR_A_WHILE, elem_id="gs-kept-for-a-while")
            found["strip"] = Cards("strip", NO_HISTORY, elem_id="gs-history")
        with gr.Tab("History", id="history"):
            found["history"] = HistoryView(BOUNDS)
        with gr.Tab("Sweep", id="sweep"):
            found["sweep"] = SweepTab(limits, elem_id="gs-sweep")
        with gr.Tab("Train", id="train"):
            found["train"] = tab.lay_out(limits)
        with gr.Tab("Presets", id="presets"):
            with gr.Row(elem_id="gs-preset-actions"):
                found["save"] = gr.Button(
                    "Save", size="sm", visible=not limits.shared, elem_id="gs-save"
                )
                found["download"] = gr.Button("Download JSON", size="sm", elem_id="gs-download")
                found["copies"] = copies.lay_out()
            found["galleries"] = galleries.lay_out(limits)
            found["shelf"] = Cards("cards", NO_PRESETS, elem_id="gs-shelf")
            with gr.Row(visible=not limits.shared, elem_id="gs-keep-styles"):
                found["keep_style"] = gr.Button(
                    "Keep these prompts as a style", size="sm", elem_id="gs-keep-style"
                )
                found["keep_rows"] = gr.Button(
                    "… with the other rows", size="sm", elem_id="gs-keep-rows"
                )
            found["styles"] = Cards("cards", NO_STYLES, what="styles", elem_id="gs-styles")
        with gr.Tab("Models", id="models") as found["models_tab"]:
            found["loaded"] = gr.HTML(
                "", elem_id="gs-loaded", apply_default_css=False, visible=not limits.shared
            )
            with gr.Row(elem_id="gs-model-actions"):
                found["rescan"] = gr.Button("Look for new models", size="sm", elem_id="gs-rescan")
                found["free"] = gr.Button(
                    "Free the memory", size="sm", visible=not limits.shared, elem_id="gs-free"
                )
            found["models"] = gr.HTML("", elem_id="gs-models", apply_default_css=False)
            found["folders"], found["fetch"] = folders.lay_out(limits), fetch.lay_out(limits)
            found["merge"] = merge.lay_out(limits, found["merge"])
            found["previews"], found["base_choice"] = previews.Previews(), base_choice.BaseChoice()
        with gr.Tab("Help", id="help"):
            gr.Markdown(words.help_text(), elem_id="gs-help")
