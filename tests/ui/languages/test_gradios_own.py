"""What Gradio's own page says in English alone, whatever the browser's language, is in the message files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("gradio")

import gradio

from studio.languages import Language

# The server is gone: Gradio's page says it on its own, and not from its tables of languages.
LOST = re.compile(r"[`\"](Connection to the server was lost[^`\"]*)[`\"]")


def test_that_the_server_is_gone_is_said_in_the_pages_language(language: Language) -> None:
    scripts = Path(gradio.__file__).parent.glob("templates/frontend/assets/Blocks-*.js")
    said = {text for script in scripts for text in LOST.findall(script.read_text("utf-8"))}
    assert said
    assert said <= set(dict(language.messages))
