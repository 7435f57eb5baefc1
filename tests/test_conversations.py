"""Written conversations, over all of which at least 95% of the turns are understood as a person would."""

from __future__ import annotations

from written import cases, play

CASES = cases()


def test_the_cases_are_many_and_each_has_its_name():
    names = [case["name"] for case in CASES]
    assert len(names) >= 200 and len(set(names)) == len(names)
    assert sum(len(case["turns"]) > 1 for case in CASES) >= 150
    assert {case.get("catalogue", "films") for case in CASES} == {"films", "shop", "books"}


def test_conversations_are_understood():
    played = [turn for case in CASES for turn in play(case)]
    failed = [turn for turn in played if not turn.agrees]
    assert len(failed) <= 0.05 * len(played), f"{len(failed)} of {len(played)} turns:\n" + "\n".join(map(str, failed))
