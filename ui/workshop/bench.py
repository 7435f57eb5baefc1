"""What the workshop does with a prompt, without the page: shows it, tests it, lists with it, saves it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import InputError, PromptError, VouchrecError
from agent.schema import Reply
from agent.trial import Rendered, Trial, likes_of, unlike_tuned
from ui.desk import Desk, Start
from ui.guest import WAITING
from ui.prompt_sets import put_in_service
from ui.view import COUNTS
from ui.workshop.drafts import Drafts, Problem, next_name, read

if TYPE_CHECKING:
    from agent import Agent
    from agent.generation.prompting import Check, PromptSet

LISTED = COUNTS[1]  # items of a list
OFFERED = 50  # people or sets in a menu
LIKES, ALIKE = 3, 5
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the model would read of a prompt, or what is wrong. `untuned` names the prompts unlike the adapter's own."""

    rendered: Rendered | None = None
    problem: Problem | None = None
    excerpt: str = ""
    untuned: tuple[str, ...] = ()


class Bench:
    """One owner at work on the prompts of one agent. Lists are made at the desk, in turn with whoever chats."""

    def __init__(self, agent: Agent, desk: Desk) -> None:
        self.agent = agent
        self.desk = desk
        self.drafts = Drafts()

    # -- what there is

    @property
    def home(self) -> Path:
        """Where versions are saved."""
        return self.agent.settings.home / "prompts"

    def sets(self) -> Mapping[str, str]:
        """The sets by label: the one in service first, those that were saved here, those that ship."""
        from prompts import shipped

        served = self.agent.settings.prompts
        saved = sorted(folder for folder in self.home.glob("*/") if not folder.name.startswith("."))
        found = {f"{Path(served).name} (in service)": served}
        found |= {folder.name: str(folder) for folder in saved if folder.resolve() != self._served.resolve()}
        return found | {name: name for name in shipped() if name != served}

    def edited_sets(self) -> list[str]:
        """The labels of the sets that have edits which are not saved."""
        from prompts import locate

        return [label for label, spec in self.sets().items() if self.drafts.has_edits(locate(spec))]

    def chosen(self, spec: str) -> PromptSet:
        """One of the sets by what stands beside its label. InputError for any other folder."""
        from agent.generation.prompting import PromptSet

        if spec not in self.sets().values():
            raise InputError(f"There is no prompt set {spec[:80]!r} here. Choose one of the menu.")
        return PromptSet.named(spec)

    def people(self, part: str = "") -> list[str]:
        """People whose id has this part."""
        return self.agent.workspace.store.find_users(part.strip(), OFFERED)

    def person(self, user_id: str | None) -> str:
        """Who that is, in a line."""
        if not user_id:
            return "Somebody new: no history."
        if not self.agent.workspace.store.has_user(user_id):
            alike = self.people(user_id)[:ALIKE]
            near = f" Ids with that part: {', '.join(alike)}." if alike else ""
            return f"Nothing is stored of a person of this id: as somebody new.{near}"
        likes = likes_of(self.agent, user_id, LIKES)
        return f"The latest they liked: {', '.join(likes)}." if likes else "They have liked nothing yet."

    # -- one prompt

    def show(self, chosen: PromptSet, name: str, user_id: str | None, request: str) -> Shown:
        """The prompt as it is edited, on a person with a request."""
        try:
            with self.drafts.applied(chosen) as drafted:
                trial = Trial(self.agent, drafted)
                rendered = trial.rendered(name, user_id or None, request)
                return Shown(rendered, untuned=unlike_tuned(self.agent, drafted))
        except VouchrecError as error:
            problem = Problem.of(error)
            lines = self.drafts.text(chosen, name).splitlines() if problem.file == f"{name}.prompty" else []
            row = (problem.line or 0) - 1
            return Shown(problem=problem, excerpt=lines[row].strip() if 0 <= row < len(lines) else "")

    def changes(self, chosen: PromptSet) -> list[str]:
        """What the edits change in the files, as a unified diff."""
        found: list[str] = []
        for name in self.drafts.edited(chosen):
            texts = (read(chosen, name).splitlines(), self.drafts.text(chosen, name).splitlines())
            found += difflib.unified_diff(*texts, f"{name}.prompty", f"{name}.prompty, edited", lineterm="")
        return found

    def check(self, chosen: PromptSet) -> list[Check]:
        """Every prompt with its sample and its cases, edits and all: what `vouchrec prompts test` does first."""
        with self.drafts.applied(chosen) as drafted:
            return drafted.check()

    # -- lists

    def compare(
        self, chosen: PromptSet, user_id: str | None, request: str, stop: Stop = lambda: False
    ) -> Generator[tuple[Reply, Reply]]:
        """(with the prompts in service, with the edited set) as both grow; the last is complete unless it was stopped.

        Raises:
            InputError: both say the same, the request cannot be read, too many answers are under way.
            PromptError: an edit that cannot serve.
        """
        with ExitStack() as stack:
            drafted = stack.enter_context(self.drafts.applied(chosen))
            for name in drafted.names():
                drafted.get(name)
            trials = Trial(self.agent), Trial(self.agent, drafted)
            serving, edited = (trial.stages for trial in trials)
            if _texts(serving.prompts) == _texts(edited.prompts) and serving.noun == edited.noun:
                raise InputError("There is nothing to compare: the prompts in service say the same. Edit one first.")
            yield from self.side_by_side(trials, user_id, request, stop)

    def side_by_side(
        self, trials: tuple[Trial, Trial], user_id: str | None, request: str, stop: Stop
    ) -> Generator[tuple[Reply, Reply]]:
        """The replies of two trials to one request as they grow, both lists before any of the reasons.

        Nothing comes where it was stopped before both lists were there.
        """
        if self.desk.open_turns >= WAITING:
            raise InputError("Too many answers are asked for in the chat just now. Try again in a minute.")
        with ExitStack() as stack:
            turns = [self.desk.turn(_asking(trial, user_id, request), stop) for trial in trials]
            for turn in turns:
                stack.enter_context(closing(turn))
            told = [next(turn, None) for turn in turns]
            while told[0] is not None and told[1] is not None:
                yield told[0], told[1]
                further = [next(turn, None) for turn in turns]
                if further == [None, None]:
                    return
                told = [new or old for new, old in zip(further, told, strict=True)]

    # -- versions

    def next_name(self, chosen: PromptSet) -> str:
        """A name that is free for the next version."""
        return next_name(chosen, self.home)

    def save(self, chosen: PromptSet, name: str) -> Path:
        """Save the set with its edits as a version of its own; gives its folder. InputError where it cannot be."""
        if not self.drafts.edited(chosen):
            raise InputError("Nothing was edited, so there is no new version to save.")
        folder = self.home / name.strip()
        if folder.parent != self.home:
            raise InputError(f"A version has a name and no path; got {name[:80]!r}.")
        self.drafts.save(chosen, folder)
        return folder

    def use(self, spec: str) -> str:
        """Let a saved or shipped set serve from the next start on, and say so: `vouchrec prompts use`."""
        chosen = self.chosen(spec)
        if self.drafts.edited(chosen):
            raise InputError("There are edits that are not saved. Save them as a version first.")
        put_in_service(spec, self.agent.settings.home)
        return f"{chosen.folder.name} serves from the next start on."

    @property
    def _served(self) -> Path:
        return self.agent.prompts.folder


def _asking(trial: Trial, user_id: str | None, request: str) -> Start:
    return lambda stop: trial.stream(user_id or None, None, request, LISTED, stop=stop)


def _texts(chosen: PromptSet) -> dict[str, str]:
    """The hash of each prompt; of one that cannot be read, nothing."""
    found = {}
    for name in chosen.names():
        try:
            found[name] = chosen.get(name).hash
        except PromptError:
            found[name] = ""
    return found
