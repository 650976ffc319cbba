"""The whole check on a fresh machine, where a step of it depends on what can be fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import REPOSITORY

BEGIN, END = "# Real proxies for the tests", "# The suite runs on what"


@pytest.mark.skipif(not shutil.which("bash"), reason="the check is a script of bash")
@pytest.mark.parametrize("fetched", [True, False])
@pytest.mark.parametrize("unpacked", [True, False])
def test_proxies_are_asked_for_only_where_they_were_fetched(
    fetched: bool, unpacked: bool, tmp_path: Path
) -> None:
    script = (REPOSITORY / ".ci/run").read_text(encoding="utf-8")
    step = script[script.index(BEGIN) : script.index(END)]
    stand_ins = (
        f"apt-get() {{ touch nginx.deb caddy.deb; return {int(not fetched)}; }}\n"
        f"dpkg() {{ return {int(not unpacked)}; }}\npython() {{ :; }}\nwork={tmp_path}\n"
    )
    said = 'echo "${STUDIO_REQUIRE_NGINX:-0}${STUDIO_REQUIRE_CADDY:-0} $PATH"'
    whole = f"set -euo pipefail\n{stand_ins}{step}\n{said}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    done = subprocess.run(
        ["bash", "-c", whole], capture_output=True, text=True, timeout=60, env=clean
    )
    assert done.returncode == 0, done.stderr
    required, path = done.stdout.splitlines()[-1].split(" ", 1)
    there = fetched and unpacked
    assert required == ("11" if there else "00")
    assert (f"{tmp_path}/proxies/usr/sbin" in path) == there
