"""Changes of the catalogue while it serves: all of a change is checked first, and then stored, or nothing is.

An attribute that the catalogue has not met is declared by its values: numbers, words, or lists of words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from agent.errors import InputError, UnknownItemError
from agent.schema import AttributeType, AttributeValue, Item
from agent.workspace.conditions import metadata
from agent.workspace.store import Store


def add(store: Store, items: Iterable[Item]) -> int:
    """Store new items; returns how many. InputError where an id is taken, given twice, or a value has a wrong type."""
    given, held = _plain(items), {item.item_id for item in store.items()}
    taken = [item.item_id for item in given if item.item_id in held]
    if taken:
        raise InputError(f"There is an item {taken[0]!r} already. Use update_items to change it, or give another id.")
    return _put(store, given)


def update(store: Store, items: Iterable[Item]) -> int:
    """Put items in the place of those with their ids; returns how many. UnknownItemError, InputError as in `add`."""
    given, held = _plain(items), {item.item_id for item in store.items()}
    for item in given:
        if item.item_id not in held:
            raise UnknownItemError(item.item_id)
    return _put(store, given)


def remove(store: Store, item_ids: Iterable[str]) -> int:
    """Remove items, and what people did with them; returns how many. UnknownItemError where there is no such item."""
    if isinstance(item_ids, str):
        raise InputError(f"Items are removed by a list of ids; got one text: {item_ids[:80]!r}. Put it in a list.")
    ids, held = tuple(dict.fromkeys(item_ids)), {item.item_id for item in store.items()}
    for item_id in ids:
        if item_id not in held:
            raise UnknownItemError(str(item_id))
    return store.remove_items(ids)


def _plain(items: Iterable[Item]) -> list[Item]:
    given = list(items)
    wrong = next((item for item in given if not isinstance(item, Item)), None)
    if wrong is not None:
        raise InputError(f"Expected a list of agent.Item; got {str(wrong)[:80]!r} in it.")
    twice = [item_id for item_id, count in Counter(item.item_id for item in given).items() if count > 1]
    if twice:
        raise InputError(f"Ids must be given once each; got {twice[0]!r} more than once.")
    return [replace(item, attributes={n: _value(v) for n, v in item.attributes.items()}) for item in given]


def _value(value: AttributeValue | list[str]) -> AttributeValue:
    return tuple(value) if isinstance(value, list) else value


def _put(store: Store, items: list[Item]) -> int:
    known = store.attribute_types()
    types = {**_types_of(items), **known}
    for item in items:
        metadata(item.item_id, item.attributes, types)
    count = store.put_items(items)
    if types != known:
        store.put_attribute_types(types)
    return count


def _types_of(items: Iterable[Item]) -> Mapping[str, AttributeType]:
    """What each attribute is by its first value; one that is neither is found out where all are checked."""
    found: dict[str, AttributeType] = {}
    for item in items:
        for name, value in item.attributes.items():
            found.setdefault(
                name, "list" if isinstance(value, tuple) else "word" if isinstance(value, str) else "number"
            )
    return found
