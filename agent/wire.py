"""What travels between a service and its clients: the types of `agent.schema` as JSON, and errors as problem details.

The JSON has the names of the Python fields. Candidates are left out: they are for whoever sits beside the catalogue.
An error is an RFC 9457 object; the kinds of `agent.errors` stand in one table that both sides read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent import errors
from agent.schema import Recommendation, Reply

URN = "urn:vouchrec:"

_REPLY = TypeAdapter(Reply)
_RECOMMENDATION = TypeAdapter(Recommendation)


def reply_to_json(reply: Reply) -> bytes:
    """A reply without its candidates, as UTF-8 JSON."""
    return _REPLY.dump_json(reply, exclude={"candidates"})


def reply_from_json(text: str | bytes) -> Reply:
    """The reply that `reply_to_json` wrote; ServiceError where the text is none."""
    try:
        return _REPLY.validate_json(text)
    except ValidationError as error:
        raise _strange(error) from error


def recommendation_to_json(recommendation: Recommendation) -> bytes:
    """One place of a list, as UTF-8 JSON."""
    return _RECOMMENDATION.dump_json(recommendation)


def recommendation_from_json(text: str | bytes) -> Recommendation:
    """The place of a list that `recommendation_to_json` wrote; ServiceError where the text is none."""
    try:
        return _RECOMMENDATION.validate_json(text)
    except ValidationError as error:
        raise _strange(error) from error


# -- errors


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error on the wire. What is `told` is for the caller; the rest is for the log of the service."""

    slug: str
    status: int
    title: str
    error: type[errors.VouchrecError]
    told: bool = True


KINDS = (  # the first that fits counts, so what is special stands before what is general
    Kind("unknown-item", 404, "Unknown item", errors.UnknownItemError),
    Kind("unknown-person", 404, "Unknown person", errors.UnknownPersonError),
    Kind("filter", 422, "A condition that cannot be used", errors.FilterError),
    Kind("import", 422, "Items that cannot be used", errors.ImportDataError),
    Kind("input", 422, "Something given cannot be used", errors.InputError),
    Kind("asset", 503, "A model is missing", errors.AssetError, told=False),
    Kind("adapter", 503, "The adapter cannot serve", errors.AdapterError, told=False),
    Kind("workspace", 503, "The workspace cannot be used", errors.WorkspaceError, told=False),
    Kind("prompt", 503, "A prompt file cannot be used", errors.PromptError, told=False),
    Kind("service", 503, "The service cannot answer", errors.ServiceError, told=False),
)

REFUSED = ("malformed", "invalid", "too-large")  # what a service refuses before its agent sees it: input all the same


def kind_of(error: errors.VouchrecError) -> Kind:
    """The entry of the table for an exception."""
    return next((kind for kind in KINDS if isinstance(error, kind.error)), KINDS[-1])


def error_of(problem: Mapping[str, Any], status: int, retry_after: float | None = None) -> errors.VouchrecError:
    """The exception that a problem stands for: the one that `Agent` would have raised, else ServiceError."""
    said = str(problem.get("detail") or problem.get("title") or f"The service answered with status {status}.")
    slug = str(problem.get("type", "")).removeprefix(URN)
    if slug in REFUSED:
        return errors.InputError(said)
    error = next((kind.error for kind in KINDS if kind.slug == slug), errors.ServiceError)
    if error is errors.ServiceError:
        return errors.ServiceError(said, status, retry_after)
    if error is errors.UnknownItemError:
        return errors.UnknownItemError(str(problem.get("given", "")), [str(n) for n in problem.get("nearest", ())])
    if error is errors.UnknownPersonError:
        return errors.UnknownPersonError(str(problem.get("given", "")))
    return error(said)


def _strange(error: ValidationError) -> errors.ServiceError:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the answer"
    return errors.ServiceError(
        f"The service sent something that is no reply ({place}: {first['msg']}). Use a client and a service of the "
        "same version, and check the address."
    )
