"""What each thing that is known or was asked for did to an item of a list, as bars with their figures in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.buttons import chip
from ui.why import text
from ui.words import ENGLISH, Words

if TYPE_CHECKING:
    from agent.explaining.explanation import Explanation
    from agent.explaining.sensitivity import Influence

SHOWN = 8
SLIGHT = 0.0005  # of a score: less is not drawn


def button(item_id: str, title: str, words: Words = ENGLISH) -> str:
    """What asks for the bars of an item: they are computed only then."""
    return chip("sway", words("sway.ask"), spoken=words("sway.of", title=title), item=item_id)


def chart(found: Explanation, model_counts: bool, words: Words = ENGLISH) -> str:
    """A bar for each of the things that did most, named, with what it gave and what place the item had without it."""
    place = found.standing.place
    telling = [one for one in found.influences if abs(one.change) >= SLIGHT or one.without.place != place]
    telling.sort(key=lambda one: (-abs(one.change), -abs(one.without.place - place)))
    shown = sorted(telling[:SHOWN], key=lambda one: -one.change)
    left = len(found.influences) - len(shown) + found.untried
    if not shown:
        return f'<p class="vr-sway">{text(words("sway.nothing"))}</p>'
    most, least = (max(0.0, *(sign * one.change for one in shown)) for sign in (1, -1))
    rows = "".join(_row(one, place, most, least, words) for one in shown)
    rest = words("sway.one") if left == 1 else words("sway.rest", n=left) if left else ""
    about = words("sway.about", score=f"{found.standing.score:.3f}", title=found.item.title)
    about += f" {_counted(found, model_counts, words)}"
    thing, gave, then = (f'<th scope="col">{text(words(f"sway.{head}"))}</th>' for head in ("thing", "gave", "place"))
    return (
        f'<div class="vr-sway"><p>{text(about)}</p><table><caption>{text(words("sway.title"))}</caption>'
        f"<thead><tr>{thing}<td></td>{gave}{then}</tr></thead><tbody>{rows}</tbody></table>"
        f"{f'<p>{text(rest)}</p>' if rest else ''}</div>"
    )


def _counted(found: Explanation, model_counts: bool, words: Words) -> str:
    """Which places are counted here, beside that in the list: they differ by what comes after retrieval."""
    where = {"number": found.standing.place, "allowed": found.allowed, "place": found.place, "listed": found.listed}
    if found.place is None:
        return words("sway.counted_out", **where)
    return words("sway.counted_model" if model_counts else "sway.counted", **where)


def _row(one: Influence, place: int, most: float, least: float, words: Words) -> str:
    whole = one.kind in ("wish", "avoid") and " " in one.name  # beside the bars of its words
    kind = words(f"sway.{one.kind}_whole" if whole else f"sway.{one.kind}")
    kind = words("sway.cited", kind=kind) if one.cited else kind
    then = one.without.place
    told = words("sway.same", place=place) if then == place else words("sway.then", then=then, place=place)
    return (
        f'<tr><th scope="row" dir="auto">{text(one.name)} <span>{text(kind)}</span></th>'
        f'<td class="vr-bar" aria-hidden="true">{_bar(one.change, most, least)}</td>'
        f"<td>{_signed(one.change)}</td><td>{text(told)}</td></tr>"
    )


def _bar(change: float, most: float, least: float) -> str:
    """The bar from the line of nothing on, where the largest lift and the largest setback fill the room together."""
    unit = 100.0 / ((most + least) or 1.0)
    origin = least * unit
    width = max(1.0, abs(change) * unit) if abs(change) >= SLIGHT else 0.0
    start = max(0.0, origin - width) if change < 0 else min(origin, 100.0 - width)
    kind = ' class="vr-less"' if change < 0 else ""
    line = f'<i style="left:{origin:.1f}%"></i>' if least else ""
    return f'<div>{line}<span{kind} style="left:{start:.1f}%;width:{width:.1f}%"></span></div>'


def _signed(change: float) -> str:
    return f"{round(change, 3) + 0.0:+.3f}".replace("-", "−").replace("+0.000", "0")
