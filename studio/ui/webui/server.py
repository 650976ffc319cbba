"""The routes of the web UI's interface, in front of the page's own server."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from studio import images
from studio.errors import StudioError, shorten
from studio.plan.row_models import check_base
from studio.preset import Init, Preset
from studio.share import read_upload
from studio.ui.describe import plan_of
from studio.ui.errors import plain_line
from studio.ui.library.models import library, rescan
from studio.ui.runs import Runs
from studio.ui.session import Run, Session
from studio.ui.webui import answers
from studio.ui.webui.asked import CHECKPOINT, preset_of
from studio.ui.webui.values import picture

PLACES = ("/sdapi/v1/", "/controlnet/")
MOST_BYTES = 64 * 2**20  # of a request, as of the page's
PATIENCE_SECONDS = 1.0  # between two looks at a run
Body = Mapping[str, Any]
Asgi = Callable[..., Awaitable[None]]


class Webui:
    """ASGI middleware that answers what is asked of the web UI's interface.

    Args:
        app: answers everything else.
        runs: the page's queue.
        auth: a name and a password that every request must give, as the page asks for them.
    """

    def __init__(self, app: Asgi, runs: Runs, auth: tuple[str, str] | None = None) -> None:
        self.app, self.runs, self.auth = app, runs, auth
        self.options: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._current: Run | None = None
        self.routes = Starlette(routes=self._routes())

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer, or hand on."""
        path = str(scope.get("path", ""))
        place = next((place for place in PLACES if place in path), None)
        if scope["type"] != "http" or place is None:
            await self.app(scope, receive, send)
            return
        own = {**scope, "path": place + path.partition(place)[2], "root_path": ""}
        if not self._admits(dict(scope["headers"])):
            refusal = {"WWW-Authenticate": 'Basic realm="Guidance Studio"'}
            await Response("who is asking?", 401, refusal)(own, receive, send)
            return
        await self.routes(own, receive, send)

    def _admits(self, headers: Mapping[bytes, bytes]) -> bool:
        if self.auth is None:
            return True
        wanted = base64.b64encode(":".join(self.auth).encode())
        kind, _, given = headers.get(b"authorization", b"").partition(b" ")
        return kind.lower() == b"basic" and hmac.compare_digest(given.strip(), wanted)

    def _routes(self) -> list[Route]:
        def shown(path: str, make: Callable[[], Any]) -> Route:
            async def answer(_: Request) -> Response:
                return await _answered(make)

            return Route(path, answer, methods=["GET"])

        def taken(path: str, make: Callable[[Body], Any]) -> Route:
            async def answer(request: Request) -> Response:
                try:
                    body = await _body(request)
                except StudioError as error:
                    return _refused(error)
                return await _answered(lambda: make(body))

            return Route(path, answer, methods=["POST"])

        async def progress(request: Request) -> Response:
            skips = request.query_params.get("skip_current_image", "").lower() in ("1", "true")
            return await _answered(lambda: answers.progress(self._current, not skips))

        api, control = PLACES
        return [
            taken(f"{api}txt2img", lambda body: self.make(body, from_picture=False)),
            taken(f"{api}img2img", lambda body: self.make(body, from_picture=True)),
            taken(f"{api}extra-single-image", self.larger),
            taken(f"{api}png-info", _inspected),
            taken(f"{api}interrogate", self.captioned),
            taken(f"{api}interrupt", self.interrupt),
            taken(f"{api}skip", self.interrupt),
            taken(f"{api}options", self.choose),
            *(
                taken(f"{api}refresh-{kind}", lambda _: rescan() and None)
                for kind in ("checkpoints", "loras", "vae", "embeddings")
            ),
            Route(f"{api}progress", progress, methods=["GET"]),
            shown(f"{api}options", lambda: answers.options(self._chosen())),
            shown(f"{api}sd-models", lambda: answers.checkpoints(library())),
            shown(f"{api}samplers", answers.samplers),
            shown(f"{api}schedulers", answers.schedules),
            shown(f"{api}upscalers", lambda: answers.upscalers(library())),
            shown(f"{api}latent-upscale-modes", lambda: [{"name": "Latent"}]),
            shown(f"{api}loras", lambda: answers.loras(library())),
            shown(f"{api}embeddings", lambda: answers.embeddings(library())),
            shown(f"{api}sd-vae", lambda: answers.autoencoders(library())),
            shown(f"{api}prompt-styles", answers.prompt_styles),
            shown(f"{api}hypernetworks", list),
            shown(f"{api}face-restorers", list),
            shown(f"{api}realesrgan-models", list),
            shown(f"{api}scripts", lambda: {"txt2img": [], "img2img": []}),
            shown(f"{api}script-info", list),
            shown(f"{api}cmd-flags", dict),
            shown(f"{control}version", lambda: {"version": 2}),
            shown(f"{control}model_list", lambda: answers.control_models(library())),
            shown(f"{control}module_list", answers.control_modules),
        ]

    def make(self, body: Body, from_picture: bool) -> dict[str, Any]:
        """The pictures that a request asks for, once they are made.

        Raises:
            StudioError: a value that cannot be, or a run that failed or was cancelled.
        """
        preset, notes = preset_of(body, library(), self.options, from_picture)
        return answers.made(self._run(preset), body, notes)

    def larger(self, body: Body) -> dict[str, Any]:
        """One picture enlarged (*Extras*).

        Raises:
            StudioError: no picture, or a size that cannot be.
        """
        image = images.open_checked(picture(body.get("image"), "image"), "image")
        known = library()
        chosen = self.options.get(CHECKPOINT) or Preset().base
        multiple = check_base(known.catalogue(), chosen, "").multiple
        scale = body.get("upscaling_resize", 2)
        if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale <= 8:
            raise StudioError(f"over 0 to 8, got {shorten(scale)}", field="upscaling_resize")
        sides = [max(multiple, round(side * scale / multiple) * multiple) for side in image.size]
        name = str(body.get("upscaler_1") or "")
        start = Init(
            image=images.store(images.png_bytes(image)),
            strength=0.0,
            upscaler="" if name in ("None", "Lanczos") else name,
        )
        data = {"base": chosen, "init": start.model_dump()}
        data["sampler"] = {"width": sides[0], "height": sides[1]}
        run = self._run(Preset.model_validate(data))
        return {"html_info": "", "image": answers.made(run, {}, [])["images"][0]}

    def captioned(self, body: Body) -> dict[str, Any]:
        """What a picture shows, in words for the checkpoint."""
        from studio.metrics.captions import caption  # which brings torch

        image = images.open_checked(picture(body.get("image"), "image"), "image")
        known = library()
        base = check_base(known.catalogue(), str(self._chosen()[CHECKPOINT]), "")
        return {"caption": caption(images.to_rgb(image), base)}

    def _run(self, preset: Preset) -> Run:
        """A run of the preset in the page's queue, waited for."""
        self.runs.limits.check(preset)
        owner = self._owner()
        forwards = plan_of(preset).forwards_total * preset.sampler.count
        run = self.runs.submit(owner, preset, forwards)
        with self._lock:
            self._current = run
        seen = -1
        while run.active():
            seen = self.runs.wait(owner, seen, PATIENCE_SECONDS)
        if run.state == "failed":
            raise StudioError(run.error)
        return run

    def _owner(self) -> Session:
        return self.runs.session("webui-api")

    def interrupt(self, _: Body) -> dict[str, Any]:
        """Stop what runs; what is finished of it is its answer."""
        with self._lock:
            run = self._current
        self.runs.cancel(run)
        return {}

    def choose(self, body: Body) -> None:
        """Take the options that there are; any other changes nothing.

        Raises:
            StudioError: no such checkpoint.
        """
        name = body.get(CHECKPOINT)
        if name is not None:
            check_base(library().catalogue(), str(name), "")
        known = (CHECKPOINT, "sd_vae", "CLIP_stop_at_last_layers")
        with self._lock:
            self.options |= {key: body[key] for key in known if key in body}

    def _chosen(self) -> dict[str, Any]:
        return {CHECKPOINT: Preset().base, **self.options}


def _inspected(body: Body) -> dict[str, Any]:
    """What a picture carries."""
    data = picture(body.get("image"), "image")
    image = images.open_checked(data, "image")
    preset, _ = read_upload("data:image/png;base64," + base64.b64encode(data).decode(), library())
    return answers.said(preset, image.size)


async def _body(request: Request) -> Body:
    """A request's JSON object, no larger than may be sent; an empty one for none.

    Raises:
        StudioError: too large, or no object.
    """
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MOST_BYTES:
            raise StudioError(f"more than {MOST_BYTES} bytes", field="body")
    try:
        found = json.loads(bytes(data)) if data.strip() else {}
    except (ValueError, RecursionError) as error:
        raise StudioError("is no JSON", field="body") from error
    if not isinstance(found, dict):
        raise StudioError(f"expected an object, got {shorten(found)}", field="body")
    return found


async def _answered(make: Callable[[], Any]) -> Response:
    """What ``make`` returns, or its mistake in one line."""
    try:
        return JSONResponse(await run_in_threadpool(make))
    except Exception as error:
        return _refused(error)


def _refused(error: Exception) -> Response:
    line = plain_line(error)
    status = 422 if isinstance(error, StudioError) else 500
    shown = {"error": type(error).__name__, "detail": line, "body": "", "errors": line}
    return JSONResponse(shown, status)
