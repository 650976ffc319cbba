"""*Fill in and split the captions*, once the word of a training is another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("gradio")

from studio.ui.train import form
from studio.ui.train.images import Picture


def test_what_the_template_made_follows_the_word_and_what_a_person_wrote_is_named() -> None:
    texts = "<hero>", "ghost", "a {word} {superclass}"
    own = Picture("b.png", "a <hero> ghost at sea")
    [made, mine], _ = form.filled([Picture("a.png"), own], *texts)
    assert made.caption == "a <hero> ghost"
    other = "<ninja>", "man", "the {word} {superclass}"
    found, said = form.filled([made, mine], *other)
    assert (found[0].caption, found[0].target) == ("the <ninja> man", "<ninja> man")
    assert found[1] == mine  # nothing of it is guessed
    assert said == ["Captions stay as they are, without the word <ninja>: b.png"]
    edited = replace(made, caption="a <hero> ghost, drawn")
    assert form.filled([edited], *other)[0] == [edited]
