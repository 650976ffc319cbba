"""The endpoints as tools of an MCP server, asked by the protocol's own client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("gradio")
pytest.importorskip("mcp")

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from tests.support.launched_page import launched
from tests.support.loops import run_apart

PRESET = {"rows": [{"prompt": "a cat", "weight": 5.0}], "sampler": {"seed": 3}}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with launched(tmp_path_factory.mktemp("home"), mcp_server=True) as found:
        yield f"{found}/gradio_api/mcp/"


def asked(address: str, *calls: tuple[str, dict[str, Any]]) -> tuple[dict[str, str], list[Any]]:
    """What each tool says of itself, and the answers to these calls."""

    async def ask() -> tuple[dict[str, str], list[Any]]:
        async with (
            streamablehttp_client(address) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            said = {tool.name: tool.description or "" for tool in tools}
            return said, [await session.call_tool(name, given) for name, given in calls]

    return run_apart(ask())


def test_every_endpoint_is_a_tool_that_says_what_it_does(address: str) -> None:
    tools, _ = asked(address)
    assert {"plan", "inspect", "models", "history", "generate_preset"} <= tools.keys()
    assert all(tools.values())


def test_a_tool_plans_makes_and_finds_and_names_a_mistake(address: str) -> None:
    wrong = {"rows": [{"prompt": "a cat", "weight": "much"}]}
    _, (plan, made, found, refused) = asked(
        address,
        ("plan", {"preset": PRESET}),
        ("generate_preset", {"preset": PRESET}),
        ("history", {"text": "cat", "limit": 1}),
        ("plan", {"preset": wrong}),
    )
    assert "ε̂ = " in plan.content[0].text and not plan.isError
    assert "data:image/png;base64," in made.content[0].text and not made.isError
    assert "'total': 1" in found.content[0].text
    assert refused.isError and "rows.0.weight" in refused.content[0].text
