"""The languages that are not English, one after another."""

from __future__ import annotations

import pytest

from studio.languages import ENGLISH, Language, languages


def _tag(one: Language) -> str:
    return one.tag


@pytest.fixture(params=[one for tag, one in languages().items() if tag != ENGLISH], ids=_tag)
def language(request: pytest.FixtureRequest) -> Language:
    return request.param
