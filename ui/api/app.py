"""The service, composed: routes, errors, the guard before them, and the document that describes it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import Match, Mount
from starlette.types import Scope

from ui.api import completions, conversations, operations, problems, recommend, records
from ui.api.guard import Guard
from ui.api.keys import Keys
from ui.api.metrics import Metrics
from ui.api.rates import Rates
from ui.api.service import ProblemBody, Service
from ui.api.talks import Talks
from ui.api.turns import Turns
from ui.desk import Desk

if TYPE_CHECKING:
    from agent import Agent

PER_MINUTE = 120  # requests of one caller, unless said otherwise
ABOUT = (
    "Recommendations that vouch for themselves. Every error is an `application/problem+json` object (RFC 9457) whose "
    "`detail` says what came, what was expected and what to do."
)
_PATHS = ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json")


def build_api(
    agent: Agent,
    desk: Desk | None = None,
    per_minute: int = PER_MINUTE,
    seconds: float = 120.0,
    keyless: bool = True,
) -> FastAPI:
    """The application over one agent; `app.state.service.close()` ends what is under way.

    Args:
        agent: what answers. It is not closed here.
        desk: where the model is shared with others, such as the chat.
        per_minute: requests of one key or address a minute; 0 sets no limit.
        seconds: the time of one turn.
        keyless: whether programs of this machine are served while there is no key at all.
    """
    metrics, keys = Metrics(), Keys(agent.settings.home)
    app = FastAPI(
        title="Vouchrec", description=ABOUT, version=_version(), docs_url=None, redoc_url=None,
        separate_input_output_schemas=False,
    )  # fmt: skip
    turns = Turns(desk or Desk(), metrics, seconds=seconds)
    app.state.service = Service(agent, turns, Talks(agent), keys, metrics)
    routers = [part.router for part in (recommend, conversations, records, completions, operations)]
    for router in routers:
        app.include_router(router)
    problems.install(app, [route for router in routers for route in router.routes])
    app.add_middleware(Guard, keys=keys, rates=Rates(per_minute), metrics=metrics, keyless=keyless)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


class Front(Mount):
    """The service before the page of the chat: takes its own addresses and leaves all others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for the service."""
        return super().matches(scope) if is_of_service(scope.get("path", "")) else (Match.NONE, {})


def is_of_service(path: str) -> bool:
    """Whether an address belongs to the service, which has keys of its own."""
    return any(path == own or path.startswith(f"{own}/") for own in _PATHS)


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: with problems as they are, keys, and without what is never sent."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = found["components"]
        schemas = parts["schemas"]
        schemas["ProblemBody"] = ProblemBody.model_json_schema()
        schemas["Reply"]["properties"].pop("candidates", None)
        for name in ("Candidate", "HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"key": []}, {}]  # without any key, programs of the same machine need none
        app.openapi_schema = found
    return app.openapi_schema


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("vouchrec")
    except PackageNotFoundError:
        return "unknown"
