"""Tables of additions, and packages that add to them: good ones, broken ones, half ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import extensions
from studio.errors import StudioError
from studio.extensions import Table, plugins
from tests.support import REPOSITORY

PACKAGES = {
    "toy_good": "from studio.extensions import TABLES\nTABLES['toy'].register('good', 1)\n",
    "toy_called": "def add():\n    from studio.extensions import TABLES\n    TABLES['toy'].register('called', 2)\n",
    "toy_broken": "raise RuntimeError('no such\\ncard')\n",
    "toy_half": "from studio.extensions import TABLES\nTABLES['toy'].register('half', 3)\nimport not_there\n",
    "toy_quits": "import sys\nsys.exit(3)\n",
}


def install(folder: Path, modules: dict[str, str]) -> None:
    """A package in ``folder`` as pip would leave it: modules, and the metadata that names them."""
    entries = "[guidance_studio]\n"
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        entries += f"{name} = {name}{':add' if 'def add' in source else ''}\n"
    info = folder / "toy_additions-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-additions\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(entries)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table[int]]:
    found: Table[int] = Table("toy")
    monkeypatch.setattr(extensions, "_loaded", None)
    yield found
    extensions.TABLES.pop("toy")


def test_a_table_keeps_names_apart_and_says_what_is_allowed(table: Table[int]) -> None:
    assert table.register("one", 1) == 1 and list(table) == ["one"] and table["one"] == 1
    with pytest.raises(StudioError, match=r"toy: 'one' is registered already"):
        table.register("one", 2)
    with pytest.raises(StudioError, match="needs a name"):
        table.register("", 2)
    with pytest.raises(StudioError, match=r"rows\.0\.toy: got 'two'; a toy is one of one"):
        table.require("two", "rows.0.toy")
    assert table["one"] == 1


def test_packages_add_and_broken_ones_are_skipped_whole(
    table: Table[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, PACKAGES)
    monkeypatch.syspath_prepend(tmp_path)
    found = {plugin.name: plugin for plugin in plugins() if plugin.package == "toy-additions"}
    assert set(found) == set(PACKAGES)
    assert dict(table) == {"good": 1, "called": 2}  # nothing of the half one stays
    assert found["toy_good"].adds == (("toy", "good"),) and found["toy_good"].version == "1.2"
    assert found["toy_called"].adds == (("toy", "called"),)
    assert "RuntimeError" in found["toy_broken"].problem and "\n" not in found["toy_broken"].problem
    assert "ModuleNotFoundError" in found["toy_half"].problem
    assert "SystemExit" in found["toy_quits"].problem
    assert [p for p in plugins() if p.package == "toy-additions"] == list(found.values())


def test_the_command_line_goes_on_and_names_them(tmp_path: Path) -> None:
    install(tmp_path, {"toy_broken": PACKAGES["toy_broken"]})
    found = subprocess.run(
        [sys.executable, "-m", "studio", "plugins"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert found.returncode == 0
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    (line,) = [one for one in lines if one["package"] == "toy-additions"]
    assert line["name"] == "toy_broken" and "RuntimeError" in line["problem"]
    assert "plugin toy_broken of toy-additions is not in use" in found.stderr
