"""The tools for a language model elsewhere: for one person, with our words where something cannot be used."""

import asyncio
import importlib.util

import pytest
from test_cli import run

from agent.errors import InputError
from ui.mcp import build_server

HAS_MCP = importlib.util.find_spec("mcp") is not None


@pytest.mark.skipif(HAS_MCP, reason="mcp is installed")
def test_without_the_package_it_says_what_to_install(small):
    with pytest.raises(InputError, match=r"-e .\.\[mcp\]"):
        build_server(small)
    refused = run("mcp", agent=small)
    assert refused.exit_code == 2 and "pip install" in refused.stderr


@pytest.fixture
def call(small):
    pytest.importorskip("mcp")
    server = build_server(small, "p1")
    return lambda name, **arguments: asyncio.run(server.call_tool(name, arguments))


def test_a_list_comes_with_its_reasons_for_the_one_person(call, small):
    found = call("recommend", request="a crime film", n=2).structured_content
    own = small.recommend("p1", intent="a crime film", n=2)
    listed = [(r["title"], r["reason"]) for r in found["recommendations"]]
    assert listed == [(r.item.title, r.justification) for r in own.recommendations] and listed
    assert [turn["turn_id"] for turn in small.known_of("p1")["turns"]][0] == found["turn_id"]


def test_feedback_is_kept_for_that_person(call, small):
    call("feedback", item_id="6", event="like")
    assert [(f["item_id"], f["event"]) for f in small.known_of("p1")["feedback"]] == [("6", "like")]


def test_what_cannot_be_used_is_told_in_our_words(call):
    from mcp.server.mcpserver.exceptions import ToolError

    with pytest.raises(ToolError, match="Alien"):
        call("recommend", history=["Alein"])
    with pytest.raises(ToolError, match="No item"):
        call("feedback", item_id="99", event="like")
    with pytest.raises(ToolError):
        call("feedback", item_id="6", event="love")


def test_turns_of_others_are_not_explained(call, small, monkeypatch):
    from mcp.server.mcpserver.exceptions import ToolError

    class Explained:
        def as_dict(self):
            return {"why": "because"}

    monkeypatch.setattr(type(small), "explain", lambda *_: Explained(), raising=False)
    own = call("recommend").structured_content["turn_id"]
    assert call("explain", turn_id=own, item="6").structured_content == {"why": "because"}
    with pytest.raises(ToolError, match="nothing to explain"):
        call("explain", turn_id=small.recommend("p2").turn_id, item="6")
