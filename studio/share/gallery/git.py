"""A Git repository's presets and pictures, by the ``git`` of this machine.

Only files that a gallery can use are checked out, without history, links, hooks or submodules; git
asks no questions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from studio.errors import StudioError, shorten
from studio.preset.saved import THUMBNAIL_SUFFIXES

SECONDS = 180.0  # for each of its steps
# Of a repository that git itself works on while it calls others; ours is another one.
_THEIRS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
_SAFE = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.symlinks=false"),
    *("-c", "protocol.ext.allow=never"),
)


def clone(address: str, folder: Path) -> None:
    """Fetch what a gallery can use of the newest commit into ``folder``, which is new.

    Raises:
        StudioError: there is no git, or it cannot fetch; in git's own words.
    """
    shallow = ("--depth=1", "--no-tags", "--single-branch", "--no-recurse-submodules")
    few = ("--filter=blob:none", "--no-checkout", "--quiet")  # a server may not know the filter
    _run("clone", *shallow, *few, "--", address, str(folder))
    wanted = [f"*{suffix}" for suffix in (".json", *THUMBNAIL_SUFFIXES)]
    _run("-C", str(folder), "sparse-checkout", "set", "--no-cone", *wanted)
    _run("-C", str(folder), "checkout", "--quiet")
    shutil.rmtree(folder / ".git", ignore_errors=True)  # fetched anew next time; it is small


def _run(*arguments: str) -> None:
    program = shutil.which("git")
    if program is None:
        raise StudioError("git is not installed here; clone it yourself", field="gallery")
    try:
        done = subprocess.run(
            [program, *_SAFE, *arguments],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise StudioError(f"git took longer than {SECONDS:.0f} s", field="gallery") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        said = next((one for one in lines if "fatal:" in one or "error:" in one), "no reason given")
        raise StudioError(f"git cannot fetch it: {shorten(said, 300)}", field="gallery")


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in _THEIRS}
    own.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return {**own, "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}
