"""Kinds, countries and nouns of the catalogue in the language of the page, as its parser reads them."""

from __future__ import annotations

from dataclasses import replace

from agent.schema import Item
from agent.understanding.chinese_words import KINDS_IN_CHINESE
from agent.understanding.texts import Language, value_name
from agent.workspace.roles import role_of
from ui.words import Words


def kind_said(value: str, words: Words) -> str:
    """A value that says of what kind an item is; itself where it has no name in this language."""
    return KINDS_IN_CHINESE.get(value.casefold(), value) if words.language == "zh" else value


def item_said(item: Item, words: Words) -> Item:
    """The item with its kinds and countries in this language."""
    language: Language = "zh" if words.language == "zh" else "en"
    named = {
        name: tuple(value_name(value, name, language) for value in item.words(name))
        for name in item.attributes
        if role_of(name) in ("kind", "place")
    }
    return replace(item, attributes={**item.attributes, **named})


def things(noun: str, words: Words) -> str:
    """The noun for several of its kind."""
    return words.said.get(f"things.{noun}") or _plural(noun)


def three(noun: str, words: Words) -> str:
    """Three, before items of this noun: Chinese counts each kind of thing by a word of its own."""
    return words.said.get(f"three.{noun}") or words("three.item")


def _plural(noun: str) -> str:
    return noun if noun.endswith("s") or not noun.isascii() else f"{noun}s"
