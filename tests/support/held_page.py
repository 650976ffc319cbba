"""The page with a brake for tests: a run stands still for as long as a file asks it to.

Run as ``app.py`` is; ``STUDIO_TEST_HOLD`` names the file, beside which another one comes once
a run stands. Nothing else differs.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import app
from studio.events import Event, Preview
from studio.ui.runs import Runs
from studio.ui.session import Run
from tests.support.studio_page import BRAKE, STANDS


def held(run: Run) -> bool:
    """Whether the file names a prompt of the run, which has made as many images as it says."""
    try:
        asked = json.loads(Path(os.environ[BRAKE]).read_text())
    except (OSError, ValueError):  # not there, or being written
        return False
    prompts = [row.prompt for row in run.preset.rows]
    return asked["prompt"] in prompts and len(run.moments) >= asked["images"] and not run.cancelled


def main() -> None:
    """Serve the page."""
    take = Runs._take
    stands = Path(os.environ[BRAKE] + STANDS)

    def take_and_stand(self: Runs, run: Run, event: Event) -> None:
        take(self, run, event)
        while isinstance(event, Preview) and held(run):
            stands.touch()
            time.sleep(0.02)

    Runs._take = take_and_stand
    app.main()


if __name__ == "__main__":
    main()
