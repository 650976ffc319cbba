"""The prompts of the passes after the first, by the field that holds each."""

from __future__ import annotations

from collections.abc import Mapping

from studio.preset.document import Preset


def later_prompts(preset: Preset) -> dict[str, str]:
    """Those of passes that run; some are empty."""
    found: dict[str, str] = {}
    if preset.second_pass.paints:
        found["second_pass.prompt"] = preset.second_pass.prompt
        found["second_pass.negative_prompt"] = preset.second_pass.negative_prompt
    if preset.detail.on:
        found["detail.prompt"] = preset.detail.prompt
    return found


def with_later(preset: Preset, texts: Mapping[str, str]) -> Preset:
    """The preset with these texts in their fields, as :func:`later_prompts` names them."""
    for field, text in texts.items():
        part, _, name = field.partition(".")
        changed = getattr(preset, part).model_copy(update={name: text})
        preset = preset.model_copy(update={part: changed})
    return preset
