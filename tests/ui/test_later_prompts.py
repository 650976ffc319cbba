"""What is said of the prompts of passes after the first."""

from __future__ import annotations

import pytest

pytest.importorskip("gradio")

from studio.preset import validate
from studio.ui import describe
from studio.ui.form import to_values
from studio.ui.space import Limits
from tests.support.studio_page import needs_starter


@needs_starter
def test_what_a_later_pass_s_prompt_takes_for_plain_words_is_said_with_the_plan() -> None:
    preset = validate(
        {
            "rows": [{"prompt": "a cat <lora:mine:1>"}],
            "second_pass": {"scale": 2.0, "prompt": "a fox <lora:mine:1>"},
        }
    )
    shown, _idle, _fault = describe.describe(Limits(), **to_values(preset))
    assert shown.count("is read as plain words") == 1  # the row's stands under it
    assert "Second pass, prompt: &lt;lora:…&gt; is read as plain words" in shown
