"""The bar of what was refused or went wrong, which the page settles once its field is mended."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from studio.errors import StudioError
from studio.ui.describe import progress_bar
from studio.ui.errors import field_of, on_page, one_line, plain_line
from studio.ui.form import paths, to_values
from studio.ui.session import Run


def refused_bar(error: Exception, values: Mapping[str, Any]) -> str:
    """The bar of a press that made no run, of the form's ``values``.

    A key of its own tells it from the same refusal before: the page draws nothing that is the same.
    """
    field = field_of(plain_line(error)) if isinstance(error, StudioError) else ""
    value = held(values, field)
    return progress_bar(0, one_line(error), "failed", secrets.token_hex(6), field, value)


def failed_bar(run: Run, waits: str = "") -> str:
    """The bar of a run that failed, or of the last of a series of which some did.

    Of a series the field is named that all of its failures are of.
    """
    failed, made = run.failures(), len(run.shown())
    if run.state != "failed":
        notes = run.done.notes if run.done else ()
        more = map(on_page, (*failed, *notes))
        text = " · ".join([f"{made} of {run.wanted()}", run.summary(), *more])
    else:
        text = on_page(" · ".join(failed or [run.error])) + waits
    reasons = run.series.reasons if run.series and failed else [run.error]
    fields = {field_of(one) for one in reasons}
    field = fields.pop() if len(fields) == 1 else ""
    # Only of the form's own value can the form tell that it is another by now.
    comparable = run.of_form and not failed and field != "sampler.seed"
    value = held(to_values(run.preset), field) if comparable else ""
    share = made / run.wanted() if run.state == "failed" else 1.0
    return progress_bar(share, text, "failed", run.key(), field, value)


def held(values: Mapping[str, Any], field: str) -> str:
    """What a form's ``values`` hold at a field, as JSON; "" for no field, or for what a form may write
    in more than one way: texts in rows, pictures, lists."""
    name = next((name for name, path in paths().items() if path == field), "")
    found: Any = values.get(name, "") if name else _at(values, field)
    return json.dumps(found) if isinstance(found, int | float | str) and found != "" else ""


def _at(values: Mapping[str, Any], field: str) -> Any:
    """A number or a switch of a row or of the start picture."""
    found: Any = {name: values.get(name) for name in ("rows", "init")}
    for key in field.split(".") if field else ():
        if isinstance(found, list | tuple):
            found = found[int(key)] if key.isdecimal() and int(key) < len(found) else None
        elif isinstance(found, Mapping):
            found = found.get(key)
        else:
            found = getattr(found, key, None)
    return found if isinstance(found, int | float) else ""
