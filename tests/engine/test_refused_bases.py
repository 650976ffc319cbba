"""A base that the library refuses is refused by the engine too, before one of its files is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.engine import Engine
from studio.errors import StudioError
from studio.library import Library
from studio.preset import validate


@pytest.mark.parametrize("name", ["renamed.safetensors", "old.ckpt"])
def test_a_pickle_is_no_base(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04}.")
    engine = Engine(device="cpu", library=Library((tmp_path,)))
    with pytest.raises(StudioError, match=r"^base: "):
        list(engine.generate(validate({"base": name.partition(".")[0], "rows": [{"prompt": "a"}]})))
