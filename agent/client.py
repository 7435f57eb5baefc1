"""An agent somewhere else: its main calls with the same types and exceptions, over HTTP.

    from agent.client import Client

    with Client("http://127.0.0.1:7860", key="vr_...") as agent:
        reply = agent.recommend(intent="something tense but funny, from the 90s")

Replies come without `candidates`, which stay with the service. httpx comes with gradio.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Generator as PyGenerator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from agent.errors import InputError, ServiceError
from agent.schema import Event, Feedback, Filter, Intent, Item, Reply, Strategy
from agent.wire import error_of, recommendation_from_json, reply_from_json
from agent.workspace.kept import SavedConversation

if TYPE_CHECKING:
    import httpx

    from agent.conditions import Where

SECONDS = 150.0  # a little more than a service gives one turn, unless said otherwise


class Client:
    """A service, called like an `Agent`. A context manager; threads may share it.

    Args:
        url: where the service is.
        key: what `vouchrec keys add` showed; a service on this machine may need none.
        timeout: seconds to wait for the next piece of an answer.
        transport: how requests travel; None means over the network.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:7860",
        key: str | None = None,
        timeout: float = SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        import httpx

        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(
                base_url=self.url, headers=headers, timeout=httpx.Timeout(timeout, connect=10), transport=transport
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise InputError(f"The address {url[:80]!r} or the key cannot be used: {error}.") from error

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- what people call, as in `Agent`

    def recommend(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        intent: str | Intent | None = None,
        n: int = 5,
        where: Where | None = None,
        strategy: Strategy = "score",
        seed: int | None = None,
        adapter: str | None = None,
    ) -> Reply:
        """See `Agent.recommend`; raises what it raises, and ServiceError where the service does not answer."""
        asked = _asked(user_id, history, intent, n, where, strategy, seed, (), adapter)
        return reply_from_json(self.post("/v1/recommend", asked))

    def stream(
        self,
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        intent: str | Intent | None = None,
        n: int = 5,
        where: Where | None = None,
        strategy: Strategy = "score",
        seed: int | None = None,
        excluded: Iterable[str] = (),
        stop: Callable[[], bool] = lambda: False,
        adapter: str | None = None,
    ) -> PyGenerator[Reply]:
        """See `Agent.stream`. Closing the iterator ends the turn at the service.

        `stop` is asked with each reply; once it says yes, the connection is closed and that reply is the last.
        """
        asked = _asked(user_id, history, intent, n, where, strategy, seed, excluded, adapter)
        return self.replies("/v1/recommend/stream", asked, stop)

    def conversation(self, user_id: str | None = None, conversation_id: str | None = None) -> RemoteConversation:
        """See `Agent.conversation`."""
        return RemoteConversation(self, user_id, conversation_id)

    def conversations(self, user_id: str) -> list[SavedConversation]:
        """See `Agent.conversations`."""
        rows = self._object("GET", f"/v1/conversations?user_id={_segment(user_id)}")
        return [SavedConversation(**row) for row in rows]

    def feedback(self, feedback: Feedback) -> Feedback:
        """See `Agent.feedback`."""
        return Feedback(**self._object("POST", "/v1/feedback", asdict(feedback)))

    def undo_feedback(self, feedback: Feedback) -> bool:
        """See `Agent.undo_feedback`."""
        return bool(self._object("DELETE", "/v1/feedback", asdict(feedback))["undone"])

    def explain(self, turn_id: str, item: str) -> dict[str, Any]:
        """What `Agent.explain` says of a turn, by `Explanation.as_dict`; the whole `turn_id` is needed here."""
        told: dict[str, Any] = self._object("POST", "/v1/explain", {"turn_id": turn_id, "item": item})
        return told

    def known_of(self, user_id: str) -> dict[str, Any]:
        """See `Agent.known_of`."""
        known: dict[str, Any] = self._object("GET", f"/v1/people/{_segment(user_id)}")
        return known

    def forget(self, user_id: str) -> dict[str, int]:
        """See `Agent.forget`; conversations and keys of the person go too."""
        removed: dict[str, int] = self._object("DELETE", f"/v1/people/{_segment(user_id)}")["removed"]
        return removed

    def add_items(self, items: Iterable[Item]) -> int:
        """See `Agent.add_items`."""
        rows = [{**asdict(item), "attributes": dict(item.attributes)} for item in items]
        return int(self._object("POST", "/v1/items", {"items": rows})["items"])

    def remove_items(self, item_ids: Iterable[str]) -> int:
        """Remove items one after the other; returns how many. UnknownItemError at the first that is not there."""
        if isinstance(item_ids, str):
            raise InputError(f"Items are removed by a list of ids; got one text: {item_ids[:80]!r}. Put it in a list.")
        return sum(int(self._object("DELETE", f"/v1/items/{_segment(i)}")["items"]) for i in item_ids)

    # -- requests

    def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """The answer to a body of JSON; raises what the service's problem stands for."""
        return self._sent("POST", path, body)

    def delete(self, path: str) -> None:
        """Delete what is at a path of the service."""
        self._sent("DELETE", path)

    def replies(self, path: str, body: Mapping[str, Any], stop: Callable[[], bool]) -> PyGenerator[Reply]:
        """The replies of a stream of events, each with all that was said before it."""
        with self._explained(), self._http.stream("POST", path, content=_json(body), headers=_JSON) as answer:
            if answer.status_code != 200:
                answer.read()
                raise _error(answer)
            reply: Reply | None = None
            for event, data in _events(_lines(answer.iter_text())):
                reply = _next(reply, event, data)
                yield reply
                if stop() or event == "done":
                    return
        raise ServiceError("The service ended its answer early; it may have been stopped. Ask again.")

    def _object(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        try:
            return json.loads(self._sent(method, path, body))
        except ValueError as error:
            raise ServiceError(f"What is at {self.url} did not answer with JSON. Check the address.") from error

    def _sent(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        with self._explained():
            content = None if body is None else _json(body)
            answer = self._http.request(method, path, content=content, headers=_JSON)
        if answer.is_success:
            return answer.content
        raise _error(answer)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.TimeoutException as error:
            raise ServiceError(
                f"{self.url} did not answer in time. It may be busy: try again, or wait longer."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServiceError(
                f"{self.url} cannot be reached ({error}). Check the address, and that `vouchrec serve` runs there."
            ) from error


class RemoteConversation:
    """One person's conversation with a service, see `agent.conversation.Conversation`. Not for two threads at once.

    `replies` holds the answers, oldest first. The service keeps it until `close`.
    """

    def __init__(self, client: Client, user_id: str | None = None, conversation_id: str | None = None) -> None:
        begun = json.loads(client.post("/v1/conversations", {"user_id": user_id, "kept": conversation_id}))
        self._client = client
        self._path = f"/v1/conversations/{_segment(begun['conversation_id'])}"
        self.user_id: str = begun["user_id"]
        self.conversation_id: str = begun["kept"]
        self.replies: list[Reply] = [reply_from_json(json.dumps(reply)) for reply in begun["replies"]]

    @property
    def intent(self) -> Intent:
        """What is understood so far."""
        return self.replies[-1].intent if self.replies else Intent()

    def say(self, text: str, n: int = 5, adapter: str | None = None) -> Reply:
        """Answer one message: it adds to what was said before, and corrects it where the two differ."""
        said = {"text": text, "n": n, "adapter": adapter}
        self.replies.append(reply_from_json(self._client.post(f"{self._path}/say", said)))
        return self.replies[-1]

    def stream(
        self, text: str, n: int = 5, *, stop: Callable[[], bool] = lambda: False, adapter: str | None = None
    ) -> PyGenerator[Reply]:
        """The answer as it grows, see `Client.stream`."""
        first, said = True, {"text": text, "n": n, "adapter": adapter}
        for reply in self._client.replies(f"{self._path}/say/stream", said, stop):
            if first:
                self.replies.append(reply)
                first = False
            self.replies[-1] = reply
            yield reply

    def feedback(self, item_id: str, event: Event, value: float | None = None, words: str = "") -> Feedback:
        """Keep a reaction to an item; durable when this returns, and effective on the next list."""
        said = {"item_id": item_id, "event": event, "value": value, "words": words}
        return Feedback(**json.loads(self._client.post(f"{self._path}/feedback", said)))

    def close(self) -> None:
        """End the conversation at the service."""
        self._client.delete(self._path)


_JSON = {"Content-Type": "application/json"}


def _asked(
    user_id: str | None,
    history: Sequence[str] | None,
    intent: str | Intent | None,
    n: int,
    where: Where | None,
    strategy: Strategy,
    seed: int | None,
    excluded: Iterable[str],
    adapter: str | None,
) -> dict[str, Any]:
    if isinstance(history, str):
        raise InputError(f"The history is a list of titles or ids; got one text: {history[:80]!r}. Put it in a list.")
    return {
        "user_id": user_id,
        "history": None if history is None else list(history),
        "intent": asdict(intent) if isinstance(intent, Intent) else intent,
        "n": n,
        "where": _conditions(where),
        "strategy": strategy,
        "seed": seed,
        "excluded": sorted(excluded),
        "adapter": adapter,
    }


def _conditions(where: Where | None) -> object:
    if where is None or isinstance(where, Mapping):
        return where
    return [asdict(one) if isinstance(one, Filter) else one for one in where]


def _json(body: Mapping[str, Any]) -> bytes:
    def plain(value: object) -> list[Any]:
        if isinstance(value, set | frozenset):
            return sorted(value, key=str)
        raise InputError(f"{value!r:.80} cannot be sent as JSON. Give texts, numbers, lists and mappings of them.")

    try:
        return json.dumps(body, default=plain, allow_nan=False).encode()
    except ValueError as error:
        raise InputError(f"A number that is sent must be finite ({error}).") from error


def _segment(text: str) -> str:
    """An id as a part of a path; one that is only dots would be taken for a step."""
    return quote(text, safe="").replace(".", "%2E")


def _error(answer: httpx.Response) -> Exception:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    after = answer.headers.get("retry-after", "")
    return error_of(
        problem if isinstance(problem, dict) else {}, answer.status_code, float(after) if after.isdigit() else None
    )


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines of a text that comes in pieces; JSON may hold other ends of a line than the line feed."""
    rest = ""
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        yield from lines


def _events(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(event, data) of a stream of server-sent events whose data is one line each."""
    event = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            yield event, value


def _next(reply: Reply | None, event: str, data: str) -> Reply:
    if event == "reason" and reply is not None:
        new = recommendation_from_json(data)
        listed = tuple(new if one.rank == new.rank else one for one in reply.recommendations)
        return replace(reply, recommendations=listed)
    if event == "problem":
        problem = json.loads(data)
        raise error_of(problem, int(problem.get("status", 500)))
    return reply_from_json(data)
