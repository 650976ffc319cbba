"""A shared page on this machine whose pictures have the colour that a prompt names: for crowds.

``python -m studio.hard.served PORT LOG PAUSE``: every step that is run is a line of LOG.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from socket import socket
from typing import Any

from studio.events import Event, Progress
from studio.hard.attack import Fell
from studio.hard.stream import stream
from studio.home import REPOSITORY
from studio.preset import Preset


class Server:
    """The page in a process of its own.

    Args:
        folder: for its log and its temporary files. pause: seconds of one step.
    """

    def __init__(self, folder: Path, pause: float) -> None:
        with socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.log, self.url = folder / "steps.jsonl", f"http://127.0.0.1:{port}"
        self.log.touch()
        environment = {
            **os.environ,
            "TMPDIR": str(folder),
            "GRADIO_TEMP_DIR": str(folder / "gradio"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio.hard.served", str(port), str(self.log), str(pause)],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(folder / "server.log").open("wb"),
        )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise Fell("the page does not start")

    def steps(self) -> list[dict[str, Any]]:
        """Every step so far: ``number`` of the prompt, ``step``, ``time``."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def stop(self) -> None:
        """End it; what visitors made goes with it."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise Fell("the page does not end when asked to") from error


def main(arguments: list[str]) -> None:
    """Serve until terminated."""
    port, log, pause = int(arguments[0]), Path(arguments[1]), float(arguments[2])
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
    from studio.ui import space
    from studio.ui.gate import Doors

    limits = space.prepare(True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from studio.ui.page import build, launch_options

    def logged(preset: Preset) -> Iterator[Event]:
        number = preset.rows[0].prompt if preset.rows else ""
        for event in stream(preset, pause):
            if isinstance(event, Progress):
                line = {"number": number, "step": event.step, "time": time.time()}
                with log.open("a") as file:
                    file.write(json.dumps(line) + "\n")
            yield event

    page = build(limits, events=logged)
    doors = Doors.of("127.0.0.1", shared=True)
    page.launch(server_name="127.0.0.1", server_port=port, **launch_options(doors))


if __name__ == "__main__":
    main(sys.argv[1:])
