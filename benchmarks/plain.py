"""The pipeline that people write today: one chat prompt, one `generate`, a forgiving regex. See latency.py.

It is given every kindness that its idea allows: retrieval for nothing, the format named in the prompt, a parser that
takes bullets for numbers and reasons on the next line, and titles compared without case, accents or articles.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.agent import Agent
from agent.schema import Profile
from agent.workspace.catalogue import bare_key, title_key

MAX_NEW_TOKENS = 400  # what people set for five lines with reasons
_NUMBERED = re.compile(r"^[ \t>#*_]*\d{1,2}[.):][ \t]*", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*[-*•][ \t]+", re.MULTILINE)
_WITH_YEAR = re.compile(r"^(?=[^\n]*\((?:18|19|20)\d\d\))[ \t]*", re.MULTILINE)
_TITLE_AND_YEAR = re.compile(r"[^\n]{1,120}?\((?:18|19|20)\d\d\)")
_TITLE = re.compile(r"[^\n]+?(?=\s[-–—]\s|:\s|\s\||\n|$)")
_AROUND = " \t\n*_\"“”'`-–—:|."


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the written list; `title_end` and `end` are places in the text."""

    title: str
    reason: str
    title_end: int
    end: int


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote. `times_ms` is when each token came, `done_ms` when the list was parsed, since the start."""

    text: str
    entries: tuple[Entry, ...]
    times_ms: tuple[float, ...]
    places: tuple[int, ...]
    done_ms: float

    @property
    def tokens(self) -> int:
        """How many tokens were written."""
        return len(self.times_ms)

    def reached_ms(self, place: int) -> float:
        """When the text had grown to a place."""
        return next(ms for ms, grown in zip(self.times_ms, self.places, strict=True) if grown >= place)


@dataclass(slots=True)
class _Clock:
    """A streamer of `generate` that only notes when each token came; the first call is the prompt."""

    start: float
    prompt_seen: bool = False
    tokens: list[int] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)

    def put(self, value: Any) -> None:  # noqa: ANN401 - a tensor
        if self.prompt_seen:
            self.tokens.append(int(value.flatten()[-1]))
            self.times_ms.append(1000 * (time.perf_counter() - self.start))
        self.prompt_seen = True

    def end(self) -> None:
        pass


def plain_chat(agent: Agent, profile: Profile, words: str, candidates: Sequence[int], n: int) -> list[dict[str, str]]:
    """The chat: as many titles of the history as ours shows, the request, the candidates in the order of retrieval."""
    limit = agent.settings.history_in_prompt
    felt = dict.fromkeys(profile.dislikes, "disliked") | dict.fromkeys(profile.likes, "liked")
    history = [i for i in profile.history if i in agent.catalogue.position][-limit:] if limit else []
    lines = [f"I {felt.get(i, 'watched')} {agent.catalogue.get(i).title}." for i in history]
    lines += [f"What I want now: {words}"] if words else []
    lines += [f"Candidate {agent.noun}s:", *(f"- {agent.catalogue.items[p].title}" for p in candidates)]
    # Small models copy the example, so it is the best candidate: a copy is a right answer.
    example = agent.catalogue.items[candidates[0]].title
    lines += [
        f"Recommend the {n} {agent.noun}s from this list that suit me best, and give a short reason for each. "
        f"Answer with a numbered list from 1 to {n}, one {agent.noun} a line, for example: "
        f"1. {example} - It is close to what you like."
    ]
    return [
        {"role": "system", "content": f"You are a helpful {agent.noun} recommender."},
        {"role": "user", "content": "\n".join(lines)},
    ]


def write(model: Any, tokenizer: Any, chat: list[dict[str, str]], *, sampled: bool = False) -> Written:  # noqa: ANN401
    """One `model.generate`: greedy, the default of transformers for this model, or sampled as its model card shows."""
    choice = {"do_sample": True, "temperature": 0.2, "top_p": 0.9} if sampled else {"do_sample": False}
    clock = _Clock(time.perf_counter())
    inputs = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    inputs = inputs.to(model.device)
    output = model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, streamer=clock, **choice)
    text = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    entries = parse(text)
    done_ms = 1000 * (time.perf_counter() - clock.start)
    # Outside the time: how far the text had grown with each token.
    grown = [len(tokenizer.decode(clock.tokens[: i + 1], skip_special_tokens=True)) for i in range(len(clock.tokens))]
    return Written(text, tuple(entries), tuple(clock.times_ms), tuple(grown), done_ms)


def parse(text: str) -> list[Entry]:
    """The entries of a written list: numbered ones; without any, bulleted ones; without any, lines with a year."""
    for marker in (_NUMBERED, _BULLET, _WITH_YEAR):
        marks = list(marker.finditer(text))
        if marks:
            ends = [*(m.start() for m in marks[1:]), len(text)]
            return [e for m, end in zip(marks, ends, strict=True) if (e := _entry(text, m.end(), end)) is not None]
    return []


def _entry(text: str, start: int, end: int) -> Entry | None:
    """The entry at text[start:end]: a title up to its year, or else up to the first separator, then its reason."""
    body = text[start:end]
    found = _TITLE_AND_YEAR.match(body) or _TITLE.match(body)
    if found is None or not found[0].strip(_AROUND):
        return None
    reason = body[found.end() :]
    return Entry(found[0].strip(_AROUND), reason.strip(_AROUND), start + found.end(), start + len(body.rstrip()))


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the first n titles of one list, by kind, in titles; `missing` is how many of n never came."""

    titles: int
    off_catalogue: int
    not_candidate: int
    seen: int
    repeated: int
    without_reason: int
    missing: int
    usable: int


def judge(
    agent: Agent, profile: Profile, candidates: Sequence[int], lines: Sequence[tuple[str, str]], n: int
) -> Faults:
    """Compare (title, reason) lines with the catalogue. A title without a year means any film of that name."""
    lines = lines[:n]
    offered = {agent.catalogue.ids[p] for p in candidates}
    meant = [set(agent.catalogue.by_title.get(title_key(title), ())) for title, _ in lines]
    keys = [bare_key(title) for title, _ in lines]
    again = [key in keys[:place] for place, key in enumerate(keys)]
    return Faults(
        titles=len(lines),
        off_catalogue=sum(not ids for ids in meant),
        not_candidate=sum(not ids & offered for ids in meant),
        seen=sum(bool(ids & profile.seen) and not ids & offered for ids in meant),
        repeated=sum(again),
        without_reason=sum(not reason for _, reason in lines),
        missing=n - len(lines),
        usable=sum(bool(ids & offered) and not repeat for ids, repeat in zip(meant, again, strict=True)),
    )
