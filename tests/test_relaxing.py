from __future__ import annotations

import pytest
from conftest import films, open_small

from agent.schema import Filter, Intent, Item, matches
from agent.understanding.relaxing import nothing_fits

ITEMS = [
    Item(str(y), f"Film ({y})", "", {"year": y, "genres": ("War" if y < 1950 else "Comedy",)})
    for y in range(1940, 1960)
]


def counted(items):
    return lambda intent: sum(matches(item, intent.filters) for item in items)


def test_the_condition_that_opens_most_comes_first():
    filters = (Filter("year", ">=", 1951), Filter("year", "<=", 1952), Filter("genres", "==", "War"))
    assert nothing_fits(Intent(filters=filters), counted(ITEMS)) == (
        "Nothing fits all of: year 1951 to 1952, genres War. If you drop a condition: "
        "without the one on year there are 10; without the one on genres there are 2."
    )


def test_one_item_is_singular_and_long_lists_of_years_are_short():
    filters = (Filter("year", "not in", tuple(range(1941, 1970))), Filter("genres", "==", "Comedy"))
    said = nothing_fits(Intent(filters=filters), counted(ITEMS))
    assert "not year 1941 to 1969" in said
    assert said.endswith("without the one on year there are 10; without the one on genres there is 1.")


def test_a_condition_that_opens_nothing_is_not_offered():
    filters = (Filter("year", "==", 2000), Filter("genres", "==", "War"))
    said = nothing_fits(Intent(filters=filters), counted(ITEMS))
    assert "without the one on genres" not in said and "on year there are 10" in said


def test_without_conditions_everything_is_known():
    assert "was shown already or is known to you" in nothing_fits(Intent(), counted(ITEMS))


@pytest.mark.parametrize(
    ("asked", "more", "said"),
    [
        ("comedies", "more", "What fits all of these was shown already or is known to you: genres Comedy. If you drop "
         "a condition: without the one on genres there are 11."),
        ("科幻", "换一个", "同时符合这些条件的都推荐过，或者你已经知道了：类型是科幻。放宽一项试试：不限类型有10个。"),
    ],
)  # fmt: skip
def test_what_was_merely_shown_does_fit(small, asked, more, said):
    chat = small.conversation()
    assert chat.say(asked).recommendations
    reply = chat.say(more)
    assert not reply.recommendations and reply.message == said


def test_with_one_condition_there_are_no_two_to_drop(tmp_path):
    with open_small(tmp_path / "w") as agent:
        agent.remove_items([film.item_id for film in films() if film.item_id != "10"])
        chat = agent.conversation()
        chat.say("a drama")
        assert chat.say("more").message == (
            "What fits all of these was shown already or is known to you: genres Drama. Dropping it does not help: ask "
            "for something else."
        )


def test_nothing_helps():
    filters = (Filter("year", "==", 2000), Filter("genres", "==", "Opera"))
    assert nothing_fits(Intent(filters=filters), counted(ITEMS)) == (
        "Nothing fits all of: year 2000, genres Opera. Dropping one of them does not help: drop two or more, or ask "
        "for something else."
    )
    said = nothing_fits(Intent(filters=filters), counted(ITEMS), "zh")
    assert said.startswith("没有同时符合这些条件的：年份是2000、类型是Opera。")
    assert said.endswith("只去掉一项还是没有，请去掉两项以上，或换个要求。")
