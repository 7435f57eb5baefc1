"""The agent as it would answer with other prompts or another adapter, tried on people without a trace in the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Generator as PyGenerator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agent import build
from agent.generation.base import Generator, Message
from agent.generation.prompting import PromptSet, continued
from agent.justification.evidence import gather
from agent.justification.planning import plan_list
from agent.request import Request, read_request
from agent.retrieval.fusion import fuse
from agent.schema import Intent, Item, Reply
from agent.stages import Stages, noun_of
from agent.turn import answer
from agent.understanding.briefing import brief, situation
from agent.understanding.dialogue import State
from agent.understanding.intent import parse_intent

if TYPE_CHECKING:
    from agent.agent import Agent


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the language model would read of one prompt.

    `tokens` counts the conversation up to the end of `messages`, and `added` what this prompt adds to it. `about` is
    the item that a reason is asked for; `sampled` says that the inputs are the file's own sample, for want of others.
    """

    messages: tuple[Message, ...]
    tokens: int
    added: int
    about: Item | None = None
    sampled: bool = False


class Trial:
    """Answers beside an agent, over the same workspace. Nothing that it answers is kept.

    Args:
        agent: whose workspace, catalogue and retrieval it shares, as they are now.
        prompts: what the model reads instead of the agent's prompts.
        generator: what ranks and writes instead of the agent's own.
    """

    def __init__(
        self, agent: Agent, prompts: PromptSet | None = None, generator: Generator[Any, Any, Any] | None = None
    ) -> None:
        now = replace(agent.stages(), keep=lambda request, reply: None)
        if prompts is not None:
            now = replace(now, prompts=prompts, noun=noun_of(now.settings, now.store, prompts))
        if prompts is not None or generator is not None:
            now = now.using(now.lister.using(generator or now.generator))
        self.stages = now

    def recommend(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        intent: str | Intent | None = None,
        n: int = 5,
    ) -> Reply:
        """See `Agent.recommend`."""
        return list(self.stream(user_id, history, intent, n))[-1]

    def stream(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        intent: str | Intent | None = None,
        n: int = 5,
        *,
        stop: Callable[[], bool] = lambda: False,
    ) -> PyGenerator[Reply]:
        """See `Agent.stream`."""
        now = self.stages
        return answer(now, read_request(now.catalogue, now.settings, user_id, history, intent, n), stop)

    def rendered(self, name: str, user_id: str | None = None, text: str = "") -> Rendered:
        """A prompt as a turn of this person with this request would render it; no model is run but its tokenizer.

        So the request is read by words, and `justify` is rendered for the item that retrieval has first. A prompt that
        no turn asks for, and `justify` where nothing fits, get their own sample.

        Raises:
            PromptError: it cannot be rendered; with file and line.
            InputError: the request cannot be read.
        """
        now = self.stages
        prompt = now.prompts.get(name)
        if name not in ("rank", "justify", "intent"):
            return self._sampled(name)
        request = read_request(now.catalogue, now.settings, user_id, intent=text, n=1)
        if name == "intent":
            asked = {**brief(now.catalogue), **situation(text, State(), now.catalogue)}
            return self._counted(prompt.render(noun=now.noun, **asked))
        request = replace(request, profile=now.profile(request))
        intent = parse_intent(text, now.catalogue)
        before = now.prompt(request.profile, intent)
        if name == "rank":
            return self._counted(before)
        found = _first(now, request, intent)
        if found is None:
            return self._sampled(name)
        item, facts = found
        messages = prompt.render(title=item.title, facts=list(facts), noun=now.noun)
        whole = now.generator.count(continued(before, messages))
        return Rendered(messages, whole, whole - now.generator.count(before), about=item)

    def _sampled(self, name: str) -> Rendered:
        prompt = self.stages.prompts.get(name)
        return replace(self._counted(prompt.render(**prompt.sample)), sampled=True)

    def _counted(self, messages: tuple[Message, ...]) -> Rendered:
        tokens = self.stages.generator.count(messages)
        return Rendered(messages, tokens, tokens)


def _first(now: Stages, request: Request, intent: Intent) -> tuple[Item, tuple[str, ...]] | None:
    """The item that retrieval has first, with the facts that its reason would rest on."""
    query = now.query(request.profile, intent, now.allowed(request.profile, intent))
    if not query.allowed.any():
        return None
    place = int(fuse(now.sources, query, now.settings.candidates, now.weights).positions[0])
    item = now.catalogue.items[place]
    plan = plan_list([item], [gather(item, now.facts(request, intent))], now.noun, now.catalogue)[0]
    return item, tuple(one.text for one in plan.facts)


def likes_of(agent: Agent, user_id: str, n: int) -> tuple[str, ...]:
    """The titles that a person liked last, the latest first."""
    now = agent.stages()
    return tuple(now.catalogue.get(i).title for i in [*reversed(now.known(user_id).likes)][:n])


def adapter_names(agent: Agent) -> tuple[str, ...]:
    """The adapters of the agent's workspace, whichever of them serves."""
    return build.adapters_of(agent.workspace).names()


def generator_with(agent: Agent, adapter: str | None) -> Generator[Any, Any, Any]:
    """The agent's language model with one of the workspace's adapters, or with none: read anew, which takes seconds.

    Raises:
        AdapterError: it was tuned with another model, encoder or prompt, or there is none of that name.
    """
    return build.generator_with(agent.workspace, agent.settings, agent._encoder.name, agent.generator.name, adapter)


def unlike_tuned(agent: Agent, chosen: PromptSet) -> tuple[str, ...]:
    """The prompts of which the adapter that answers was tuned with another text; none without an adapter."""
    if agent.generator.adapter is None:
        return ()
    return build.adapters_of(agent.workspace).get(agent.generator.adapter).manifest.unlike(chosen)
