"""What a phrase is a name of: values of the catalogue by their own name, or by another name of the same thing."""

from __future__ import annotations

from collections.abc import Iterator

from agent.understanding.places import STARTS as PLACE_STARTS
from agent.workspace.catalogue import Catalogue

# Names of one thing: any of them stands for the one that a catalogue has as a value.
_SAME = (
    ("sci fi", "scifi", "science fiction"),
    ("film noir", "noir"),
    ("animation", "animated", "cartoon"),
    ("romance", "romantic"),
    ("comedy", "comedic"),
    ("horror", "scary movie", "scary film", "horror movie"),
    ("children s", "children", "childrens", "kids", "family", "for kids", "for children", "for the whole family",
     "kids movie", "kids film", "kid s movie", "children s film", "children s movie", "family film", "family movie"),
)  # fmt: skip
# Such a name asks for the thing only as it stands in a catalogue: "a drama about a family" is none for children.
_ONLY_AS_VALUE = frozenset(("children", "kids", "family"))
_SEVERAL = {"rom com": ("romance", "comedy"), "romcom": ("romance", "comedy"), "dramedy": ("drama", "comedy")}
_NAMES = {name: group for group in _SAME for name in group if name not in _ONLY_AS_VALUE}
OTHER_NAMES = frozenset((*_NAMES, *_SEVERAL))
_STARTS = {key.split()[0] for key in (*_NAMES, *_SEVERAL)} | PLACE_STARTS
_LONGEST_NAME = 4


def singulars(key: str) -> list[str]:
    """The phrase itself, and what it may be the plural of."""
    forms = [key]
    if key.endswith("s") and not key.endswith("ss") and len(key) > 3:
        forms += [key[:-3] + "y"] if key.endswith("ies") else []
        forms += [key[:-1]] + ([key[:-2]] if key.endswith("es") else [])
    return forms


def plurals(key: str) -> list[str]:
    """What a catalogue may call the things of which a phrase names one: "Tents", "Sleeping Bags"."""
    return [] if len(key) < 3 or key.endswith("s") else [key + "s", key + "es", key[:-1] + "ies"]


def values_named(key: str, catalogue: Catalogue) -> Iterator[tuple[str, str, bool]]:
    """(attribute, value, said in the plural) for a phrase, by its own name or another name of the same thing."""
    for form in (*singulars(key), *plurals(key)):
        meant = _SEVERAL.get(form, (form,))
        names = [(form,)] if form in catalogue.phrases else [_NAMES.get(m, (m,)) for m in meant]
        found = [v for group in names for name in group for v in catalogue.phrases.get(name, ())]
        if found:
            yield from ((attribute, value, len(form) < len(key)) for attribute, value in dict.fromkeys(found))
            return


def all_at_once(key: str) -> bool:
    """Whether a phrase names several things that are all meant: "rom com"."""
    return any(form in _SEVERAL for form in singulars(key))


def longest_name(key: str, catalogue: Catalogue) -> int:
    """How many words the longest name has that begins with the first word of a phrase."""
    first = key.split()[0] if key else ""
    forms = [*singulars(first), *plurals(first)] if first else []
    return max(
        (
            max(catalogue.phrase_starts.get(f, 0), catalogue.surname_starts.get(f, 0), _LONGEST_NAME * (f in _STARTS))
            for f in forms
        ),
        default=0,
    )


def people_named(key: str, catalogue: Catalogue) -> tuple[tuple[str, str], ...]:
    """(attribute, value) of the people with this name, or with this surname."""
    whole = tuple(v for v in catalogue.phrases.get(key, ()) if v in catalogue.surnames.get(key.split()[-1], ()))
    return whole or catalogue.surnames.get(key, ()) if key else ()
