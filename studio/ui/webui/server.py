"""The routes of the web UI's interface, in front of the page's own server."""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from studio import images
from studio.errors import NoPreset, StudioError
from studio.plan.row_models import check_base
from studio.preset import Preset
from studio.share import parameters_text, read_upload
from studio.share.texts import texts_of
from studio.share.tools.a1111 import split
from studio.ui import host
from studio.ui.describe import plan_of
from studio.ui.errors import UNFORESEEN, plain_line
from studio.ui.library.models import library, rescan
from studio.ui.runs import Runs
from studio.ui.session import Run, Session
from studio.ui.webui import answers, body, lists
from studio.ui.webui.asked import preset_of
from studio.ui.webui.chosen import CHECKPOINT, VAE, check_vae, options_of
from studio.ui.webui.detected import control_types, detected
from studio.ui.webui.larger import enlarged, larger
from studio.ui.webui.values import picture

PLACES = ("/sdapi/v1/", "/controlnet/", "/internal/ping")
OWNER = "webui-api"  # the session of all its runs
PATIENCE_SECONDS = 1.0  # between two looks at a run
Body = Mapping[str, Any]
Asgi = Callable[..., Awaitable[None]]


class Failed(StudioError):
    """What nobody has foreseen went wrong while a run was made."""


class Webui:
    """ASGI middleware that answers what is asked of the web UI's interface.

    Args:
        app: answers everything else.
        runs: the page's queue.
        auth: a name and a password that every request must give, as the page asks for them.
        prefix: of every path, where a proxy leaves there what the page is served under.
    """

    def __init__(
        self, app: Asgi, runs: Runs, auth: tuple[str, str] | None = None, prefix: str = ""
    ) -> None:
        self.app, self.runs, self.auth, self.prefix = app, runs, auth, prefix
        self.options: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.routes = Starlette(routes=self._routes())

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer, or hand on."""
        path = str(scope.get("path", ""))
        for prefix in (str(scope.get("root_path") or ""), self.prefix):
            path = path.removeprefix(f"/{prefix.strip('/')}") if prefix.strip("/") else path
        if scope["type"] != "http" or not path.startswith(PLACES):
            await self.app(scope, receive, send)
            return
        own = {**scope, "path": path, "root_path": ""}
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
                    data = await body.received(request)
                except StudioError as error:
                    return _refused(error)
                return await _answered(lambda: make(body.read(data)))

            return Route(path, answer, methods=["POST"])

        async def progress(request: Request) -> Response:
            skips = request.query_params.get("skip_current_image", "").lower() in ("1", "true")
            return await _answered(lambda: answers.progress(self._owner().current(), not skips))

        api, control, ping = PLACES
        return [
            taken(f"{api}txt2img", lambda asked: self.make(asked, from_picture=False)),
            taken(f"{api}img2img", lambda asked: self.make(asked, from_picture=True)),
            taken(f"{api}extra-single-image", self.larger),
            taken(f"{api}extra-batch-images", self.larger_ones),
            taken(f"{api}png-info", _inspected),
            taken(f"{api}interrogate", self.captioned),
            taken(f"{api}interrupt", self.interrupt),
            taken(f"{api}skip", self.skip),
            taken(f"{api}options", self.choose),
            *(
                taken(f"{api}refresh-{kind}", lambda _: rescan() and None)
                for kind in ("checkpoints", "loras", "vae", "embeddings")
            ),
            taken(f"{api}unload-checkpoint", lambda _: host.free() or {}),
            taken(f"{api}reload-checkpoint", lambda _: {}),  # read as soon as a picture needs it
            Route(f"{api}progress", progress, methods=["GET"]),
            shown(f"{api}options", lambda: lists.options(self._chosen())),
            shown(f"{api}sd-models", lambda: lists.checkpoints(library())),
            shown(f"{api}samplers", lists.samplers),
            shown(f"{api}schedulers", lists.schedules),
            shown(f"{api}upscalers", lambda: lists.upscalers(library())),
            shown(f"{api}latent-upscale-modes", lambda: [{"name": "Latent"}]),
            shown(f"{api}loras", lambda: lists.loras(library())),
            shown(f"{api}embeddings", lambda: lists.embeddings(library())),
            shown(f"{api}sd-vae", lambda: lists.autoencoders(library())),
            shown(f"{api}prompt-styles", lists.prompt_styles),
            shown(f"{api}hypernetworks", list),
            shown(f"{api}face-restorers", list),
            shown(f"{api}realesrgan-models", list),
            shown(f"{api}scripts", lambda: {"txt2img": [], "img2img": []}),
            shown(f"{api}script-info", list),
            shown(f"{api}cmd-flags", dict),
            shown(ping, dict),
            taken(f"{control}detect", detected),
            shown(f"{control}control_types", lambda: control_types(library())),
            shown(f"{control}version", lambda: {"version": 2}),
            shown(f"{control}model_list", lambda: lists.control_models(library())),
            shown(f"{control}module_list", lists.control_modules),
        ]

    def make(self, asked: Body, from_picture: bool) -> dict[str, Any]:
        """The pictures that a request asks for, once they are made.

        Raises:
            StudioError: a value that cannot be, or a run that failed.
        """
        preset, notes = preset_of(asked, library(), self.options, from_picture)
        return answers.made(self._run(preset), asked, notes)

    def larger(self, asked: Body) -> dict[str, Any]:
        """One picture enlarged (*Extras*).

        Raises:
            StudioError: no picture, a size that cannot be, or it was cancelled.
        """
        return enlarged(larger(asked, library(), str(self._chosen()[CHECKPOINT])), self._run)

    def larger_ones(self, asked: Body) -> dict[str, Any]:
        """Several pictures enlarged, one after the other.

        Raises:
            StudioError: no list of pictures, or as :meth:`larger`.
        """
        given = asked.get("imageList")
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise StudioError("expected a list of pictures", field="imageList")
        each = {name: value for name, value in asked.items() if name != "imageList"}
        made = [self.larger({**each, "image": one.get("data")})["image"] for one in given]
        return {"html_info": "", "images": made}

    def captioned(self, asked: Body) -> dict[str, Any]:
        """What a picture shows, in words for the checkpoint."""
        from studio.metrics.captions import caption  # which brings torch

        image = images.open_checked(picture(asked.get("image"), "image"), "image")
        base = check_base(library().catalogue(), str(self._chosen()[CHECKPOINT]), "")
        return {"caption": caption(images.to_rgb(image), base)}

    def _run(self, preset: Preset) -> Run:
        """A run of the preset in the page's queue, waited for.

        Raises:
            StudioError: it failed; says how many of its pictures are there.
        """
        self.runs.limits.check(preset)
        owner = self._owner()
        forwards = plan_of(preset).forwards_expected * preset.sampler.count
        run = self.runs.submit(owner, preset, forwards)
        seen = -1
        while run.active():
            seen = self.runs.wait(owner, seen, PATIENCE_SECONDS)
        if run.state == "failed":
            kept = f" ({len(run.moments)} kept in the History)" if run.moments else ""
            kind = Failed if run.error.startswith(UNFORESEEN) else StudioError
            raise kind(f"{run.error}{kept}")
        return run

    def _owner(self) -> Session:
        return self.runs.session(OWNER)

    def interrupt(self, _: Body) -> dict[str, Any]:
        """Stop what runs; what is finished of it is its answer."""
        self.runs.cancel(self._owner().current())
        return {}

    def skip(self, asked: Body) -> dict[str, Any]:
        """Stop the picture that is made, where its request asks for no other.

        Raises:
            StudioError: it does; they are stopped together alone.
        """
        run = self._owner().current()
        if run is not None and run.active() and run.preset.sampler.count > 1:
            raise StudioError("one of several pictures is not skipped; interrupt stops them all")
        return self.interrupt(asked)

    def choose(self, asked: Body) -> None:
        """Take the options that there are; any other changes nothing, and ``null`` leaves one as it is.

        Raises:
            StudioError: no such checkpoint or autoencoder, or no such layer.
        """
        found = options_of(asked, library())
        check_vae(str(found.get(VAE, "")), library())
        with self._lock:
            self.options |= found

    def _chosen(self) -> dict[str, Any]:
        return {CHECKPOINT: Preset().base, **self.options}


def _inspected(asked: Body) -> dict[str, Any]:
    """What a picture carries: its text of that tool's, else the studio's own preset as one."""
    data = picture(asked.get("image"), "image")
    image = images.open_checked(data, "image")
    texts = texts_of(image)
    text, comment = texts.get("parameters"), texts.get("UserComment")
    if not text and split(comment) is not None:
        text = comment
    if not text:
        uri = "data:image/png;base64," + base64.b64encode(data).decode()
        with suppress(NoPreset):
            preset = read_upload(uri, library())[0]
            text = parameters_text(preset, image.size, finished=True)
    return answers.said(text)


async def _answered(make: Callable[[], Any]) -> Response:
    """What ``make`` returns, or its mistake in one line."""
    try:  # pictures are long to write as JSON
        return await run_in_threadpool(lambda: JSONResponse(make()))
    except Exception as error:
        return _refused(error)


def _refused(error: Exception) -> Response:
    line = plain_line(error)
    foreseen = isinstance(error, StudioError) and not isinstance(error, Failed)
    shown = {"error": type(error).__name__, "detail": line, "body": "", "errors": line}
    return JSONResponse(shown, 422 if foreseen else 500)
