"""How far a training is, in words."""

from __future__ import annotations

from studio.train import in_words
from tests.support.fake_trainer import config


def test_what_is_gone_on_with_says_that_its_seconds_are_not_all() -> None:
    assert in_words.took(2.4, False) == "2 s"
    assert in_words.took(2.4, True) == "2 s since it went on"


def test_a_step_is_one_of_those_there_are_to_be_unless_minutes_end_it() -> None:
    assert in_words.step_of(config(steps=60), 58) == "step 58 of 60"
    assert in_words.step_of(config(minutes=2.0), 58) == "step 58"
