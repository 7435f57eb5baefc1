"""Reasons in Chinese: plain sentences, computed from the evidence and never written by a model.

The checker reads English, and the embedded model writes no Chinese; so a Chinese reason says what was computed, every
title of it as it stands in the evidence and every kind by its Chinese name if it has one, and nothing else.
"""

from __future__ import annotations

from collections.abc import Generator as PyGenerator
from collections.abc import Sequence

from agent.generation.cleaning import clean_title
from agent.justification.bounds import in_chinese, is_decade
from agent.justification.further import MOST
from agent.justification.phrasing import Phrased
from agent.justification.planning import Plan
from agent.justification.themes import THEMES
from agent.justification.wording import is_year, spoken, verb_of
from agent.schema import Evidence, Item, Recommendation
from agent.understanding.texts import attribute_name, value_name
from agent.workspace.catalogue import YEAR_SUFFIX, Catalogue

_DID = {"watched": "看过", "read": "读过", "played": "听过", "heard": "听过", "bought": "买过", "visited": "去过"}
_NOUNS = {"电影": "看过", "剧集": "看过", "书": "读过", "文章": "读过", "歌曲": "听过", "音乐": "听过", "商品": "买过"}


def phrase_in_chinese(plans: Sequence[Plan], noun: str, catalogue: Catalogue) -> PyGenerator[Phrased]:
    """One reason a plan, in the order of the plans; a year that was asked for is said once."""
    for row, plan in enumerate(plans):
        lead, *others = plan.facts[:2]
        if lead.kind == "constraint" and is_year(lead.attribute or "") and others and others[0].kind == "property":
            kind = _stated(others[0], plan.item, dated=False)
            said = f"{sentence(lead, plan.item, noun, catalogue)}{kind}{'。' * bool(kind)}"
        else:
            said = "".join(dict.fromkeys(sentence(fact, plan.item, noun, catalogue) for fact in plan.facts[:2]))
        yield Phrased(row, said, "plain", plan.facts)


def sentence(evidence: Evidence, item: Item, noun: str, catalogue: Catalogue) -> str:
    """A piece of evidence of an item as one sentence in Chinese."""
    other = _titled(catalogue.get(evidence.item_ids[0]).title) if evidence.item_ids else ""
    match evidence.kind:
        case "constraint" | "wish":
            return _answer(evidence, item)
        case "example":
            return f"和你提到的{other}一样，{_stated(evidence, item)}。"
        case "feedback":
            return f"和你在这里说喜欢的{other}一样，{_stated(evidence, item)}。"
        case "liked":
            return f"和你喜欢的{other}一样，{_stated(evidence, item)}。"
        case "watched":
            did = _NOUNS.get(noun) or _DID.get(verb_of(noun), "选过")
            return f"和你{did}的{other}一样，{_stated(evidence, item)}。"
        case "behaviour":
            return f"喜欢{other}的另外{evidence.total}人里，有{evidence.count}人也喜欢它。"
        case "popular":
            return f"这里的{evidence.total}人里，有{evidence.count}人选过它。"
        case "property":
            return f"{_stated(evidence, item)}。"
    return _nearest(evidence)


def unsaid_in_chinese(one: Recommendation, noun: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Up to MOST sentences of its evidence that say nothing of what the reason says, in either language, nor twice."""
    told = one.justification.casefold()
    found: list[str] = []
    known = (e for e in one.evidence if all(i in catalogue.position for i in e.item_ids))
    for fact in sorted(known, key=lambda e: e.kind == "property"):
        said = sentence(fact, one.item, noun, catalogue)
        names = {spoken(value, fact.attribute or "") for value in fact.values}
        names |= {value_name(value, fact.attribute or "", "zh") for value in fact.values}
        names |= {YEAR_SUFFIX.sub("", catalogue.get(i).title) for i in fact.item_ids}
        if said.strip("。").casefold() in told or any(name.casefold() in told for name in names):
            continue
        found.append(said)
        told += said.casefold()
        if len(found) == MOST:
            break
    return tuple(found)


def _answer(evidence: Evidence, item: Item) -> str:
    """What answers the request: a condition that is met, words that are found, a kind for a word of mood."""
    attribute, said = evidence.attribute or "", evidence.said
    if evidence.negated:
        return f"如你所说，{attribute_name(attribute, 'zh')}里没有{_values(evidence)}。"
    if evidence.kind == "constraint" and said and not is_decade(said):
        return f"{_stated(evidence, item)}，{in_chinese(said, '年' * is_year(attribute))}，符合你的要求。"
    if evidence.kind == "constraint" and said:
        return f"{evidence.values[0]}年的作品，在你要的{said.removesuffix('s')}年代之内。"
    if evidence.kind == "constraint":
        return f"符合你的要求：{_stated(evidence, item)}。"
    if said:
        words = "、".join(f"“{word}”" for word in said.split())
        return f"你说{words}，它的{attribute_name(attribute, 'zh')}是{_values(evidence)}。"
    return f"{'主题' if attribute == THEMES else '简介'}里有你说的{_values(evidence)}。"


def _nearest(evidence: Evidence) -> str:
    if "request" in evidence.source:
        return "它的简介是与你的请求最接近的之一。"
    if evidence.count is not None:
        return f"有{evidence.count}人选过它。"
    return "它与你的历史最接近。" if "history" in evidence.source else "目录里有它，别的还不知道。"


def _stated(evidence: Evidence, item: Item, *, dated: bool = True) -> str:
    """What the values say of the item: 类型是剧情、爱情，1993年; without the year where it is not to be `dated`."""
    attribute, values = evidence.attribute or "", list(evidence.values)
    if is_year(attribute):
        return f"{values[0]}年的作品"
    known = {f"{v:g}" for name, v in item.attributes.items() if is_year(name) and isinstance(v, int | float)}
    has_year = evidence.kind == "property" and values and values[-1] in known
    when = f"{values.pop()}年" * dated if has_year else ""
    if attribute == THEMES:
        return f"主题有{'、'.join(f'“{value}”' for value in values)}"
    said = f"{attribute_name(attribute, 'zh')}是{_listed(values, attribute)}" if values else ""
    return "，".join(filter(None, (said, when)))


def _values(evidence: Evidence) -> str:
    if evidence.kind == "wish" and not evidence.said:
        return "、".join(f"“{value}”" for value in evidence.values)
    return _listed(evidence.values, evidence.attribute or "")


def _listed(values: Sequence[str], attribute: str) -> str:
    named = (value_name(value, attribute, "zh") for value in values)
    return "、".join(spoken(value, attribute).removeprefix("the ") for value in named)


def _titled(title: str) -> str:
    """A title in its marks, the year behind them: 《活着》(1994)."""
    said = clean_title(title)
    year = YEAR_SUFFIX.search(said)
    bare = YEAR_SUFFIX.sub("", said).replace("《", "〈").replace("》", "〉")
    return f"《{bare}》" + (f"({year[1]})" if year else "")
