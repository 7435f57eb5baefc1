"""The agent as it would answer with other prompts or another adapter, tried on people without a trace in the store."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from agent import build
from agent.agent import Agent
from agent.errors import PromptError
from agent.generation.base import Generator, Message
from agent.generation.prompting import PromptSet, continued
from agent.justification.evidence import Facts, gather
from agent.justification.planning import plan_list
from agent.request import Request, read_request
from agent.retrieval.fusion import fuse
from agent.schema import Intent, Item, Profile, Reply
from agent.understanding.briefing import brief, situation
from agent.understanding.dialogue import State
from agent.understanding.intent import parse_intent
from agent.understanding.profile import build_profile


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


class Trial(Agent):
    """An agent beside another one, over the same workspace. Nothing that it answers is kept.

    Args:
        agent: whose workspace, catalogue and retrieval it shares, as they are now.
        prompts: what it reads instead of the agent's prompts.
        generator: what ranks and writes instead of the agent's own.
    """

    def __init__(
        self, agent: Agent, prompts: PromptSet | None = None, generator: Generator[Any, Any, Any] | None = None
    ) -> None:
        vars(self).update(vars(agent))
        if prompts is not None:
            self.prompts = prompts
            self.noun = self.settings.noun or str(self.workspace.store.get_meta("noun") or "") or prompts.noun or "item"
        if prompts is not None or generator is not None:
            self._answer_with(agent.lister.using(generator or agent.generator))

    def rendered(self, name: str, user_id: str | None = None, text: str = "") -> Rendered:
        """A prompt as a turn of this person with this request would render it; no model is run but its tokenizer.

        So the request is read by words, and `justify` is rendered for the item that retrieval has first. A prompt that
        no turn asks for, and `justify` where nothing fits, get their own sample.

        Raises:
            PromptError: it cannot be rendered; with file and line.
            InputError: the request cannot be read.
        """
        prompt = self.prompts.get(name)
        if name not in ("rank", "justify", "intent"):
            return self._sampled(name)
        request = read_request(self.catalogue, self.settings, user_id, None, text, 1, None, "score", None, ())
        if name == "intent":
            asked = {**brief(self.catalogue), **situation(text, State(), self.catalogue)}
            return self._counted(prompt.render(noun=self.noun, **asked))
        profile, intent = self._profile(request), parse_intent(text, self.catalogue)
        before = self._rank_prompt(profile, intent)
        if name == "rank":
            return self._counted(before)
        found = self._first(request, profile, intent)
        if found is None:
            return self._sampled(name)
        item, facts = found
        messages = prompt.render(title=item.title, facts=list(facts), noun=self.noun)
        whole = self.generator.count(continued(before, messages))
        return Rendered(messages, whole, whole - self.generator.count(before), about=item)

    def _sampled(self, name: str) -> Rendered:
        prompt = self.prompts.get(name)
        return replace(self._counted(prompt.render(**prompt.sample)), sampled=True)

    def _counted(self, messages: tuple[Message, ...]) -> Rendered:
        tokens = self.generator.count(messages)
        return Rendered(messages, tokens, tokens)

    def _first(self, request: Request, profile: Profile, intent: Intent) -> tuple[Item, tuple[str, ...]] | None:
        """The item that retrieval has first, with the facts that its reason would rest on."""
        query = self._query(profile, intent, self._allowed(profile, intent, ()))
        if not query.allowed.any():
            return None
        lister = self.lister
        place = int(fuse(lister.sources, query, self.settings.candidates, lister.weights).positions[0])
        item = self.catalogue.items[place]
        facts = Facts(self.catalogue, self._serving.transitions, profile, intent, self.noun, said=self._said(request))
        plan = plan_list([item], [gather(item, facts)], self.noun, self.catalogue)[0]
        return item, tuple(one.text for one in plan.facts)

    def _kept(self, reply: Reply, request: Request) -> Reply:
        """The reply as it is: what is tried is no turn of the person."""
        return reply


def likes_of(agent: Agent, user_id: str, n: int) -> tuple[str, ...]:
    """The titles that a person liked last, the latest first."""
    store = agent.workspace.store
    profile = build_profile(
        user_id, store.interactions(user_id), store.feedback(user_id), best=agent._serving.best_rating
    )
    return tuple(agent.catalogue.get(i).title for i in [*reversed(profile.likes)][:n])


def adapter_names(agent: Agent) -> tuple[str, ...]:
    """The adapters of the agent's workspace, whichever of them serves."""
    return build.adapters_of(agent.workspace).names()


def generator_with(agent: Agent, adapter: str | None) -> Generator[Any, Any, Any]:
    """The agent's language model with one of the workspace's adapters, or with none: read anew, which takes seconds.

    Raises:
        AdapterError: it was tuned with another model, encoder or prompt, or there is none of that name.
    """
    return build.generator_with(agent.workspace, agent.settings, agent._encoder.name, agent.generator.name, adapter)


def unlike_tuned(agent: Agent, prompts: PromptSet) -> tuple[str, ...]:
    """The prompts of which the adapter that answers was tuned with another text; none without an adapter."""
    if agent.generator.adapter is None:
        return ()
    tuned = build.adapters_of(agent.workspace).get(agent.generator.adapter).manifest.prompts
    changed = []
    for name, hashed in tuned.items():
        with suppress(PromptError):  # what cannot be read is told elsewhere, with its line
            if name in prompts.names() and prompts.get(name).hash != hashed:
                changed.append(name)
    return tuple(changed)
