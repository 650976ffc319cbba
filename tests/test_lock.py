"""requirements.lock: every requirement is in it, within its range, with hashes; none is forgotten."""

from __future__ import annotations

import ast
import re
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import REPOSITORY

MAKE = "make it anew: see the first lines of requirements.lock"


def locked() -> dict[str, str]:
    text = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(
        r"^([A-Za-z0-9._-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
    )
    assert len(entries) == len(re.findall(r"^[A-Za-z0-9._-]+==", text, re.M)), "one has no hash"
    return {canonicalize_name(name): version for name, version, _ in entries}


def test_the_lock_is_within_the_ranges() -> None:
    versions = locked()
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line)
            version = versions.get(canonicalize_name(wanted.name))
            assert version is not None, f"{wanted.name} is not in the lock; {MAKE}"
            assert wanted.specifier.contains(version), f"{wanted.name} {version}; {MAKE}"


def imported() -> dict[str, Path]:
    """What the studio's modules import from elsewhere, by the package's first name, and where."""
    found: dict[str, Path] = {}
    for file in sorted((REPOSITORY / "studio").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.append(node.module or "")
            found |= {name.split(".")[0]: file for name in names}
    return {name: file for name, file in found.items() if name not in sys.stdlib_module_names}


def test_what_is_imported_is_declared_or_comes_at_once_with_what_is() -> None:
    declared: set[str] = set()
    for file in REPOSITORY.glob("requirements*.txt"):
        lines = [line.split(" #")[0].strip() for line in file.read_text("utf-8").splitlines()]
        wanted = [Requirement(line) for line in lines if line and line[0] not in "#-"]
        declared |= {canonicalize_name(one.name) for one in wanted}
    known = set(declared)
    for name in declared:
        with suppress(PackageNotFoundError):
            known |= {canonicalize_name(Requirement(one).name) for one in requires(name) or ()}
    of = packages_distributions()
    unknown = {
        name: file
        for name, file in imported().items()
        if name in of and not known & {canonicalize_name(one) for one in of[name]}
    }
    assert not unknown
