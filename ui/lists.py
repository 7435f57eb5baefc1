"""The pages of shared lists: `/lists/TOKEN`, static HTML with its style inside, without script, for no index."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from ui.messages import things
from ui.sharing import Sharing
from ui.why import text
from ui.words import ENGLISH, WORDS, Words, chosen

if TYPE_CHECKING:
    from agent import Agent
    from agent.workspace.kept import Share

_STYLE = Path(__file__).with_name("lists.css").read_text(encoding="utf-8")
_TOKEN = re.compile(r"[\w-]{20,64}", re.ASCII)
_HEADERS = {
    "cache-control": "no-store",  # a page that is shared no more is gone at once
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow, noarchive",
}


def lists_route(agent: Agent) -> Route:
    """The route of all shared lists."""
    sharing = Sharing(agent)

    async def page(request: Request) -> HTMLResponse:
        token = request.path_params["token"]
        share = await run_in_threadpool(sharing.find, token) if _TOKEN.fullmatch(token) else None
        if share is None:
            words = chosen(request.query_params, request.cookies, request.headers)
            return HTMLResponse(_gone(words), 404, _HEADERS)
        return HTMLResponse(drawn(share), headers=_HEADERS)

    return Route("/lists/{token}", page, methods=["GET"])


def drawn(share: Share) -> str:
    """A shared list as a whole page."""
    page, words = share.page, WORDS.get(share.page["language"], ENGLISH)
    items, noun = page["items"], page["noun"]
    title = words("lists.title", n=len(items), things=things(noun, words))
    title = words("lists.one", noun=noun) if len(items) == 1 else title
    asked = f'<p dir="auto">{text(words("lists.asked", parts=" · ".join(page["asked"])))}</p>' if page["asked"] else ""
    reasons = " ".join(item["reason"] for item in items)
    is_personal = re.search(f"(?<![a-z])(?:{words('lists.address')})(?![a-z])", reasons, re.IGNORECASE)
    you = f"<p>{text(words('lists.you'))}</p>" if is_personal else ""
    day = datetime.fromtimestamp(share.made, UTC).date().isoformat()
    body = (
        f"<header><h1>{text(title)}</h1>{asked}</header><ol>{''.join(map(_item, items))}</ol>"
        f"<footer>{you}<p>{text(words('lists.made', day=day))}</p></footer>"
    )
    return _html(title, body, words)


def _item(item: Mapping[str, Any]) -> str:
    facts = f'<p class="facts" dir="auto">{text(item["facts"])}</p>' if item["facts"] else ""
    reason = f'<p dir="auto">{text(item["reason"])}</p>' if item["reason"] else ""
    return f'<li><h2 dir="auto">{text(item["title"])}</h2>{facts}{reason}</li>'


def _gone(words: Words) -> str:
    title = words("lists.gone")
    return _html(title, f"<h1>{text(title)}</h1><p>{text(words('lists.gone_why'))}</p>", words)


def _html(title: str, body: str, words: Words) -> str:
    return (
        f'<!doctype html><html lang="{text(words("language.tag"))}"><head><meta charset="utf-8">'
        f'<title>{text(title)}</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
