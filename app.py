"""Start the page: ``python app.py [--host H] [--port P] [--space]``; also a Space's entry point."""

from __future__ import annotations

import argparse
import os


def flags() -> argparse.Namespace:
    """The command line's flags."""
    parser = argparse.ArgumentParser(description="Guidance Studio")
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME"))
    parser.add_argument(
        "--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860"))
    )
    parser.add_argument("--space", action="store_true", help="shared page: limits, no saved files")
    return parser.parse_args()


def main() -> None:
    """Build the page and serve it until interrupted."""
    options = flags()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported: no outside host
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "PASSIVE"
    )  # small networks beside other programs: no spinning
    from studio.extensions import name_broken_plugins
    from studio.ui import host, space

    name_broken_plugins()
    limits = space.prepare(options.space or space.on_space())
    from studio.ui.page import build, launch_options

    page = build(limits)
    address = options.host or ("0.0.0.0" if space.on_space() else "127.0.0.1")
    host.warm_up(delay=3.0)
    print(f"Guidance Studio on http://{address}:{options.port}", flush=True)
    page.launch(server_name=address, server_port=options.port, **launch_options())


if __name__ == "__main__":
    main()
