"""How the shipped prior is measured: intervals, prompts that both editions know, the drawings meant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from studio.home import ASSETS
from studio.starter.pictures import contents
from studio.starter.stages import measure, realism

STARTER = ASSETS / "starter"
shipped = pytest.mark.skipif(
    not (STARTER / "model_index.json").exists(), reason="no shipped models here"
)


def test_a_shares_interval_is_newcombes_own_example() -> None:
    low, high = measure.wilson(81 / 263, 263)  # Newcombe 1998, Table I, method 3
    assert (low, high) == (0.2553, 0.3662)
    assert measure.wilson(1.0, 10)[1] == 1.0


@shipped
def test_prompts_of_both_editions_name_what_the_first_knows_on_plain_backgrounds() -> None:
    wishes = realism.shared_wishes(STARTER.parent, 60)
    known = json.loads((STARTER.parent / "starter-1" / "vocabulary.json").read_text())["groups"]
    names = {phrase for group in known for phrase in group["phrases"]}
    assert len({wish.prompt for wish in wishes}) > 50
    for wish in wishes:
        content, _, rest = wish.prompt.partition(" in ")
        assert content.split(" ", 1)[-1] in names or content in names
        assert any(f" {colour} background" in rest for colour in contents.BACKGROUNDS)


def test_real_drawings_are_those_that_the_prompts_name(tmp_path: Path) -> None:
    entries = [
        {"slug": content.slug, "name": content.name, "style": style}
        for content in contents.CONTENTS[:2]
        for style in contents.STYLES
    ]
    rgba = np.zeros((len(entries), 128, 128, 4), np.uint8)
    rgba[..., 3] = 255
    rgba[..., 0] = np.arange(len(entries), dtype=np.uint8)[:, None, None]  # its number, in red
    np.save(tmp_path / "pictures.npy", rgba)
    (tmp_path / "pictures.json").write_text(json.dumps(entries))
    wishes = [measure.Wish("", 1, 2, 0, 7), measure.Wish("", 0, 3, 4, 8)]
    middle = realism.real(tmp_path, wishes)[:, 64, 64, 0]
    assert middle.tolist() == [len(contents.STYLES) + 2, 3]
