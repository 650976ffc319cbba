"""The whole check on a fresh machine, where a step of it depends on what can be fetched."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support import REPOSITORY

BEGIN, END = "# A real proxy for the tests", "# What all workers of the suite import"


@pytest.mark.skipif(not shutil.which("bash"), reason="the check is a script of bash")
@pytest.mark.parametrize(("uv", "pip", "wanted"), [(0, 1, "1"), (1, 0, "1"), (1, 1, "none")])
def test_a_proxy_is_asked_for_only_where_it_was_fetched(uv: int, pip: int, wanted: str) -> None:
    script = (REPOSITORY / ".ci/run").read_text(encoding="utf-8")
    step = script[script.index(BEGIN) : script.index(END)]
    stand_ins = f"uv() {{ return {uv}; }}\npip() {{ return {pip}; }}\nwork=nowhere\n"
    whole = f'set -euo pipefail\n{stand_ins}{step}\necho "${{STUDIO_REQUIRE_CADDY:-none}} $PATH"'
    done = subprocess.run(["bash", "-c", whole], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    required, path = done.stdout.splitlines()[-1].split(" ", 1)
    assert required == wanted
    assert ("nowhere/caddy/bin" in path) == (wanted == "1")
