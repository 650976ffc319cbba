"""The page as a server: its flags, and the process that serves it until it is interrupted."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import os
import signal
import sys
from typing import Any
from urllib.parse import urlsplit


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the page's flags."""
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME"))
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    )
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a further name that the page is served under, such as a proxy's; may be repeated",
    )
    parser.add_argument("--root-path", metavar="PATH", help="where a proxy has put the page")
    parser.add_argument(
        "--auth", metavar="USER:PASSWORD", type=_pair, help="ask for these before anything"
    )
    parser.add_argument(
        "--models",
        metavar="DIR",
        action="append",
        default=[],
        help="a further folder of models, read in place; may be repeated",
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--mcp", action="store_true", help="serve the endpoints as tools of an MCP server too"
    )
    parser.add_argument(
        "--webui-api",
        action="store_true",
        help="answer under /sdapi/v1 too, as AUTOMATIC1111's web UI does, for programs made for that",
    )
    parser.add_argument(
        "--workers",
        metavar="W",
        default="local",
        help="who makes the pictures: local (this process; default), a number of processes, ray, "
        "or ray://HOST:PORT",
    )
    parser.add_argument("--space", action="store_true", help="shared page: limits, no saved files")
    parser.add_argument(
        "--share",
        action="store_true",
        help="a shared page, with an address for everybody through Gradio's tunnel",
    )


def flags(arguments: list[str] | None = None) -> argparse.Namespace:
    """The flags of a command line; the process's own by default."""
    parser = argparse.ArgumentParser(description="Guidance Studio")
    add_flags(parser)
    return parser.parse_args(arguments)


def _pair(text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise argparse.ArgumentTypeError("expected USER:PASSWORD")
    return user, password


def main() -> None:
    """Build the page and serve it until interrupted."""
    from studio.errors import StudioError, printable
    from studio.settings import problems

    options = flags()
    for line in problems():  # a bad settings file stops nothing
        print(printable(line), file=sys.stderr)
    try:
        serve(options)
    except StudioError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


def serve(options: argparse.Namespace) -> None:
    """Build the page with these flags and serve it until interrupted.

    Raises:
        StudioError: no such workers, a tunnel to what is shared already, tools of a shared page, or a place
            that is taken or none.
    """
    from studio.errors import StudioError
    from studio.ui.place import check_place

    if options.share and os.environ.get("SPACE_ID"):
        raise StudioError("a Space has an address for everybody already", field="--share")
    shared = options.space or options.share or bool(os.environ.get("SPACE_ID"))
    if options.mcp and shared:  # to the page, the users of an MCP server are one visitor
        raise StudioError(
            "a shared page serves no tools; its visitors' would be mixed", field="--mcp"
        )
    if options.webui_api and shared:
        raise StudioError(
            "a shared page answers no such programs; its visitors' would be mixed",
            field="--webui-api",
        )
    if options.mcp and importlib.util.find_spec("mcp") is None:
        sys.exit("--mcp: needs the package mcp; pip install 'gradio[mcp]'")
    address = options.host or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1")
    check_place(address, options.port)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: no outside host
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "PASSIVE"
    )  # small networks beside other programs: no spinning
    further = [*options.models, *filter(None, [os.environ.get("STUDIO_MODELS")])]
    os.environ["STUDIO_MODELS"] = os.pathsep.join(further)
    if shared:  # before the hub's library is imported: visitors make it ask nothing
        os.environ["HF_HUB_OFFLINE"] = "1"
    from studio import heap, logs

    with heap.nothing_is_garbage():
        from studio.ui import host, space
        from studio.ui.gate import Doors

    limits = space.prepare(shared)
    if not _for_its_owner(options, address):
        limits = dataclasses.replace(limits, local=False)
    # What is kept in a temporary folder goes when the process is asked to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logs.start()
    heap.share_heaps()
    with heap.nothing_is_garbage():
        from studio.ui.page import build, launch_options
        from studio.ui.runs import Runs

        maker = {"events": host.stream, "room": lambda: 1, **_maker(options.workers)}
        runs = Runs(maker["events"], limits, maker["room"])
        page = build(limits, runs=runs)
        beside = [_webui(options, runs)] if options.webui_api else []
        heap.keep_for_good()
    host.begin_beside(3.0, libraries=not host.elsewhere(), outputs=not shared)
    print(f"Guidance Studio on http://{address}:{options.port}", flush=True)
    doors = Doors.of(address, options.allow_host, shared)
    try:
        _until_interrupted(page, options, address, launch_options(doors, beside))
    finally:  # or asked to end
        end_work()


def _webui(options: argparse.Namespace, runs: Any) -> Any:
    """What answers programs made for AUTOMATIC1111's web UI, in front of the page."""
    from starlette.middleware import Middleware

    from studio.ui.webui.server import Webui

    prefix = urlsplit(options.root_path or "").path
    return Middleware(Webui, runs=runs, auth=options.auth, prefix=prefix)


def end_work(seconds: float = 20.0) -> None:
    """End the pictures that are being made, a merging and a download, and pause a training, before the
    program ends: while all else of it still stands.

    Args:
        seconds: how long to wait for each kind of them.
    """
    from studio.train.runner import RUNNER
    from studio.ui.library.job import end_jobs
    from studio.ui.line import close_lines

    close_lines(seconds)
    RUNNER.close(seconds)
    end_jobs(seconds)


def _until_interrupted(
    page: Any, options: argparse.Namespace, address: str, launching: dict[str, Any]
) -> None:
    page.launch(
        server_name=address,
        server_port=options.port,
        root_path=options.root_path,
        auth=options.auth,
        inbrowser=options.open,
        mcp_server=options.mcp,
        share=False,  # a tunnel of Gradio's own starting would come before what guards it
        prevent_thread_lock=options.share,
        **launching,
    )
    if options.share:
        from studio.ui.tunnel import opened

        print(opened(address, options.port), flush=True)
        page.block_thread()


def _maker(workers: str) -> dict[str, Any]:
    """What of :func:`studio.ui.page.build` says who makes the pictures; nothing for this process."""
    from studio.ui import host
    from studio.workers.choice import read_workers

    choice = read_workers(workers)
    if choice.here:
        return {}
    from studio.ui.sending import Sender

    sender = Sender(choice)
    host.say_elsewhere(workers)
    return {"events": sender, "room": sender.room}


def _for_its_owner(options: argparse.Namespace, address: str) -> bool:
    """Whether only this machine reaches the page, and nobody else has been thought of."""
    elsewhere = (
        options.auth or options.root_path or options.allow_host or options.space or options.share
    )
    return not elsewhere and address in ("127.0.0.1", "localhost", "::1")
