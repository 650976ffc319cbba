"""A crowd on one shared page: clients and browsers that generate, cancel, upload, reload and leave.

Every case is a minute (a few seconds in the test suite) of the same crowd. Each picture must be of
the colour that its own prompt named, everybody gets about as many, and nothing is computed for
who has left.
"""

from __future__ import annotations

import io
import json
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psutil
from PIL import Image

from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.browsers import Visit
from studio.hard.served import Server
from studio.hard.stream import number_of
from studio.hard.watch import Watch

CLIENTS, BROWSERS, SECONDS = 50, 5, 60
SMALL_CLIENTS, SMALL_SECONDS = 3, 4
PAUSE = 0.02
LEFT_SECONDS = 15.0  # after which nothing may be computed for who has left; the page waits for ten
MOST_GROWTH = 100 * 2**20
_LEAVERS = 3000  # numbers of prompts from here on are of those who leave
# gradio_client takes a stream's end for that of a question asked in the same moment (a plain Gradio
# page does the same: tests/hard/test_people.py): a program asks again, as often as this at most.
LOST, LOST_SHARE = "asked again, since gradio_client lost the answer", 0.01


@dataclass
class Crowd:
    """The server, its clients, and what has been seen so far."""

    server: Server
    clients: list[Any]
    given: dict[str, Any]
    made: Counter[int] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    left: dict[str, float] = field(default_factory=dict)
    memory: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    browsers: Visit | None = None
    numbers: Any = field(default_factory=lambda: iter(range(_LEAVERS, 4096)))


crowds: list[Crowd] = []  # the one that is gathered; the end of an attack takes it away


def crowd_of(count: int) -> Crowd:
    """The crowd of this campaign, gathered when it is first wanted."""
    if crowds:
        return crowds[-1]
    from gradio_client import Client

    folder = Path(tempfile.mkdtemp(prefix="studio-crowd-"))
    Watch.allow(folder)
    crowd = Crowd(Server(folder, PAUSE), [], {})
    crowds.append(crowd)  # summary() ends its server, whatever comes
    crowd.clients += [
        Client(
            crowd.server.url,
            verbose=False,
            headers=_from(n),
            download_files=False,
            httpx_kwargs={"timeout": 240},  # a page that is slow under a crowd is no fault
        )
        for n in range(count)
    ]
    info: Any = crowd.clients[0].view_api(return_format="dict", print_info=False)
    parameters = info["named_endpoints"]["/generate"]["parameters"]
    crowd.given |= {one["parameter_name"]: one.get("parameter_default") for one in parameters}
    return crowd


def _from(number: int) -> dict[str, str]:
    """Each client has an address of its own, as a proxy would say."""
    return {"x-forwarded-for": f"10.0.{number // 250}.{number % 250 + 1}"}


def minute(draw: Draw, folder: Path) -> None:
    """Everybody at once, each with a random course of their own."""
    crowd = crowd_of(SMALL_CLIENTS if draw.small else CLIENTS)
    if not draw.small and crowd.browsers is None:
        crowd.browsers = Visit(crowd.server.url, BROWSERS)
        crowd.browsers.ready.wait(300)
    end = time.monotonic() + (SMALL_SECONDS if draw.small else SECONDS)
    works: list[Callable[[], None]] = [
        _visitor(crowd, number, Random(f"{draw.random()}"), end)
        for number in range(len(crowd.clients))
    ]
    threads = [threading.Thread(target=_kept(crowd, work), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(1.0, end - time.monotonic()) + 240)
    if any(thread.is_alive() for thread in threads):
        crowd.faults.append("somebody waits for ever")
    crowd.memory.append(psutil.Process(crowd.server.process.pid).memory_info().rss)
    if crowd.server.process.poll() is not None:
        crowd.faults.append("the page has ended")
    faults, crowd.faults = crowd.faults, []
    if faults:
        raise Fell("; ".join(dict.fromkeys(faults)))


def _kept(crowd: Crowd, work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except Exception as error:
            crowd.faults.append(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")

    return run


def _visitor(crowd: Crowd, number: int, random: Random, end: float) -> Callable[[], None]:
    def work() -> None:
        while time.monotonic() < end:
            chance = random.random()
            if chance < 0.7:
                _generates(crowd, number, random)
            elif chance < 0.8:
                _cancels(crowd, number, random)
            elif chance < 0.9:
                _uploads(crowd, number, random)
            elif chance < 0.95:
                _reloads(crowd, number)
            else:
                _leaves(crowd, number)

    return work


def asked(crowd: Crowd, number: int, prompt: int, count: int = 1, session: str = "") -> Any:
    """A client's run for the colour of ``prompt``: gradio_client's job.

    In a ``session``, as a page has one, the newest press shows everything; without, a program gets
    what it asked for, and takes that with it when it goes.
    """
    given = {**crowd.given, "session": session, "rows": [{"prompt": str(prompt)}]}
    return crowd.clients[number].submit(**given | {"count": count}, api_name="/generate")


def _generates(crowd: Crowd, number: int, random: Random) -> None:
    prompt, count = random.randrange(_LEAVERS), random.randint(1, 3)
    session = random.choice(("", f"c{number}"))
    try:
        answer = asked(crowd, number, prompt, count, session).result(timeout=240)
    except CancelledError:  # nobody cancelled this one
        crowd.done[LOST] += 1
        return
    if refused(answer):
        crowd.done["refused, since three of theirs waited"] += 1
        return
    stage = answer[0]
    if "images" not in stage:
        raise Fell(f"client {number} got no pictures, but {str(answer)[:300]}")
    for image in stage["images"]:
        with Image.open(io.BytesIO(picture_of(crowd, number, image))) as opened:
            found = number_of(opened.convert("RGB").getpixel((9, 9)))  # type: ignore[arg-type]
        if found != prompt:
            raise Fell(f"client {number} asked for {prompt} and got {found}")
    if len(stage["images"]) != count:
        raise Fell(f"client {number} asked for {count} pictures and got {len(stage['images'])}")
    crowd.made[number] += 1
    crowd.done["runs"] += 1


def refused(answer: Any) -> bool:
    """Whether a run was not begun, because as many of this visitor's wait as may."""
    return "of your runs are waiting already" in str(answer[1])


def picture_of(crowd: Crowd, number: int, image: Any) -> bytes:
    """A shown picture as its own visitor gets it."""
    return http(crowd, number, image["file"]["url"].removeprefix(crowd.server.url))


def _cancels(crowd: Crowd, number: int, random: Random) -> None:
    job = asked(crowd, number, random.randrange(_LEAVERS), 4)
    with suppress(NotYet):
        job.result(timeout=random.uniform(0.0, 1.0))
    job.cancel()
    crowd.done["cancelled"] += 1


def _uploads(crowd: Crowd, number: int, random: Random) -> None:
    data = random.randbytes(random.randrange(1, 20_000))
    edge = "----edge"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    (path,) = json.loads(http(crowd, number, "/gradio_api/upload", body, kind))
    if http(crowd, number, f"/gradio_api/file={path}") != data:
        raise Fell("an upload is not what was sent")
    crowd.done["uploads"] += 1


def _reloads(crowd: Crowd, number: int) -> None:
    http(crowd, number, "/")
    http(crowd, number, "/config")
    crowd.done["reloads"] += 1


def _leaves(crowd: Crowd, number: int) -> None:
    """Asks for much, hears the first word and goes away."""
    prompt = next(crowd.numbers, None)
    if prompt is None:
        return
    given = {**crowd.given, "session": "", "rows": [{"prompt": str(prompt)}], "count": 4}
    body = json.dumps({"data": [given[name] for name in crowd.given]}).encode()
    answer = http(crowd, number, "/gradio_api/call/generate", body, _JSON)
    address = f"{crowd.server.url}/gradio_api/call/generate/{json.loads(answer)['event_id']}"
    request = urllib.request.Request(address, headers=_from(number))
    with urllib.request.urlopen(request, timeout=240) as stream:
        stream.readline()
    crowd.left[str(prompt)] = time.time()
    crowd.done["left"] += 1


_JSON = {"Content-Type": "application/json"}


def http(
    crowd: Crowd, number: int, path: str, body: bytes | None = None, more: Any = None
) -> bytes:
    """What the page answers to a request of one client; raises as urllib does."""
    headers = {**_from(number), **(more or {})}
    request = urllib.request.Request(crowd.server.url + path, body, headers)
    with urllib.request.urlopen(request, timeout=240) as answer:
        return answer.read()


def summary() -> str:
    """What the crowd did, how fair it was, and what was computed for who had left.

    Raises:
        Fell: some had far more than others, or something was computed for nobody; memory grew.
    """
    crowd = crowds.pop()
    try:
        return _summary(crowd)
    finally:
        crowd.server.stop()


def _summary(crowd: Crowd) -> str:
    if crowd.browsers is not None:
        crowd.browsers.stop()
        crowd.done.update(crowd.browsers.done)
    late = [
        step
        for step in crowd.server.steps()
        if step["time"] > crowd.left.get(step["number"], float("inf")) + LEFT_SECONDS
    ]
    few, many = min(crowd.made.values(), default=0), max(crowd.made.values(), default=0)
    grown = crowd.memory[-1] - crowd.memory[0] if crowd.memory else 0
    what = ", ".join(f"{count} {name}" for name, count in sorted(crowd.done.items()))
    text = (
        f"{len(crowd.clients)} clients, {len(crowd.memory)} rounds: {what}; "
        f"{few} to {many} runs a client; the page's process grew by {grown / 2**20:.0f} MiB after "
        f"the first minute; {len(late)} steps for who had left {LEFT_SECONDS:.0f} s before"
    )
    wrong = list(crowd.browsers.faults) if crowd.browsers else []
    if crowd.done[LOST] > LOST_SHARE * max(crowd.done["runs"], 100):
        wrong.append("too many answers were lost")
    if wrong or late or grown > MOST_GROWTH or many > 3 * few + 5:
        raise Fell("; ".join([*wrong, text]))
    return text


ATTACKS.register(
    "people",
    Attack(
        f"{CLIENTS} clients and {BROWSERS} browsers on one shared page, a minute a case",
        minute,
        10,
        3600.0,
        1,
        growth=2**31,
        hangs=600,
        end=summary,
    ),
)
