"""What the page's scripts keep in the browser: each thing under a name of its own."""

from __future__ import annotations

import re
from collections import defaultdict

from studio.ui.static_files import STATIC

NAME = re.compile(r"""["'](guidance-studio-[a-z-]+)["']""")


def test_no_two_scripts_keep_something_under_one_name() -> None:
    scripts = defaultdict(set)
    for script in STATIC.rglob("*.js"):
        for name in NAME.findall(script.read_text(encoding="utf-8")):
            scripts[name].add(script.name)
    assert len(scripts) > 10
    assert {name: found for name, found in scripts.items() if len(found) > 1} == {}
