from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written import catalogue

from agent.understanding.spelling import is_close, respelled

FILMS = catalogue("films")
KINDS = "comedy thriller western documentary animation mystery romance adventure musical fantasy".split()
# Correct words one or two slips away from a genre, a name or a title of the catalogue.
ENGLISH = (
    "comely chime crimp auction mastery mystic fantasia romances thrilled hunter stone carpenter waters drams horrors "
    "westerly wester actions musically musicals warm worn dramatic animate adventurer remedy familiar alien ghosts "
    "casino speedy scream fargo congo heated twisters fights clubs seventh seven lambs silent silence matrix professor"
).split()


@pytest.mark.parametrize(
    ("said", "meant"),
    {
        "a comdy": "a comedy",
        "no horor": "no horror",
        "westren": "western",
        "by speilberg": "by spielberg",
        "with arnold schwarzeneger": "with arnold schwarzenegger",
        "I loved Pulp Ficton": "I loved Pulp Fiction",
        "like the silence of the lams": "like the silence of the lambs",
        "the secnd": "the second",
        "science ficton": "science fiction",
    }.items(),
)
def test_a_slip_is_put_right(said, meant):
    assert respelled(said, FILMS) == meant


@pytest.mark.parametrize("frame", ["{}", "something {} please", "with {}", "like {}", "a film about {}"])
def test_a_correct_english_word_never_becomes_a_name(frame):
    assert [w for w in ENGLISH if respelled(frame.format(w), FILMS) != frame.format(w)] == []


def test_correct_sentences_stay_as_they_are():
    texts = [item.text.split(" Themes:")[0] for item in FILMS.items]
    changed = [text for text in texts if respelled(text, FILMS) != text]
    assert len(changed) <= 0.002 * len(texts), changed


@given(st.sampled_from(KINDS), st.integers(1, 20))
def test_a_genre_with_one_letter_left_out_is_found_or_left(kind, place):
    at = 1 + place % (len(kind) - 1)
    said = kind[:at] + kind[at + 1 :]
    assert respelled(said, FILMS) in (kind, kind + "s", said)


def test_short_words_are_never_close():
    assert not is_close("heat", "head") and is_close("fargoo", "fargo") and not is_close("fargo", "fargo")
