from __future__ import annotations

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


def test_without_conditions_everything_was_seen():
    assert "seen already" in nothing_fits(Intent(), counted(ITEMS))


def test_nothing_helps():
    filters = (Filter("year", "==", 2000), Filter("genres", "==", "Opera"))
    assert nothing_fits(Intent(filters=filters), counted(ITEMS)) == (
        "Nothing fits all of: year 2000, genres Opera. Dropping one of them does not help: drop two or more, or ask "
        "for something else."
    )
    said = nothing_fits(Intent(filters=filters), counted(ITEMS), "zh")
    assert said.endswith("只去掉一项还是没有，请去掉两项以上，或换个要求。")
