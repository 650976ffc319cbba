"""The page's own scripts and styles, read from ``static/``."""

from __future__ import annotations

import json
from pathlib import Path

from studio.images import SUFFIXES
from studio.ui import messages
from studio.ui.schema import labels, leaves, name_of, start_leaves, titles

STATIC = Path(__file__).resolve().parent / "static"
SCRIPTS = (
    "answers.js",
    "numbers.js",
    "dom.js",
    "settings/preferences.js",
    "language/messages.js",
    "language/overlay.js",
    "language/choice.js",
    "login.js",
    "storage.js",
    "opening.js",
    "changes.js",
    "undo_kept.js",
    "undo_words.js",
    "undo.js",
    "sweep/axes.js",
    "sweep/vary.js",
    "fields.js",
    "form_fields.js",
    "halves.js",
    "aspect.js",
    "swipes.js",
    "advanced.js",
    "caption.js",
    "sending.js",
    "uses.js",
    "drags.js",
    "dropped.js",
    "not_taken.js",
    "works.js",
    "each.js",
    "to_training.js",
    "qr.js",
    "row/schema.js",
    "row/model_parts.js",
    "row/prompt_text.js",
    "row/prompt_keys.js",
    "row/brought.js",
    "row/called.js",
    "row/marked.js",
    "row/tags.js",
    "row/tokens.js",
    "row/crowded.js",
    "row/curve_shape.js",
    "row/share.js",
    "row/flags.js",
    "row/model.js",
    "row/words.js",
    "row/complete.js",
    "row/wildcard.js",
    "row/swarm.js",
    "row/prompt.js",
    "row/control_choices.js",
    "row/control.js",
    "row/weight.js",
    "row/range.js",
    "row/extras.js",
    "row/pictures.js",
    "row/curve.js",
    "row/mask.js",
    "row/reference.js",
    "row/generic.js",
    "row/card.js",
    "row/scale.js",
    "bulk.js",
    "shares.js",
    "row/models.js",
    "row/images.js",
    "styles_near.js",
    "stack.js",
    "plan.js",
    "zoom.js",
    "paint_inks.js",
    "paint_keys.js",
    "paint_near.js",
    "paint_pictures.js",
    "paint_share.js",
    "paint_strokes.js",
    "paint_find.js",
    "paint.js",
    "masks.js",
    "sketch.js",
    "start.js",
    "crop.js",
    "pictures.js",
    "train_faults.js",
    "scores.js",
    "marks.js",
    "stage.js",
    "lightbox.js",
    "queue.js",
    "forever.js",
    "restarts.js",
    "texts.js",
    "taken_back.js",
    "views.js",
    "gallery/cards.js",
    "gallery/panel.js",
    "gallery/publish.js",
    "history/turns.js",
    "history/grid.js",
    "history/unkept.js",
    "history/details.js",
    "history/compare.js",
    "history/cells.js",
    "history/filters.js",
    "history/actions.js",
    "history/view.js",
    "library.js",
    "previews.js",
    "model_picture.js",
    "sweep/fields.js",
    "sweep/axis.js",
    "sweep/grid.js",
    "sweep/cell.js",
    "sweep/earlier.js",
    "sweep/panel.js",
    "tradeoff/geometry.js",
    "tradeoff/plot.js",
    "tradeoff/kept.js",
    "tradeoff/pictures.js",
    "tradeoff/panel.js",
    "explain/chart.js",
    "explain/panel.js",
    "tour/walk.js",
    "tour/tour.js",
    "settings/ends.js",
    "settings/rows.js",
    "settings/panel.js",
    "notes.js",
    "keyboard.js",
    "presses.js",
    "look.js",
    "toasts.js",
    "missing.js",
    "page.js",
)
STYLES = (
    "page.css",
    "result.css",
    "narrow.css",
    "stack.css",
    "row.css",
    "row_fields.css",
    "row_details.css",
    "row_words.css",
    "bulk.css",
    "shape.css",
    "fields.css",
    "views.css",
    "many.css",
    "shelf.css",
    "library.css",
    "gallery.css",
    "train.css",
    "crop.css",
    "curves.css",
    "history.css",
    "tradeoff.css",
    "explain.css",
    "sweep.css",
    "tour.css",
    "settings.css",
    "queue.css",
    "works.css",
    "language.css",
    "forced.css",
)


def head() -> str:
    """What goes into the document's head: every script, in order of dependence, after what all of
    them may ask for: the suffixes of pictures, what the fields of the form and their values are called,
    what the fields and those of a start hold at first, the languages."""
    called = {name_of(path): label for path, label in labels().items()}
    usual = {leaf["path"]: leaf.get("default") for leaf in leaves().values()}
    known = {"suffixes": SUFFIXES, "labels": called, "defaults": usual}
    known["titles"] = {name_of(path): of for path, of in titles().items()}
    known["startDefaults"] = {path: leaf["default"] for path, leaf in start_leaves().items()}
    known["languages"] = messages.offered()
    first = f"window.studio = {json.dumps(known)};"
    scripts = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return (
        f'<meta name="color-scheme" content="light dark">\n<script>\n{first}\n{scripts}\n</script>'
    )


def ahead() -> str:
    """What runs before Gradio's own scripts."""
    return (STATIC / "ahead.js").read_text(encoding="utf-8")


def css() -> str:
    """All styles."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in STYLES)
