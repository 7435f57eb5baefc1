"""The turn, start to finish: profile, intent, retrieve, rank, diversify, justify, reply. The file to read first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from collections.abc import Generator as PyGenerator
from dataclasses import replace
from functools import partial
from typing import Any

from agent.explaining.sensitivity import lifts
from agent.generation.base import Message
from agent.justification.phrasing import Phrased
from agent.request import Request
from agent.retrieval.base import Query
from agent.schema import Intent, Profile, Reply
from agent.stages import Stages
from agent.stopwatch import Stopwatch
from agent.understanding.relaxing import nothing_fits
from agent.understanding.texts import TEXTS, greeting
from agent.understanding.weak import left_aside, only_nearest


def answer(
    stages: Stages, request: Request, stop: Callable[[], bool] = lambda: False, understood: str = ""
) -> PyGenerator[Reply]:
    """The reply to a request as it grows: first the list, then with each reason that is verified; the last is whole.

    Each stage is timed under its own name; "list" and "answer" are the times since the start. See `Agent.stream` for
    `stop`; `understood` says how an `Intent` that is given was read, for the reply.
    """
    watch = Stopwatch()
    with watch("profile"):
        profile = stages.profile(request)
        request = replace(request, profile=profile)
    with watch("intent"):
        intent, how = stages.intent(request)
        n = min(intent.n or request.n, stages.settings.max_n)
        aside = left_aside(intent, stages.catalogue, stages.language(intent))
    reply = _begun(stages, request, intent, understood or how)
    with watch("retrieve"):
        query = stages.query(profile, intent, stages.allowed(profile, intent, request.excluded))
    if not query.allowed.any():
        message = _joined(stages, intent, _what_to_relax(stages, request, intent), aside)
        reply = replace(reply, message=message, timings_ms=watch.timings())
        stages.keep(request, reply)
        yield reply
        return
    with watch("retrieve"):
        weak = _what_is_weak(stages, request, intent, query)
    prompt = stages.prompt(profile, intent)
    reply, prefix = _with_list(stages, request, reply, query, prompt, n, watch)
    watch.mark("list")
    found = len(reply.recommendations)
    is_chosen, later = bool(stages.serving.transitions.popularity.any()), bool(request.excluded)
    hello = greeting(profile, intent, later, found, n, stages.language(intent), is_chosen=is_chosen)
    message = _joined(stages, intent, hello, aside, weak)
    reply = replace(reply, message=message, timings_ms=watch.timings(), complete=False)
    reasons = stages.reasons(request, reply, prompt, prefix, stop)
    yield from _with_reasons(reply, reasons, partial(stages.keep, request), watch)


def _begun(stages: Stages, request: Request, intent: Intent, understood: str) -> Reply:
    """A reply that says only who answers to what."""
    used = [stages.prompts.get(name) for name in ("rank", "justify")]
    return Reply(
        turn_id=uuid.uuid4().hex,
        user_id=request.user_id,
        intent=intent,
        model=stages.generator.name,
        adapter=stages.generator.adapter,
        prompt=f"{stages.prompts.folder.name}/" + "+".join(f"{p.name}@{p.hash}" for p in used),
        understood=understood,
    )


# -- the list


def _with_list(
    stages: Stages, request: Request, reply: Reply, query: Query, prompt: tuple[Message, ...], n: int, watch: Stopwatch
) -> tuple[Reply, Any]:
    """The reply with its list, and what the model has read for it."""
    intent, lister = reply.intent, stages.lister
    if request.strategy == "score":
        weight, diversity = stages.model_weight(query), stages.settings.diversity
        candidates, prefix = lister.retrieved(query, prompt, max(stages.settings.candidates, n), weight, watch)
    else:
        weight, diversity = None, 0.0
        candidates, prefix = lister.generated(query, prompt, n, watch)
    with watch("diversify"):
        chosen = lister.varied(candidates, n, diversity, intent.exploration, request.drawn_from(intent))
    with watch("gather evidence"):
        facts = stages.facts(request, intent)
        if request.strategy == "score":
            ids = [c.item.item_id for c in chosen]
            lifted = lifts(ids, facts.anchors, request.profile, intent, stages, query.allowed)
            facts = replace(facts, lifts=lifted)
        listed = stages.listed(chosen, facts)
    return replace(reply, recommendations=listed, candidates=tuple(candidates), model_weight=weight), prefix


# -- the reasons


def _with_reasons(
    reply: Reply, reasons: PyGenerator[Phrased], keep: Callable[[Reply], None], watch: Stopwatch
) -> PyGenerator[Reply]:
    """The reply as its reasons are verified. However it ends, it is kept as far as it came."""
    finished = False
    try:
        yield reply
        with watch("justify"):
            for reason in reasons:
                reply = _with_reason(reply, reason)
                yield reply
        finished = all(one.justification for one in reply.recommendations)
    finally:
        reasons.close()
        watch.mark("answer")
        reply = replace(reply, timings_ms=watch.timings(), complete=finished)
        keep(reply)
    yield reply


def _with_reason(reply: Reply, reason: Phrased) -> Reply:
    listed = list(reply.recommendations)
    listed[reason.row] = replace(
        listed[reason.row], justification=reason.text, verified=True, phrased_by=reason.phrased_by
    )
    return replace(reply, recommendations=tuple(listed))


# -- what is said above the list


def _what_to_relax(stages: Stages, request: Request, intent: Intent) -> str:
    """What to say where nothing fits."""

    def opened(relaxed: Intent) -> int:
        return int(stages.allowed(request.profile, relaxed, request.excluded).sum())

    is_known = bool(stages.allowed(Profile(), Intent(filters=intent.filters)).any())
    return nothing_fits(intent, opened, stages.language(intent), is_known=is_known)


def _what_is_weak(stages: Stages, request: Request, intent: Intent, query: Query) -> str:
    """What to say where nothing is near to the wishes; empty where something is."""
    profile, fit = request.profile, stages.serving.fit

    def is_met(relaxed: Intent) -> bool:
        return not fit.unmet(stages.query(profile, relaxed, stages.allowed(profile, relaxed, request.excluded)))

    return only_nearest(fit.unmet(query), intent, is_met, stages.language(intent))


def _joined(stages: Stages, intent: Intent, *sentences: str) -> str:
    return TEXTS[stages.language(intent)]["space"].join(filter(None, sentences))
