"""The page of the workshop: a prompt beside what it does, and two contenders side by side without their names."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, cast

import gradio as gr
from fastapi import FastAPI

from agent.errors import InputError, VouchrecError
from agent.trial import generator_with
from agent.votes import Verdict
from ui.desk import Desk
from ui.front import LARGEST_UPLOAD, theme
from ui.surroundings import ignore_variables
from ui.workshop import parts
from ui.workshop.bench import Bench
from ui.workshop.contest import AS_SERVED, Contest, Load, Round
from ui.workshop.gate import PATH, Gate

if TYPE_CHECKING:
    from agent import Agent

_REQUEST = "something tense but funny, from the 90s"
_FAULT = "Something went wrong here; the log in the terminal says what."
_ASKING = "<p class='vw-note' role='status'>Both are being asked; they are shown when both have answered …</p>"
_SCROLL = "() => { setTimeout(() => document.getElementById('vw-found').scrollIntoView({ block: 'start' }), 200); }"
_Shown = dict[Any, Any]
_Given = ParamSpec("_Given")
_log = logging.getLogger(__name__)


def open_workshop(agent: Agent, desk: Desk, load: Load = generator_with) -> Gate:
    """The workshop behind its gate, ready to be a route at /workshop of the server that answers the chat."""
    ignore_variables()
    with gr.Blocks(title="Vouchrec prompt workshop", analytics_enabled=False) as page:
        bench = Bench(agent, desk)
        contest = Contest(bench, load)
        with gr.Row(elem_id="vw-top"):
            gr.HTML("<h1>Prompt workshop</h1>", apply_default_css=False)
        with gr.Tabs():
            with gr.Tab("Prompts"):
                _Editor(bench).listen(page)
            with gr.Tab("Blind comparison") as tab:
                _Blind(bench, contest).listen(page, tab)
    page.queue(max_size=8, api_open=False)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        app, page, PATH, footer_links=[], run_history=False, allowed_paths=[], blocked_paths=[], root_path="",
        show_error=False, max_file_size=LARGEST_UPLOAD, ssr_mode=False, enable_monitoring=False, pwa=False,
        mcp_server=False, theme=theme(), css_paths=[Path(__file__).with_name("workshop.css")],
    )  # fmt: skip
    return Gate(app, page.run_startup_events)


class _Tab:
    """What both halves of the page share. `note` is the part that says what went wrong."""

    note: gr.HTML

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._stops: dict[str, threading.Event] = {}

    def _begun(self, request: gr.Request) -> threading.Event:
        """What ends this run once the page is left, or another run of it begins."""
        session = _session(request)
        self._leave(request)
        self._stops[session] = threading.Event()
        return self._stops[session]

    def _leave(self, request: gr.Request) -> None:
        if (stop := self._stops.pop(_session(request), None)) is not None:
            stop.set()


def _told(step: Callable[_Given, _Shown]) -> Callable[_Given, _Shown]:
    """A step of a tab whose errors are said in its note."""

    @wraps(step)
    def safe(*args: _Given.args, **kwargs: _Given.kwargs) -> _Shown:
        try:
            return step(*args, **kwargs)
        except Exception as error:  # whatever it is, the owner gets a sentence and the page goes on
            return {cast(_Tab, args[0]).note: _sentence(error)}

    return safe


def _told_on(steps: Callable[_Given, Iterator[_Shown]]) -> Callable[_Given, Iterator[_Shown]]:
    """The same for steps that follow each other."""

    @wraps(steps)
    def safe(*args: _Given.args, **kwargs: _Given.kwargs) -> Iterator[_Shown]:
        try:
            yield from steps(*args, **kwargs)
        except Exception as error:
            yield {cast(_Tab, args[0]).note: _sentence(error)}

    return safe


def _sentence(error: Exception) -> str:
    if isinstance(error, VouchrecError):
        return parts.note(str(error), wrong=True)
    _log.error("a step in the workshop failed", exc_info=error)
    return parts.note(_FAULT, wrong=True)


class _Editor(_Tab):
    """Pick a prompt, edit it, see it on a person, run its tests, list with it, save it."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        with gr.Row(elem_classes="vw-row"):
            self.sets = gr.Dropdown(label="Prompt set", elem_id="vw-set")
            self.names = gr.Dropdown(label="Prompt", elem_id="vw-name")
        with gr.Row(elem_classes="vw-row"):
            with gr.Column(min_width=300):
                self.code = gr.Code(
                    label="The file", language="jinja2", interactive=True, lines=16, max_lines=24, elem_id="vw-code",
                    wrap_lines=True,
                )  # fmt: skip
                self.state = _part("vw-state")
                with gr.Row(elem_classes="vw-buttons"):
                    self.test = gr.Button("Run its tests", size="sm", elem_id="vw-test")
                    self.compare = gr.Button("Compare lists", size="sm", elem_id="vw-compare")
                    self.discard = gr.Button("Discard the edits", size="sm", elem_id="vw-discard")
                with gr.Row(elem_classes="vw-buttons"):
                    self.version = gr.Textbox(label="Version name", elem_id="vw-version", max_lines=1, scale=2)
                    self.save = gr.Button(
                        "Save as a new version", size="sm", variant="primary", elem_id="vw-save", min_width=190
                    )  # fmt: skip
                    self.use = gr.Button("Put in service", size="sm", elem_id="vw-use")
                self.note = _part("vw-note")
            with gr.Column(min_width=300):
                self.person, self.request = _who("vw")
                self.rendered = _part("vw-rendered")
        self.found = _part("vw-found")

    def listen(self, page: gr.Blocks) -> None:
        """Connect the parts with what they do."""
        where, who = [self.sets, self.names], [self.person, self.request]
        parts_ = [
            *where, self.code, self.state, self.version, self.note, self.rendered, self.found, self.person,
        ]  # fmt: skip
        quick: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        latest: Mapping[str, Any] = {**quick, "trigger_mode": "always_last"}
        model: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_id": "shop"}
        page.load(self._open, who, parts_, **quick)
        self.sets.input(self._pick_set, [self.sets, *who], parts_, **quick)
        self.names.input(self._pick, [*where, *who], parts_, **quick)
        self.code.input(self._edit, [*where, self.code, *who], parts_, **latest)
        gr.on([self.person.change, self.request.change], self._look, [*where, *who], parts_, **latest)
        self.test.click(self._test, [*where, self.code], parts_, **quick)
        self.compare.click(self._compare, [*where, self.code, *who], parts_, **model)
        gr.on([self.test.click, self.compare.click], None, js=_SCROLL)
        self.discard.click(self._discard, [*where, *who], parts_, **quick)
        self.save.click(self._save, [*where, self.code, self.version, *who], parts_, **quick)
        self.use.click(self._use, self.sets, parts_, **quick)
        page.unload(self._leave)

    # -- what is looked at

    @_told
    def _open(self, user_id: str | None, request: str) -> _Shown:
        served = next(iter(self.bench.sets().values()))
        people = self.bench.people()
        chosen = user_id or next(iter(people), None)
        shown = self._picked(served, None, chosen, request)
        return shown | {self.person: gr.Dropdown(choices=people, value=chosen)}

    @_told
    def _pick_set(self, spec: str, user_id: str | None, request: str) -> _Shown:
        return self._picked(spec, None, user_id, request)

    @_told
    def _pick(self, spec: str, name: str, user_id: str | None, request: str) -> _Shown:
        return self._picked(spec, name, user_id, request)

    def _picked(self, spec: str, name: str | None, user_id: str | None, request: str) -> _Shown:
        chosen = self.bench.chosen(spec)
        names = chosen.names()
        name = name if name in names else ("rank" if "rank" in names else names[0])
        return {
            self.sets: gr.Dropdown(choices=list(self.bench.sets().items()), value=spec),
            self.names: gr.Dropdown(choices=list(names), value=name),
            self.code: self.bench.drafts.text(chosen, name),
            self.version: self.bench.next_name(chosen),
            self.note: "",
            **self._seen(spec, name, user_id, request),
        }

    @_told
    def _edit(self, spec: str, name: str, text: str | None, user_id: str | None, request: str) -> _Shown:
        self._keep(spec, name, text)
        return self._seen(spec, name, user_id, request)

    @_told
    def _look(self, spec: str, name: str, user_id: str | None, request: str) -> _Shown:
        return self._seen(spec, name, user_id, request) if spec and name else {}

    def _seen(self, spec: str, name: str, user_id: str | None, request: str) -> _Shown:
        chosen = self.bench.chosen(spec)
        shown = self.bench.show(chosen, name, user_id, str(request or ""))
        edited = self.bench.drafts.edited(chosen)
        return {
            self.state: parts.state(shown, edited, str(chosen.path(name))),
            self.rendered: parts.rendered(shown, self.bench.person(user_id)),
        }

    def _keep(self, spec: str, name: str, text: str | None) -> None:
        """The editor's text as it is now: a click may come before the last letters were told."""
        self.bench.drafts.put(self.bench.chosen(spec), name, text or "")

    # -- what is done

    @_told
    def _test(self, spec: str, name: str, text: str | None) -> _Shown:
        self._keep(spec, name, text)
        chosen = self.bench.chosen(spec)
        html = parts.tests(self.bench.check(chosen)) + parts.diff(self.bench.changes(chosen))
        return {self.found: html, self.note: ""}

    @_told_on
    def _compare(
        self, spec: str, name: str, text: str | None, user_id: str | None, request: str, who: gr.Request
    ) -> Iterator[_Shown]:
        self._keep(spec, name, text)
        chosen = self.bench.chosen(spec)
        changes = parts.diff(self.bench.changes(chosen))
        stop = self._begun(who)
        yield {self.note: "", self.found: parts.note("Both lists are being made …")}
        with closing(self.bench.compare(chosen, user_id, str(request or ""), stop.is_set)) as both:
            try:
                for old, new in both:
                    ended = old.complete and new.complete
                    yield {self.found: parts.lists(old, new, ended=ended) + changes}
            except Exception:
                yield {self.found: ""}
                raise

    @_told
    def _discard(self, spec: str, name: str, user_id: str | None, request: str) -> _Shown:
        self.bench.drafts.discard(self.bench.chosen(spec), name)
        return self._picked(spec, name, user_id, request)

    @_told
    def _save(self, spec: str, name: str, text: str | None, version: str, user_id: str | None, request: str) -> _Shown:
        self._keep(spec, name, text)
        folder = self.bench.save(self.bench.chosen(spec), str(version or ""))
        said = f"Saved in {folder}. It does not serve by that: put it in service, or: vouchrec prompts use {folder}"
        return self._picked(str(folder), name, user_id, request) | {self.note: parts.note(said)}

    @_told
    def _use(self, spec: str) -> _Shown:
        return {self.note: parts.note(self.bench.use(spec))}


class _Blind(_Tab):
    """One request, two contenders as A and B, a vote, and then who was who."""

    def __init__(self, bench: Bench, contest: Contest) -> None:
        super().__init__(bench)
        self._contest = contest
        self._rounds: dict[str, Round] = {}
        with gr.Row(elem_classes="vw-row"):
            self.one = gr.Dropdown(label="One contender", elem_id="vb-one")
            self.other = gr.Dropdown(label="The other", elem_id="vb-other")
        with gr.Row(elem_classes="vw-row"):
            self.person, self.request = _who("vb")
        with gr.Row(elem_classes="vw-buttons"):
            self.ask = gr.Button("Ask both", variant="primary", size="sm", elem_id="vb-ask", scale=0, min_width=140)
        self.note = _part("vb-note")
        self.found = _part("vb-found")
        with gr.Row(elem_classes="vw-buttons", visible=False, elem_id="vb-votes") as self.votes:
            self.buttons = {
                verdict: gr.Button(label, size="sm", elem_id=f"vb-{verdict}")
                for verdict, label in parts.VERDICTS.items()
            }
        self.told = _part("vb-told")
        gr.HTML("<h2>All votes</h2>", apply_default_css=False)
        self.tally = _part("vb-tally")

    def listen(self, page: gr.Blocks, tab: gr.Tab) -> None:
        """Connect the parts with what they do."""
        asked = [self.one, self.other, self.person, self.request]
        parts_ = [*asked, *self.buttons.values(), self.note, self.found, self.votes, self.told, self.tally]
        quick: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        model: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_id": "shop"}
        gr.on([page.load, tab.select], self._open, asked, parts_, **quick)
        self.ask.click(self._ask, asked, parts_, **model)
        for verdict, button in self.buttons.items():
            button.click(self._voting(verdict), None, parts_, **quick)
        page.unload(self._leave)

    @_told
    def _open(self, one: str | None, other: str | None, user_id: str | None, request: str) -> _Shown:
        there = self._contest.contenders()
        one = one if one in there else AS_SERVED
        other = other if other in there and other != one else next((name for name in there if name != one), None)
        people = self.bench.people()
        return {
            self.one: gr.Dropdown(choices=there, value=one),
            self.other: gr.Dropdown(choices=there, value=other),
            self.person: gr.Dropdown(choices=people, value=user_id or next(iter(people), None)),
            self.tally: parts.standings(self._contest.standings()),
        }

    @_told_on
    def _ask(self, one: str, other: str, user_id: str | None, request: str, who: gr.Request) -> Iterator[_Shown]:
        stop = self._begun(who)
        shut = {self.votes: gr.Row(visible=False), self.told: "", self.found: ""}
        yield {**shut, self.note: _ASKING}
        met = self._contest.begin(str(one), str(other), user_id, str(request or ""), stop.is_set)
        if met is None:
            yield {self.note: parts.note("Stopped.")}
            return
        self._rounds[_session(who)] = met
        better = {self.buttons[side]: gr.Button(interactive=not met.is_same) for side in ("left", "right")}
        yield {**better, self.found: parts.blind(met), self.votes: gr.Row(visible=True), self.note: ""}

    def _leave(self, request: gr.Request) -> None:
        """A round ends where the next begins."""
        super()._leave(request)
        self._rounds.pop(_session(request), None)

    def _voting(self, verdict: Verdict) -> Callable[[gr.Request], _Shown]:
        @_told
        def vote(tab: _Blind, who: gr.Request) -> _Shown:
            met = tab._rounds.get(_session(who))
            if met is None:
                return {tab.votes: gr.Row(visible=False)}  # it was voted on by a click before this one
            tab._contest.vote(met, verdict)
            tab._rounds.pop(_session(who), None)
            return {
                tab.votes: gr.Row(visible=False),
                tab.told: parts.revealed(met.sides, verdict),
                tab.tally: parts.standings(tab._contest.standings()),
            }

        def voted(who: gr.Request) -> _Shown:
            return vote(self, who)

        return voted


def _who(prefix: str) -> tuple[gr.Dropdown, gr.Textbox]:
    """For whom, and what is asked."""
    person = gr.Dropdown(
        label="Person (an id or a part of one; empty: somebody new)",
        allow_custom_value=True,
        elem_id=f"{prefix}-person",
    )
    request = gr.Textbox(label="Request", value=_REQUEST, max_lines=3, elem_id=f"{prefix}-request")
    return person, request


def _session(request: gr.Request) -> str:
    """The random name that gradio gave this open page."""
    if not request.session_hash:
        raise InputError("This page has no session. Load it again.")
    return request.session_hash


def _part(name: str) -> gr.HTML:
    return gr.HTML("", apply_default_css=False, elem_id=name)
