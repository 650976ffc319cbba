"""Prompts of a text, each with settings of its own, as AUTOMATIC1111's "Prompts from file or textbox" reads
them: ``--prompt "a cat" --negative_prompt blurry --steps 20 --seed 3``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from studio.errors import StudioError, shorten
from studio.preset import Preset
from studio.preset.fields import with_fields
from studio.preset.prompt_hints import HINTS
from studio.preset.rows import Row, taking_part
from studio.preset.scale import SCALE
from studio.share.tools.samplers import read_sampler

SIGN = "--"  # before a setting's name, and so at the beginning of such a line
_TAG = re.compile(HINTS["lora"].pattern)
_TEXTS = ("prompt", "negative_prompt")  # of all words up to the next setting
# The fields of a preset, by the names of settings that are numbers.
_NUMBERS: dict[str, tuple[str, type[int] | type[float]]] = {
    "seed": ("sampler.seed", int),
    "subseed": ("sampler.variation_seed", int),
    "subseed_strength": ("sampler.variation_strength", float),
    "steps": ("sampler.steps", int),
    "cfg_scale": (SCALE, float),
    "width": ("sampler.width", int),
    "height": ("sampler.height", int),
}
_COUNTS = ("batch_size", "n_iter")
# Where and whether a picture is saved, which is the page's affair.
_MEANS_NOTHING = (
    "do_not_save_samples",
    "do_not_save_grid",
    "outpath_samples",
    "outpath_grids",
    "prompt_for_display",
)


@dataclass(frozen=True)
class Made:
    """A line's preset, and what of the line is not in it."""

    preset: Preset
    notes: tuple[str, ...] = ()


def of_line(preset: Preset, line: str) -> Made:
    """A preset with the prompt and the settings of one line; all that the line does not name stays.

    Args:
        line: settings, or a prompt alone.

    Raises:
        StudioError: a quote that is never closed, a setting without its value or with one that cannot be,
            or no row that the prompt could be the text of.
    """
    given = _settings(line) if line.lstrip().startswith(SIGN) else {"prompt": line.strip()}
    notes: list[str] = []
    made = _with_texts(preset, given)
    fields = [
        (path, _number(given[name], kind, name))
        for name, (path, kind) in _NUMBERS.items()
        if name in given
    ]
    if counts := [_number(given[name], int, name) for name in _COUNTS if name in given]:
        fields.append(("sampler.count", counts[0] * (counts[1] if len(counts) > 1 else 1)))
    if "sampler_name" in given:
        named = read_sampler(given["sampler_name"], "", notes)
        fields += [(f"sampler.{name}", value) for name, value in named.items()]
    if "tiling" in given:
        fields.append(("seamless", "both" if given["tiling"].lower() == "true" else "off"))
    notes += _unread(given, preset)
    for name in _TEXTS:
        notes += [
            f"{tag} loads nothing here: give the rows the LoRA"
            for tag in _TAG.findall(given.get(name, ""))
        ]
    return Made(with_fields(made, fields), tuple(notes))


def _settings(line: str) -> dict[str, str]:
    try:
        words = shlex.split(line)
    except ValueError:
        raise StudioError(f"a quote is never closed, in {shorten(line)}") from None
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith(SIGN):
            name = word.removeprefix(SIGN)
            found[name] = ""
        elif name in _TEXTS:
            found[name] = f"{found[name]} {word}".strip()
        elif found[name]:
            raise StudioError(f"one value, got {found[name]!r} and {word!r}", field=name)
        else:
            found[name] = word
    if empty := next((name for name in found if not found[name] and name not in _TEXTS), ""):
        raise StudioError("has no value", field=empty)
    return found


def _number(text: str, kind: Callable[[str], Any], name: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise StudioError(f"expected a number, got {shorten(text)}", field=name) from None


def _with_texts(preset: Preset, given: dict[str, str]) -> Preset:
    rows = list(preset.rows)
    taking = taking_part(rows)
    toward = next((at for at, row in taking if row.weight > 0), None)
    if toward is None:
        raise StudioError("no row leads to a prompt", field="prompt")
    first = rows[toward]
    if "prompt" in given:
        for at, row in taking:  # rows of one prompt keep one
            if row.weight > 0 and row.prompt == first.prompt:
                rows[at] = row.model_copy(update={"prompt": given["prompt"]})
    if "negative_prompt" in given:
        text = given["negative_prompt"]
        below = [at for at, row in taking if row.weight < 0]
        still = [at for at, row in taking if row.weight == 0]
        away = next(iter([*below, *still]), None)
        if away is not None:
            for at, row in taking:  # rows of one prompt keep one
                if at == away or (row.weight < 0 and row.prompt == preset.rows[away].prompt):
                    rows[at] = row.model_copy(update={"prompt": text})
        # The weight that makes two passes of all of them.
        elif text and (weight := 1.0 - sum(row.weight for _, row in taking)):
            rows.append(Row(prompt=text, model=first.model, weight=round(weight, 10)))
    return preset.model_copy(update={"rows": tuple(rows)})


def _unread(given: dict[str, str], preset: Preset) -> Iterator[str]:
    known = {*_TEXTS, *_NUMBERS, *_COUNTS, *_MEANS_NOTHING, "sampler_name", "tiling"}
    for name, value in given.items():
        if name not in known and not (name == "sd_model" and value == preset.base):
            yield f"{SIGN}{name} {shorten(value)} is not carried over"
