"""requirements.lock: every requirement is in it, within its range, with hashes."""

from __future__ import annotations

import re

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
