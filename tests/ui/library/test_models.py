"""The Models tab's list: what each model can be used as."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

pytest.importorskip("gradio")

from studio.library import ModelEntry
from studio.ui.library import models
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


def test_the_page_knows_the_pixels_of_a_latent_position(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = ModelEntry(
        "flow", "base", "flux", 0, "", multiple=16, latent_space="16x8:0.3611"
    )  # two taken together
    vae = ModelEntry("ae", "vae", "", 0, "", multiple=8, latent_space="16x8")
    known = SimpleNamespace(entries=lambda: [flow, vae])
    monkeypatch.setattr(models, "library", lambda: known)
    assert {one["id"]: one["factor"] for one in models.as_signal()} == {"flow": 8, "ae": 8}


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0.0 MB"), (40, "0.001 MB"), (3_072, "0.003 MB"), (50_000, "0.1 MB"), (27e6, "27.0 MB")],
)
def test_what_is_there_is_never_no_megabyte(size: int, said: str) -> None:
    assert models.megabytes(size) == said
