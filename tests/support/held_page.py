"""The page with a brake for tests: a run stands still for as long as a file asks it to.

Run as ``app.py`` is; ``STUDIO_TEST_HOLD`` names the file, beside which another one comes once
a run stands. Nothing else differs.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import app
from studio.events import Event, Preview
from studio.ui.library import fetch, merge_job
from studio.ui.library.job import Steps
from studio.ui.runs import Runs
from studio.ui.session import Run
from tests.support.studio_page import BRAKE, STANDS


def asked_for() -> dict[str, Any]:
    """What the file says; no prompt where it is not there, or being written."""
    try:
        return json.loads(Path(os.environ[BRAKE]).read_text())
    except (OSError, ValueError):
        return {"prompt": None, "images": 0}


def held(run: Run) -> bool:
    """Whether the file names a prompt of the run, which has made as many images as it says."""
    asked = asked_for()
    prompts = [row.prompt for row in run.preset.rows]
    return asked["prompt"] in prompts and len(run.moments) >= asked["images"] and not run.cancelled


def main() -> None:
    """Serve the page."""
    take, merged, fetched = Runs._take, merge_job.merged, fetch.fetched
    stands = Path(os.environ[BRAKE] + STANDS)

    def merged_and_stood(given: Mapping[str, Any]) -> Generator[tuple[str, bool]]:
        """A merging stands still while the file names its model."""
        for line, arrived in merged(given):
            yield line, arrived
            while not arrived and given["name"] == asked_for()["prompt"]:
                time.sleep(0.02)
                yield line, False

    def stood_and_fetched(identity: str, endpoint: str | None = None) -> Steps:
        """A download stands still while the file names its model."""
        while identity == asked_for()["prompt"]:
            time.sleep(0.02)
            yield fetch.ASKING, False
        yield from fetched(identity, endpoint)

    def take_and_stand(self: Runs, run: Run, event: Event) -> None:
        take(self, run, event)
        while isinstance(event, Preview) and held(run):
            stands.touch()
            time.sleep(0.02)

    merge_job.merged, fetch.fetched = merged_and_stood, stood_and_fetched
    Runs._take = take_and_stand
    app.main()


if __name__ == "__main__":
    main()
