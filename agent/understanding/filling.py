"""From what a language model filled in to an intent: the same vocabulary, the same spelling, the same way to add up.

What the model writes is data: it can become conditions on attributes that exist, titles that exist and a few words of
wishes, and nothing else. What the catalogue does not know stays a wish, as in a message that is read by words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from agent.schema import Filter, Intent, Op
from agent.understanding.cues import FILLER
from agent.understanding.forgetting import forgotten
from agent.understanding.intent import follow_up, parse_intent
from agent.understanding.names import people_named, values_named
from agent.understanding.places import countries_said
from agent.understanding.slots import BOUNDS, Changes, UnfitAnswerError, read_changes
from agent.understanding.spelling import respelled
from agent.workspace.catalogue import Catalogue, phrase_key, title_key

_PLACE = re.compile(r"#\s*(\d{1,2})")
_WORD = re.compile(r"[\w'’&-]+")
_HABIT = {"more": 0.8, "less": 0.2}
_SURPRISE = {"yes": 0.5, "no": 0.0}
Value = tuple[str, str]  # an attribute and a value that it has in the catalogue


def filled(answer: str, text: str, before: Intent, shown: Sequence[str], catalogue: Catalogue) -> Intent:
    """The intent after a message for which a model filled in its changes.

    Args:
        answer: what the model wrote, a JSON object of `agent.understanding.slots.Changes`.
        text: the message.
        before: the intent before it.
        shown: ids of the list that was shown last, in its order.
        catalogue: what can be asked for.

    Raises:
        UnfitAnswerError: it is no such object, points outside the list, or contradicts itself.
    """
    said = read_changes(answer, catalogue)
    before = _without(before, said.forget, catalogue)
    likes, unknown = _titles(said.like, shown, catalogue)
    dislikes, unknown_against = _titles(said.unlike, shown, catalogue)
    filters, wished, refused = _word_filters(said, catalogue)
    told = parse_intent(text, catalogue)  # a model fills in what to go by; only words of liking make it a liking
    now = Intent(
        text=text.strip(),
        likes=likes,
        dislikes=dislikes,
        filters=(*_number_filters(said), *filters),
        wishes=_telling(" ".join((said.wishes, *wished, *unknown))),
        avoids=_telling(" ".join((said.avoids, *refused, *unknown_against))),
        n=said.count,
        examples=tuple(i for i in likes if i not in (*told.liked, *told.met)),
        met=tuple(i for i in likes if i in told.met),
    )
    _check(now, catalogue)
    after = follow_up(before, now)
    return replace(
        after,
        habit=_HABIT.get(said.usual, after.habit),
        exploration=_SURPRISE.get(said.surprise, after.exploration),
    )


def _without(before: Intent, phrases: Sequence[str], catalogue: Catalogue) -> Intent:
    """The intent without what the phrases name, read as the words "forget ..." of a person are."""
    for phrase in phrases:
        words = " ".join(_WORD.findall(phrase))
        if words:
            before, _ = forgotten(before, f"forget {words}", catalogue)
    return before


def _titles(said: Sequence[str], shown: Sequence[str], catalogue: Catalogue) -> tuple[tuple[str, ...], list[str]]:
    """Ids of the titles and places that were named, and the titles that the catalogue does not have."""
    found, unknown = list[str](), list[str]()
    for title in said:
        place = _PLACE.fullmatch(title.strip())
        if place is not None:
            if not 1 <= int(place[1]) <= len(shown):
                raise UnfitAnswerError(f"points at place {place[1]} of a list of {len(shown)}")
            found.append(shown[int(place[1]) - 1])
            continue
        spelt = respelled(f"like {title}", catalogue).removeprefix("like ")
        ids = catalogue.by_title.get(title_key(title), ()) or catalogue.by_title.get(title_key(spelt), ())
        (found if ids else unknown).append(ids[0] if ids else title)
    return tuple(dict.fromkeys(found)), unknown


def _word_filters(said: Changes, catalogue: Catalogue) -> tuple[list[Filter], list[str], list[str]]:
    """Conditions on words, and what the catalogue does not know of what is wanted and of what is turned down."""
    filters: list[Filter] = []
    wished, refused = list[str](), list[str]()
    for attribute, values in said.all_of.items():
        known, unknown = _known(attribute, values, catalogue)
        wished += unknown
        several = [name for name in known if catalogue.attribute_types[name] == "word" and len(known[name]) > 1]
        filters += [Filter(name, "in", known[name]) for name in several]  # an item has only one value of these
        filters += [Filter(name, "==", v) for name in known if name not in several for v in known[name]]
    for sign, attributes in (("in", said.one_of), ("not in", said.none_of)):
        for attribute, values in attributes.items():
            known, unknown = _known(attribute, values, catalogue)
            (wished if sign == "in" else refused).extend(unknown)
            filters += [_one_or_more(name, sign, found) for name, found in known.items()]
    return list(dict.fromkeys(filters)), wished, refused


def _one_or_more(attribute: str, sign: str, values: tuple[str, ...]) -> Filter:
    if len(values) > 1:
        return Filter(attribute, cast("Op", sign), values)
    return Filter(attribute, "==" if sign == "in" else "!=", values[0])


def _known(attribute: str, said: Sequence[str], catalogue: Catalogue) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The catalogue's values by attribute for what was said of one attribute, and what it does not know."""
    found: dict[str, dict[str, None]] = {}
    unknown = []
    for one in said:
        values = _meant(attribute, one, catalogue)
        for name, value in values:
            found.setdefault(name, {})[value] = None
        unknown += [] if values else [one]
    return {name: tuple(values) for name, values in found.items()}, unknown


def _meant(attribute: str, said: str, catalogue: Catalogue) -> list[Value]:
    """What a value means: of this attribute where it can, else of the only other one that has it; by name or surname.

    A surname of several people means nobody in particular, and so nothing.
    """
    if (exact := catalogue.vocabulary[attribute].get(said.strip().casefold())) is not None:
        return [(attribute, exact)]
    for form in dict.fromkeys((said, respelled(said, catalogue), respelled(f"by {said}", catalogue)[3:])):
        key = phrase_key(form)
        found: list[Value] = [(name, value) for name, value, _ in values_named(key, catalogue)]
        found = found or list(people_named(key, catalogue)) or list(countries_said(form, 0, len(form), catalogue))
        own = [v for v in found if v[0] == attribute]
        if own and len({phrase_key(value) for _, value in own}) > 1 and key in catalogue.surnames:
            return []
        if own or len({name for name, _ in found}) == 1:
            return own or found
    return []


def _number_filters(said: Changes) -> list[Filter]:
    return [
        Filter(attribute, op, int(value) if value.is_integer() else value)
        for field, op in BOUNDS.items()
        for attribute, value in getattr(said, field).items()
    ]


def _telling(text: str) -> str:
    """The words of a wish that carry one."""
    words = (word.strip("'’-") for word in _WORD.findall(text))
    return " ".join(dict.fromkeys(w for w in words if w and w.casefold() not in FILLER))


def _check(now: Intent, catalogue: Catalogue) -> None:
    """UnfitAnswerError where one answer wants and turns down the same, or bounds that nothing can meet."""
    both = [i for i in now.likes if i in now.dislikes]
    if both:
        raise UnfitAnswerError(f"both likes and turns down {catalogue.get(both[0]).title}")
    values = {
        sign: {(f.attribute, v) for f in now.filters if f.op in ops for v in _values(f)}
        for sign, ops in (("wanted", ("==", "in")), ("refused", ("!=", "not in")))
    }
    if both_values := values["wanted"] & values["refused"]:
        attribute, value = min(both_values, key=str)
        raise UnfitAnswerError(f"both wants and turns down {attribute} {value}")
    lows = {f.attribute: f.value for f in now.filters if f.op in (">=", ">")}
    for f in now.filters:
        low = lows.get(f.attribute)
        if f.op in ("<=", "<") and isinstance(low, int | float) and isinstance(f.value, int | float) and low > f.value:
            raise UnfitAnswerError(f"asks for {f.attribute} from {low:g} to {f.value:g}")


def _values(f: Filter) -> tuple[str | float | int, ...]:
    return f.value if isinstance(f.value, tuple) else (f.value,)
