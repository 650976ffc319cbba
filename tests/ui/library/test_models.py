"""The Models tab's list: what each model can be used as."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

pytest.importorskip("gradio")

from studio.library import ModelEntry
from studio.ui.library.models import _line, can_be_base

BASE = ModelEntry("mine/<b>", "base", "sd", 0, "", size=64)


@pytest.mark.parametrize(
    ("entry", "can"),
    [
        (BASE, True),
        (replace(BASE, kind="finetune", base="sd15"), True),
        (replace(BASE, lacks=("text",)), False),
        (replace(BASE, lacks=("vae",)), False),
        (replace(BASE, problem="is damaged"), False),
        (replace(BASE, kind="lora"), False),
        (replace(BASE, kind="vae"), False),
    ],
)
def test_what_can_be_the_base_has_a_button(entry: ModelEntry, can: bool) -> None:
    assert can_be_base(entry) is can
    assert re.findall(r'data-base="([^"]*)"', _line(entry, "")) == ["mine/&lt;b&gt;"] * can
