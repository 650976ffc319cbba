"""The API for people: a page beside the studio's own, made of docs/api.md and of what the server names."""

from __future__ import annotations

from functools import lru_cache

from studio.home import DOCS
from studio.ui.beside import Files
from studio.ui.static_files import STATIC

NAME = "studio-api.html"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Guidance Studio: API</title><link rel="icon" href="studio-icon-192.png"><style>{style}</style></head>
<body><main>{text}
<h2>Every endpoint</h2>
<p>As OpenAPI: <a href="gradio_api/openapi.json">gradio_api/openapi.json</a>. <a href="./">Back to the studio</a></p>
<div id="endpoints" role="status">Asking the server …</div></main>
<script>{script}</script></body></html>
"""


@lru_cache(maxsize=1)
def page() -> str:
    """The page; its examples are those that the tests run."""
    from markdown_it import MarkdownIt  # nobody else waits for it

    text = MarkdownIt("commonmark").enable("table").render((DOCS / "api.md").read_text("utf-8"))
    style, script = ((STATIC / "api" / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return _PAGE.format(text=text, style=style, script=script)


FILES = Files(frozenset({NAME}), lambda _: ("text/html; charset=utf-8", page().encode()))
