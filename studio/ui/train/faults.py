"""What Train would refuse of the texts in the form, for the page to mark while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from studio.errors import StudioError
from studio.preset.bounds import most
from studio.train.captions import CHECKS, from_template
from studio.train.checks import check_superclass, check_word
from studio.train.config import TrainConfig
from studio.train.method import METHODS
from studio.ui.errors import guarded
from studio.ui.train.form import text_of
from studio.ui.train.images import Picture, from_payload
from studio.ui.train.tab import TrainParts
from studio.ui.widgets import EACH, IN_TURN

TEXTS = ("word", "superclass", "template")
READS = (*TEXTS, "method", "pdloss", "prior_weight")  # settings that decide what is refused
WITHOUT_THUMBS = "(cards, ...given) => [{ pictures: cards?.pictures }, ...given]"


def mark(parts: TrainParts) -> None:
    """Attach it to the form's changes; must be called inside ``gr.Blocks``."""

    def marked(pictures: Any, *given: Any) -> dict[str, Any]:
        return faults(pictures, dict(zip(READS, given, strict=True)))

    # As the browser has them: a text that is too long would be refused before it could be marked.
    parts.changes.changed(
        guarded(marked),
        [parts.pictures, *(parts.fields[name] for name in READS)],
        parts.faults,
        js=WITHOUT_THUMBS,
        preprocess=False,
        queue=False,
        **IN_TURN,
    )
    # What a press was refused for may be mended by any of them.
    parts.changes.changed(None, None, parts.refused, js="() => ''", **EACH)


def faults(payload: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with the texts of the form, in a line each.

    Args:
        payload: the pictures as the browser has them.
        given: the settings of :data:`READS` as they stand there.

    Returns:
        ``{"fields": {name: line}, "pictures": {name: {"caption": line}}}``; what is right is absent.
    """
    name = given["method"]
    if name not in METHODS or METHODS[name].without_text:
        return {"fields": {}, "pictures": {}}
    texts = {text: str(given[text] or "") for text in TEXTS}
    fields = _of_fields(texts, name, given)
    return {"fields": fields, "pictures": {} if fields else _of_pictures(payload, **texts)}


def _of_fields(texts: Mapping[str, str], method: str, given: Mapping[str, Any]) -> dict[str, str]:
    learned = METHODS[method].learns_word
    needed = learned or any(_above_zero(given[name]) for name in ("pdloss", "prior_weight"))
    checks: dict[str, Callable[[], Any]] = {
        "word": lambda: check_word(texts["word"], learned),
        "superclass": lambda: check_superclass(texts["superclass"], needed),
        "template": lambda: from_template(**texts),
    }
    found = {}
    for name, check in checks.items():
        if line := _refused(_check_length, name, texts[name]) or _refused(check):
            found[name] = line
    return found


def _of_pictures(
    payload: Any, word: str, superclass: str, template: str
) -> dict[str, dict[str, str]]:
    # An empty box is as the default has it.
    template = template or TrainConfig.model_fields["template"].default
    found = {}
    for picture in _readable(payload):
        texts = text_of(picture, word, superclass, template)
        lines = {
            part: _refused(check, picture.name, texts[part], word) for part, check in CHECKS.items()
        }
        if any(lines.values()):
            found[picture.name] = {part: line for part, line in lines.items() if line}
    return found


def _readable(payload: Any) -> list[Picture]:
    """The pictures, but those whose texts are too long, which their boxes say themselves."""
    found = []
    for item in (payload or {}).get("pictures") or ():
        try:
            found += from_payload([item])
        except StudioError:
            continue
    return found


def _check_length(name: str, text: str) -> None:
    longest = most(TrainConfig, name)
    if len(text) > longest:
        raise StudioError(f"has {len(text)} characters; at most {longest}", field=name)


def _refused(check: Callable[..., Any], *given: str) -> str:
    try:
        check(*given)
    except StudioError as error:
        return error.message
    return ""


def _above_zero(value: Any) -> bool:
    return isinstance(value, int | float) and value > 0
