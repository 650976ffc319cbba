"""Who asks the page: a browser or a program, a visitor by the address, a tool's user."""

from __future__ import annotations

import gradio as gr

from studio.errors import StudioError
from studio.ui.space import Limits
from studio.ui.visitors import VISITORS

MIXED = "on a shared page tools make and see no pictures; those of its visitors would be mixed"


def is_tool(request: gr.Request) -> bool:
    """Whether the MCP server asks: a language model would have to read a picture letter by letter."""
    return request.headers.get("x-gradio-user") == "mcp"


def refuse_tools(limits: Limits, request: gr.Request) -> None:
    """Refuse the MCP server on a shared page: all of its users come as one visitor.

    Raises:
        StudioError: it asks.
    """
    if limits.shared and is_tool(request):
        raise StudioError(MIXED, field="mcp")


def visitor_of(limits: Limits, request: gr.Request) -> str:
    """Where a visitor of a shared page comes from, as the gate counts visitors; else "".

    Raises:
        StudioError: the MCP server asks there.
    """
    refuse_tools(limits, request)
    if not limits.shared:
        return ""
    client = (request.client.host,) if request.client else None
    return VISITORS.address(client, request.headers.get("x-forwarded-for", ""))
