"""The arguments of a turn, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.conditions import Where, read_where
from agent.errors import InputError
from agent.schema import Filter, Intent, Profile, Strategy
from agent.settings import Settings
from agent.workspace.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Request:
    """One turn's arguments: ids are resolved, filters are valid. `excluded` holds further ids that must not come."""

    user_id: str | None
    history: tuple[str, ...]
    intent: str | Intent
    n: int
    filters: tuple[Filter, ...]
    strategy: Strategy
    seed: int | None
    excluded: frozenset[str] = frozenset()
    profile: Profile = Profile()  # of the person, once it is known

    def drawn_from(self, intent: Intent) -> str:
        """What chance in this turn is drawn from: the same turn asked again gives the same list."""
        return "|".join((self.user_id or "", intent.text, str(self.seed), *sorted(self.excluded)))

    def as_dict(self) -> dict[str, object]:
        """What is kept with a turn so that it can be asked again, beside its profile and intent."""
        return {
            "history": list(self.history),
            "n": self.n,
            "filters": [str(f) for f in self.filters],
            "strategy": self.strategy,
            "seed": self.seed,
            "excluded": sorted(self.excluded),
        }


def read_request(
    catalogue: Catalogue,
    settings: Settings,
    user_id: str | None = None,
    history: Sequence[str] | None = None,
    intent: str | Intent | None = None,
    n: int = 5,
    where: Where | None = None,
    strategy: Strategy = "score",
    seed: int | None = None,
    excluded: Iterable[str] = (),
) -> Request:
    """Check the arguments of `Agent.recommend`, which tells what they mean and which errors they can raise."""
    if isinstance(history, str):
        raise InputError(f"The history is a list of titles or ids; got one text: {history[:80]!r}. Put it in a list.")
    if not 1 <= n <= settings.max_n:
        raise InputError(f"A list has from 1 to {settings.max_n} items; got n = {n}.")
    if strategy not in ("score", "generate"):
        raise InputError(f'There is no strategy {strategy!r}; there are "score" and "generate".')
    if not len(catalogue):
        raise InputError("The catalogue of this workspace is empty. Import items with `vouchrec init --update`.")
    said = intent if isinstance(intent, Intent) else valid_unicode(intent or "")
    _check_leanings(said)
    check_message(said.text if isinstance(said, Intent) else said, settings)
    if isinstance(said, Intent):
        said = replace(
            said,
            likes=_resolved(said.likes, catalogue),
            dislikes=_resolved(said.dislikes, catalogue),
            filters=read_where(said.filters, catalogue),
            examples=_resolved((name for name in said.examples if name in said.likes), catalogue),
            met=_resolved((name for name in said.met if name in said.likes), catalogue),
            declined=_resolved((name for name in said.declined if name in said.dislikes), catalogue),
        )
    known = _resolved(history or (), catalogue)
    return Request(user_id, known, said, n, read_where(where, catalogue), strategy, seed, frozenset(excluded))


def _check_leanings(said: Intent | str) -> None:
    for name in ("habit", "exploration") if isinstance(said, Intent) else ():
        if not 0 <= getattr(said, name) <= 1:
            raise InputError(f"{name} goes from 0 to 1; got {getattr(said, name)!r}.")


def valid_unicode(text: str) -> str:
    """The text with lone surrogates replaced: no store and no tokenizer takes them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def check_message(text: str, settings: Settings) -> None:
    """InputError when a message is longer than is read."""
    if len(text) > settings.max_message_chars:
        limit = settings.max_message_chars
        raise InputError(f"The message has {len(text):,} characters; at most {limit:,} are read. Shorten it.")


def _resolved(names: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    return tuple(dict.fromkeys(catalogue.resolve(str(name)) for name in names))
