"""What the tests of families share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.family_contract import Roots, fill


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """A library per family: ``base``, a full fine-tune of it, a LoRA, a picture."""
    made: dict[str, Path] = {}

    def root(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            fill(made[name], name)
        return made[name]

    return root
