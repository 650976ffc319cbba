"""Notes of a plan: what stands in for what a row lacks, too much guidance, prompts that mean nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from studio.library import ModelEntry
from studio.library.few_steps import few_steps
from studio.plan.row_model import RowModel
from studio.preset import Preset
from studio.preset.later_prompts import later_prompts
from studio.preset.prompt_hints import hints
from studio.preset.rows import ModelRef, PromptReference, Row
from studio.preset.variants import varies

IDLE = "acts at no step that is run: its range and its curve leave none of them"


def notes_of(
    preset: Preset,
    models: Mapping[int, RowModel],
    catalogue: Mapping[str, ModelEntry],
    acting: Collection[int],
) -> Iterator[str]:
    """That no row takes part, rows that take part and are not among those ``acting`` at a step, what
    stands in for a picture that a row's model reads, changes or paints into and that it is not
    given, weights beyond what a distilled model bears, models trained on other weights of the base,
    and what in prompts means nothing here.

    An editing model was trained without its picture too (InstructPix2Pix, Sec. 3.2.1), an
    inpainting one with all of it to be painted.
    """
    if not preset.paints:
        if preset.detail.on:  # each part of it has all rows, and a seed of its picture
            return
        yield "init.strength: makes nothing anew, so that no row takes part"
        if preset.sampler.count > 1:
            yield "sampler.count: all of them are the same picture, of which nothing is made anew"
        return
    if preset.rows and not preset.active_rows():
        muted = not any(row.enabled for row in preset.rows)
        why = "all rows are muted" if muted else "no row takes part"
        yield f"{why}, so the picture is what the base draws without a prompt"
    yield from _overguided(preset, models)
    yield from _trained_on_others(preset, models, catalogue)
    masked = preset.init is not None and preset.init.mask
    soft = preset.init is not None and preset.init.soft_inpainting
    if soft and not masked:
        yield "init.soft_inpainting: there is no mask, so that it changes nothing"
    for field, text in later_prompts(preset).items():
        yield from (f"{field}: {hint}" for hint in hints(text))
    for index, row in preset.active_rows():
        model = models[index]
        if index not in acting:
            yield f"rows.{index}.weight: {IDLE}"
        for name, words in _unused_words(row, model):
            yield f"rows.{index}.prompt: without {' or '.join(words)} in it, {name} changes nothing"
        for hint in hints(row.prompt):
            yield f"rows.{index}.prompt: {hint}"
        for name, one in row.all_controls.items():
            if not one.finished and one.low > one.high:
                yield f"rows.{index}.{name}.low: is above the high one, and the two act swapped"
        if varies(row.prompt):
            yield f"rows.{index}.prompt: its choices are made for each image, by the seed"
        if model.edits and row.model is not None and not row.image:
            yield (
                f"rows.{index}: {model.network} changes a picture (the row's image); "
                "without one it sees zeros, as where its training left the picture out"
            )
        if model.paints and not masked:
            yield (
                f"rows.{index}: {model.network} paints into a picture; without a start picture "
                "and its mask all of it is painted"
            )
        elif model.paints and soft:
            yield (
                f"rows.{index}: {model.network} reads the mask in black and white, half white as white; "
                "soft inpainting still says from which step on a place is painted"
            )
        for eye in () if row.image else model.eyes:
            yield (
                f"rows.{index}: {eye} reads its word from a picture (the row's image); without "
                "one it is the mean over the pictures of its training"
            )


def _unused_words(row: Row, model: RowModel) -> Iterator[tuple[str, list[str]]]:
    """The learned words that a row was given and that stand in none of its texts, by their model."""
    reference = row.reference.prompt if isinstance(row.reference, PromptReference) else ""
    if varies(row.prompt) or varies(reference):
        return  # which words there are, each image's seed decides
    for name in row.model.embeddings if isinstance(row.model, ModelRef) else ():
        words = [word for holder, word in model.words if holder == name]
        if words and not any(word in row.prompt or word in reference for word in words):
            yield name, words


def _overguided(preset: Preset, models: Mapping[int, RowModel]) -> Iterator[str]:
    """Models distilled to a few steps whose rows' weights are beyond what they were made for."""
    sizes: dict[str, float] = defaultdict(float)
    for index, row in preset.active_rows():
        model = models[index]
        for name in {model.network, *(name for name, _ in model.loras)}:
            sizes[name] += abs(row.weight)
    for name, size in sizes.items():
        known = few_steps(name)
        if known is not None and size > known.most + 1e-6:
            yield (
                f"{name} is distilled to a few steps ({known.title}) and bears weights whose sizes "
                f"sum to {known.most:g}; these sum to {size:g}: far above, the picture burns out"
            )


def _trained_on_others(
    preset: Preset, models: Mapping[int, RowModel], catalogue: Mapping[str, ModelEntry]
) -> Iterator[str]:
    """Models that were trained on another edition of the base's weights than the preset's."""
    base = catalogue[preset.base]
    used = {name for index, _ in preset.active_rows() for name in models[index].names}
    for name in sorted(used & catalogue.keys()):
        entry = catalogue[name]
        if entry.base == base.id and entry.edition != base.edition:
            kept = f"{base.id}-{entry.edition}"
            yield (
                f"{name} was trained on edition {entry.edition} of {base.id}, which is edition "
                f"{base.edition} by now, so its pictures change; "
            ) + (
                f"as base, {kept} has the weights that it knows"
                if kept in catalogue
                else f"the weights that it knows would be the base {kept}, which is not here"
            )
