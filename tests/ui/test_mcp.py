"""The endpoints as tools of an MCP server, asked by the protocol's own client."""

from __future__ import annotations

import ast
import base64
import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio")
pytest.importorskip("mcp")

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from PIL import Image

from studio.errors import StudioError
from studio.ui import run
from studio.ui.runs import Runs
from studio.ui.space import SPACE
from tests.support.fake_engine import FakeEngine
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
    assert {"plan", "inspect", "models", "history", "generate_preset", "picture"} <= tools.keys()
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
    assert not made.isError
    assert "'total': 1" in found.content[0].text
    assert refused.isError and "rows.0.weight" in refused.content[0].text
    # A model reads what it is answered: it gets no picture as letters, and one that it can see.
    assert "base64" not in made.content[0].text and len(made.content[0].text) < 500
    (name,) = ast.literal_eval(made.content[0].text)["pictures"]
    _, (shown, nothing) = asked(address, ("picture", {"id": name}), ("picture", {"id": "none"}))
    assert shown.content[0].type == "image" and shown.content[0].mimeType == "image/png"
    picture = Image.open(io.BytesIO(base64.b64decode(shown.content[0].data)))
    assert picture.size == (32, 32)
    assert nothing.isError and "not in the history" in nothing.content[0].text


def test_a_shared_page_mixes_no_visitors(tmp_path_factory: pytest.TempPathFactory) -> None:
    with launched(tmp_path_factory.mktemp("shared"), SPACE, mcp_server=True) as found:
        preset = {"preset": PRESET}
        _, (plan, *others) = asked(
            f"{found}/gradio_api/mcp/",
            ("plan", preset),
            ("generate_preset", preset),
            ("history", {}),
            ("picture", {"id": "none"}),
        )
    assert not plan.isError
    assert all(one.isError and "shared page" in one.content[0].text for one in others), others
    request = SimpleNamespace(headers={"x-gradio-user": "mcp"}, session_hash="a", client=None)
    pressed = run.handler(Runs(FakeEngine(), SPACE), SPACE)
    with pytest.raises(StudioError, match="shared page"):
        next(pressed(request))
