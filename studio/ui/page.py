"""The page: what stands where, and which event changes what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio import themes
from starlette.middleware import Middleware

from studio.home import PRESETS, presets_folder, studio_home
from studio.outputs import outputs_folder
from studio.preset import Preset
from studio.ui import api_page, installable, layout, messages, wiring
from studio.ui.ahead import Ahead
from studio.ui.beside import Beside
from studio.ui.gate import Doors, Gate
from studio.ui.host import stream
from studio.ui.lull import Listens
from studio.ui.runs import Runs, Stream
from studio.ui.space import Limits
from studio.ui.static_files import ahead, css, head

SYSTEM_FONT = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Ubuntu",
    "Cantarell",
    "sans-serif",
)
MONO_FONT = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")
CACHE_SECONDS = 24 * 3600
# Of how many pages Gradio keeps what it sent last, 190 KiB each; it makes those of others anew.
STATES = 200
# Between two looks of Gradio's queue while nothing waits, in seconds. Its own looks, a thousand a
# second, take a sixteenth of a core as long as the page is served.
LOOKS = 0.02
# After so many events Gradio sums up the last ten thousand, for a view of its own that nothing here shows;
# it would after each, which took an eighth of the server's work.
SUMMARIES = 10_000


def build(
    limits: Limits | None = None,
    events: Stream = stream,
    room: Callable[[], int] = lambda: 1,
    runs: Runs | None = None,
) -> gr.Blocks:
    """The whole page.

    Args:
        limits: what one generation may ask for; generous by default.
        events: the engine's generator of events; or a pool's, or a test's.
        room: how many runs ``events`` takes at once, now.
        runs: the queue of these, where something besides the page puts runs into it.
    """
    limits = limits or Limits()
    runs = runs or Runs(events, limits, room)
    with gr.Blocks(
        title="Guidance Studio",
        fill_width=True,
        analytics_enabled=False,
        delete_cache=(3600, CACHE_SECONDS),
    ) as page:
        parts = layout.lay_out(Preset(), limits)
        wiring.connect(page, parts, limits, runs)
    page.queue(default_concurrency_limit=8)
    page._queue.sleep_when_free = page._queue.progress_update_sleep_when_free = LOOKS
    page._queue.ANAYLTICS_CACHE_FREQUENCY = SUMMARIES  # Gradio's own spelling
    return page


def theme() -> themes.Base:
    """Indigo on slate, in the system's own fonts: no font is fetched."""
    return themes.Default(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="sm",
        text_size="sm",
        font=list(SYSTEM_FONT),
        font_mono=list(MONO_FONT),
    ).set(
        body_background_fill="#f4f5fa",
        body_background_fill_dark="#0b0e16",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#141924",
        background_fill_secondary="#f8f9fc",
        background_fill_secondary_dark="#0f131d",
        block_background_fill="#ffffff",
        block_background_fill_dark="#141924",
        border_color_primary="#dfe3ec",
        border_color_primary_dark="#2a3244",
        block_border_width="0px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_title_text_color="#475569",
        block_title_text_color_dark="#d5dbe7",
        block_label_text_color="#526079",
        block_label_text_color_dark="#9aa7be",
        input_placeholder_color="#64708a",
        input_placeholder_color_dark="#8995ad",
        block_info_text_color="#526079",
        block_info_text_color_dark="#9aa7be",
        body_text_color_subdued="#526079",
        body_text_color_subdued_dark="#9aa7be",
        input_background_fill="#ffffff",
        input_background_fill_dark="#0f131d",
        button_primary_background_fill="#4f46e5",
        button_primary_background_fill_hover="#4338ca",
        button_primary_background_fill_dark="#5b54ea",
        button_primary_background_fill_hover_dark="#6d67f0",
        button_primary_text_color="#ffffff",
        button_large_text_weight="600",
    )


def shown_from(shared: bool) -> list[str]:
    """Folders whose pictures the page shows. Gradio takes files from its working directory and the
    temporary folder alone, and a home is in neither; a shared page's own is in the latter."""
    own = [
        outputs_folder(),
        presets_folder(),
        *(studio_home() / name for name in ("bin", "sweeps", "tune")),
    ]
    return [str(folder.absolute()) for folder in (PRESETS, *([] if shared else own))]


def launch_options(doors: Doors | None = None, beside: Sequence[Middleware] = ()) -> dict[str, Any]:
    """What Gradio 6 takes at launch: looks, scripts, what the footer offers, and the gate before it.

    Args:
        doors: under which names the page is served; by default this machine's own.
        beside: what else answers, behind the gate.
    """
    doors = doors or Doors()
    return {
        "app_kwargs": {
            "middleware": [
                Middleware(Gate, doors=doors),
                Middleware(Listens),
                *beside,
                Middleware(Ahead, script=ahead()),
                Middleware(Beside, files=(installable.FILES, messages.files(), api_page.FILES)),
            ]
        },
        "allowed_paths": shown_from(doors.shared),
        "theme": theme(),
        "css": css(),
        "head": head(),
        "favicon_path": installable.ICON,
        "auth_message": "Guidance Studio: log in with what its host has given you.",
        "ssr_mode": False,
        "footer_links": ["api"],  # its own settings know nothing of the page's theme and language
        "run_history": False,
        "max_file_size": "64mb",
        "state_session_capacity": STATES,
        "show_error": True,
        "_frontend": False,  # no look at itself, whose three seconds a busy machine exceeds
        "quiet": True,
    }
