"""A base that only a hub has: its family is learnt from its configs, and the run fetches what it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support import REPOSITORY


def test_a_run_fetches_the_parts_of_any_family_and_goes_on_with_half_of_them(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "tests.support.hub_run", str(tmp_path)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0, ran.stderr[-2000:]
    told = json.loads(ran.stdout.splitlines()[-1])
    first, second = told["seen"]
    assert first == ["", False, 1, "ernie-image", True]
    assert second == ["ernie-image", False, 1, "ernie-image", True]  # a file had gone meanwhile
    assert "transformer/diffusion_pytorch_model.safetensors" in told["fetched"]
    assert not [name for name in told["fetched"] if name.startswith("pe/")]
