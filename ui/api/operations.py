"""For whoever runs the service: is it up, can it answer, what does it count."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ui.api.metrics import CONTENT_TYPE
from ui.api.problems import Problem
from ui.api.service import Calling, Serving, problems

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "ok"}


@router.get("/readyz", responses=problems("busy"))
def readyz(service: Serving) -> dict[str, str]:
    """Whether a turn that came now would be taken: the store can be read, and there is room to wait."""
    service.agent.workspace.store.count_items()
    if service.turns.is_full:
        raise Problem("busy", "As many turns wait as may.", {"Retry-After": "5"})
    return {"status": "ready", "model": service.agent.generator.name}


@router.get("/metrics", response_class=Response, responses=problems() | {200: {"content": {"text/plain": {}}}})
def metrics(service: Serving, caller: Calling) -> Response:
    """Counters and times, in the text format of Prometheus."""
    caller.for_everybody()
    text = service.metrics.text(
        {
            "vouchrec_turns_running": ("Turns that hold a place.", lambda: service.turns.running),
            "vouchrec_turns_waiting": ("Turns that wait for a place.", lambda: service.turns.waiting),
            "vouchrec_conversations": ("Conversations kept in memory.", lambda: len(service.talks)),
            "vouchrec_items": ("Items of the catalogue.", lambda: len(service.agent.catalogue)),
        }
    )
    return Response(text, media_type=CONTENT_TYPE)
