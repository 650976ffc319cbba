"""A shared page on this machine whose pictures have the colour that a prompt names: for crowds.

``python -m studio.hard.served PORT LOG PAUSE``: every step that is run is a line of LOG. It ends when
its standard input does, so that it outlives whoever started it in no case, a kill included.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from socket import socket
from typing import IO, Any

from studio.events import Event, Progress
from studio.hard.attack import Fell
from studio.hard.stream import stream
from studio.home import REPOSITORY
from studio.preset import Preset


class Server:
    """The page in a process of its own.

    Args:
        folder: for its log and its temporary files; it goes with the server. pause: seconds of one step.
    """

    def __init__(self, folder: Path, pause: float) -> None:
        with socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.folder, self.log = folder, folder / "steps.jsonl"
        self.url = f"http://127.0.0.1:{port}"
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
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=(folder / "server.log").open("wb"),
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

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
        """End it; what visitors made goes with it.

        Raises:
            Fell: it does not end when asked to; it is killed then.
        """
        self.process.terminate()
        try:
            self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.communicate()
            raise Fell("the page does not end when asked to") from error
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def end_with(stream: IO[bytes]) -> None:
    """From now on, ask this process to end when the stream does."""

    def wait() -> None:
        while stream.read(4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def main(arguments: list[str]) -> None:
    """Serve until terminated."""
    port, log, pause = int(arguments[0]), Path(arguments[1]), float(arguments[2])
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
    from studio import heap
    from studio.ui import space
    from studio.ui.gate import Doors

    heap.share_heaps()
    limits = space.prepare(True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    end_with(sys.stdin.buffer)
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
