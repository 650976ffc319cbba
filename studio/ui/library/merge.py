"""Merging models into one, on the Models tab: what will come, the press, progress, stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.library.merging import DIFFERENCE, HALF, LORAS, PRECISIONS, SUM
from studio.plan.kept_omega import recipe_of
from studio.plan.kept_rows import advice
from studio.preset import Preset
from studio.ui.editor.field import Field
from studio.ui.errors import on_page, refusal
from studio.ui.form import Form, to_preset
from studio.ui.library import kept_fields, models
from studio.ui.library.job import begin, shown
from studio.ui.library.merge_job import MergeJob
from studio.ui.library.merged import (
    BEGIN,
    LABELS,
    READ,
    adapters,
    added,
    described,
    said,
    wholes,
    with_chosen,
)
from studio.ui.space import Limits
from studio.ui.widgets import EACH, QUIET, Changes

# Not Gradio's number field, which makes 55 of 5,5.
MULTIPLIER = {
    "name": "merge_m",
    "path": "multiplier",
    "kind": "number",
    "title": LABELS["multiplier"],
    "help": "0 is A, 1 all of B or B − C; beyond them goes further",
    "default": 0.5,
}
# Whoever keeps ω stands far from these fields.
UNFOLDED = """() => {
    window.studio.showTab("models");
    window.studio.inSight("#gs-merge-name", 30000)
        .then((node) => node?.scrollIntoView({ block: "center" }));
    return [];
}"""
METHODS = {
    "Weighted sum: A·(1 − m) + B·m": SUM,
    "Add difference: A + m·(B − C)": DIFFERENCE,
    "Bake in LoRAs: A with LoRAs in its weights": LORAS,
}


@dataclass(frozen=True)
class MergeParts:
    """The components; ``fields`` by the names of :data:`LABELS`, ``changes`` tells of
    theirs."""

    panel: gr.Accordion
    fields: dict[str, Any]
    adding: gr.Dropdown
    keeper: gr.Button
    start: gr.Button
    stop: gr.Button
    status: gr.HTML
    kept: gr.Textbox
    changes: Changes


def lay_out_keeper(limits: Limits) -> gr.Button:
    """The button beside ω that fills these fields in."""
    return gr.Button(
        "Keep this ω as a model",
        size="sm",
        scale=0,
        min_width=150,
        visible=not limits.shared,
        elem_id="gs-keep-omega",
    )


def lay_out(limits: Limits, keeper: gr.Button) -> MergeParts | None:
    """Declare them; a shared page merges nothing into its host's library."""
    if limits.shared:
        return None
    whole, loras = wholes(), adapters()
    with gr.Accordion(
        "Merge models into one", open=False, elem_id="gs-merge", elem_classes=["gs-panel"]
    ) as panel:
        fields: dict[str, Any] = {
            "method": gr.Radio(
                list(METHODS.items()),
                value=SUM,
                label=LABELS["method"],
                info="Autoencoder, scheduler and tokenizers of the merged model are A's",
                elem_id="gs-merge-method",
            )
        }
        with gr.Row():
            for place in "ABC":
                fields[place] = gr.Dropdown(
                    whole,
                    value="",
                    label=LABELS[place],
                    allow_custom_value=True,
                    visible=place != "C",
                    min_width=180,
                    elem_id=f"gs-merge-{place.lower()}",
                )
        with gr.Row():
            fields["multiplier"] = Field(MULTIPLIER, 0.5, min_width=120, elem_id="gs-merge-m")
            fields["precision"] = gr.Dropdown(
                list(PRECISIONS),
                value=HALF,
                label=LABELS["precision"],
                info="Numbers that fp16 cannot hold are said",
                min_width=120,
                elem_id="gs-merge-precision",
            )
        fields["loras"] = gr.Textbox(
            label=LABELS["loras"],
            info="One a line with its strength, and that of the text encoders where it is another; "
            "@B behind it: what it changes in B",
            placeholder="loras/ink:0.8",
            lines=1,
            max_lines=8,
            elem_id="gs-merge-loras",
        )
        adding = gr.Dropdown(
            loras,
            value="",
            label="Add a LoRA",
            elem_id="gs-merge-adding",
            allow_custom_value=True,
        )
        fields["name"] = gr.Textbox(
            label=LABELS["name"], placeholder="my-mix", max_lines=1, elem_id="gs-merge-name"
        )
        with gr.Row():
            start, stop = (
                gr.Button(text, size="sm", elem_id=f"gs-merge-{event}")
                for text, event in (("Merge", "start"), ("Stop merging", "stop"))
            )
        status = gr.HTML(said(BEGIN), elem_id="gs-merge-status", apply_default_css=False)
    kept = gr.Textbox("", visible=False, label="kept merge")
    return MergeParts(panel, fields, adding, keeper, start, stop, status, kept, Changes("merge"))


def attach(
    parts: MergeParts | None, form: Form, library_parts: list[Any], listed: Any, limits: Limits
) -> None:
    """Attach the events; must be called inside ``gr.Blocks``.

    Args:
        form: of which ω is kept as a model.
        library_parts: components that show the library, drawn anew when a model was merged.
        listed: the component that changes whenever the library does.
    """
    if parts is None:
        return
    job = MergeJob()
    fields = list(parts.fields.values())
    names = list(parts.fields)

    def given(values: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(names, values, strict=True))

    def watched() -> Iterator[tuple[Any, ...]]:
        yield from shown(job, library_parts, limits)

    def merging(*values: Any) -> Iterator[tuple[Any, ...]]:
        yield from begin(job, given(values), library_parts, limits)

    def line(*values: Any) -> Any:
        return job.line_of(given(values)) or described(given(values))

    parts.fields["method"].change(
        lambda method: (
            [gr.update(visible=one in READ.get(method, ())) for one in "BC"]
            + [gr.update(visible=method != LORAS)]
        ),
        parts.fields["method"],
        [parts.fields[one] for one in ("B", "C", "multiplier")],
        queue=False,
        **QUIET,
    )
    # Told once of several that change at once: answers of one event each might overtake each other.
    parts.changes.hear(fields)
    parts.changes.changed(None, fields, None, js=kept_fields.keep("merge"), **QUIET)
    parts.changes.changed(line, fields, parts.status, trigger_mode="always_last", **QUIET)
    parts.adding.input(
        added, [parts.adding, parts.fields["loras"]], [parts.adding, parts.fields["loras"]], **EACH
    )
    listed.change(
        lambda *chosen: (
            [gr.update(choices=with_chosen(wholes(), one)) for one in chosen]
            + [gr.update(choices=adapters())]
        ),
        [parts.fields[one] for one in "ABC"],
        [*(parts.fields[one] for one in "ABC"), parts.adding],
        queue=False,
        **QUIET,
    )

    def kept(**values: Any) -> dict[Any, Any]:
        try:
            return filled_in(parts, to_preset(values))
        except StudioError as error:
            raise refusal(StudioError(on_page(str(error)))) from error

    parts.keeper.click(
        kept,
        None,
        [parts.panel, *fields],
        inputs_kwargs=dict(form),
        **QUIET,
    ).success(None, None, None, js=UNFOLDED)
    outputs = [parts.status, *library_parts]
    parts.start.click(merging, fields, outputs, concurrency_limit=None, **EACH)
    # What goes on since another page began it, or has ended meanwhile, is shown to who comes back.
    gr.on(None, watched, None, outputs, concurrency_limit=None, **QUIET)
    opened = [parts.panel, parts.status, *fields]
    gr.on(
        None,
        lambda text: begun(parts, job, text),
        parts.kept,
        opened,
        js=kept_fields.ask("merge"),
        **QUIET,
    )
    parts.stop.click(job.stop, None, None, queue=False, **QUIET)
    # What was said of a kept ω is of its fields alone.
    for field in (*(one for name, one in parts.fields.items() if name != "name"), parts.adding):
        field.input(lambda: gr.update(info=""), None, parts.fields["name"], queue=False, **EACH)


def begun(parts: MergeParts, job: MergeJob, kept: str = "") -> dict[Any, Any]:
    """For a page that is opened: the fields of what is made now, unfolded; else those that this tab had,
    and how the last one ended, which the page that was left may have been told."""
    given = job.given or kept_fields.read(kept, list(parts.fields))
    if not given or given["method"] not in READ:
        return {
            parts.panel: gr.update(open=True) if job.cut else gr.skip(),
            parts.status: job.line_of(dict.fromkeys(parts.fields, "")) or gr.skip(),
        }
    read = READ.get(given["method"], ())
    shown = {"B": "B" in read, "C": "C" in read, "multiplier": given["method"] != LORAS}
    return {
        parts.panel: gr.update(open=True) if job.given or job.cut else gr.skip(),
        parts.status: job.line_of(given) or described(given),
        **{
            field: gr.update(value=given[name], visible=shown.get(name, True))
            for name, field in parts.fields.items()
        },
    }


def filled_in(parts: MergeParts, preset: Preset) -> dict[Any, Any]:
    """The fields for the model that a preset's base term runs on, unfolded.

    Raises:
        StudioError: there is none; names ``omega``.
    """
    recipe = recipe_of(preset, models.library())
    lines = [str(one) for one in recipe.loras]
    fields = parts.fields
    return {
        parts.panel: gr.update(open=True),
        fields["method"]: recipe.method,
        fields["A"]: recipe.a,
        fields["B"]: gr.update(value=recipe.b, visible=bool(recipe.b)),
        fields["C"]: gr.update(value="", visible=False),
        fields["multiplier"]: gr.update(value=recipe.multiplier, visible=bool(recipe.b)),
        fields["loras"]: "\n".join(lines),
        fields["name"]: gr.update(value="", info=advice(recipe, preset, models.library())),
    }
