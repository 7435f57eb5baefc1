"""What the agent itself says around a list, in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from agent.schema import Filter, Intent, Profile
from agent.understanding.chinese import is_chinese
from agent.understanding.chinese_words import KINDS_IN_CHINESE
from agent.workspace.catalogue import Catalogue
from agent.workspace.roles import is_year, role_of

Language = Literal["en", "zh"]

TEXTS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "new": "I know nothing of you yet, so this goes by the request and by what others chose.",
        "popular": "Nothing was said or is known yet, so what most people chose comes first.",
        "new alone": "I know nothing of you yet, so this goes by the request alone.",
        "some": "Nothing was said or is known yet, so this is only some of what there is.",
        "few": "Only {found} of the {n} wished for fit.",
        "all known": "Nothing is left to recommend: every item of this catalogue was shown already or is known to you.",
        "nothing fits": "Nothing fits all of: {conditions}.",
        "nothing new fits": "What fits all of these was shown already or is known to you: {conditions}.",
        "drop one": "If you drop a condition: {hint}.",
        "drop more": "Dropping one of them does not help: drop two or more, or ask for something else.",
        "drop none": "Dropping it does not help: ask for something else.",
        "opens": "without the one on {attribute} there {verb} {found:,}",
        "noise": "I do not know the word {words}, so it does not count.",
        "no length": "No lengths are known here, so that part does not count.",
        "mostly unknown": "“{attribute}” is known of only {known:,} of {total:,}; the others are left out.",
        "weak": "Nothing here mentions {words}, so this is merely what comes nearest: {advice}.",
        "weak within": "Nothing that meets all conditions mentions {words}, so this is merely what comes nearest: "
        "{advice}.",
        "say otherwise": "if it does not fit, say it in other words",
        "nearer": "without the condition on {attribute} something is nearer",
        "which": "Which {noun} of the list do you mean?",
        "which at all": "There is no list yet. Which {noun} do you mean, or what do you feel like?",
        "which of": "Which one do you mean: {names}?",
        "reasons of": "{title}: {facts}",
        "no more": "The reason beside it is all that is known to speak for it.",
        "scored": "Of {n} candidates it is number {final} by score: number {retrieval} by retrieval and {model} by the "
        "language model.",
        "varied": "Variety made it number {rank} of the list.",
        "it again": "Here it is again.",
        "they again": "Here they are again.",
        "or": " or ",
        "comma": ", ",
        "semicolon": "; ",
        "space": " ",
    },
    "zh": {
        "new": "我还不了解你，所以先按你的请求和其他人的选择来推荐。",
        "popular": "你还没有说想要什么，所以先推荐最多人选择的。",
        "new alone": "我还不了解你，所以只按你的请求来推荐。",
        "some": "你还没有说想要什么，所以先随意推荐几个。",
        "few": "想要{n}个，只有{found}个符合。",
        "all known": "没有可以推荐的了：这里的作品都推荐过，或者你已经知道了。",
        "nothing fits": "没有同时符合这些条件的：{conditions}。",
        "nothing new fits": "同时符合这些条件的都推荐过，或者你已经知道了：{conditions}。",
        "drop one": "放宽一项试试：{hint}。",
        "drop more": "只去掉一项还是没有，请去掉两项以上，或换个要求。",
        "drop none": "去掉它也没有，请换个要求。",
        "opens": "不限{attribute}有{found}个",
        "noise": "我不认识{words}，所以没有算进去。",
        "no length": "这里的资料没有长度，所以这一点没有算进去。",
        "mostly unknown": "{total}个里只有{known}个注明了{attribute}，其余的没有列入。",
        "weak": "这里的资料没有提到{words}，下面只是最接近的：{advice}。",
        "weak within": "符合条件的资料里没有提到{words}，下面只是最接近的：{advice}。",
        "say otherwise": "不合适的话，换个说法，或者用资料的语言说",
        "nearer": "不限{attribute}就有更接近的",
        "which": "你指的是列表里的哪一个？",
        "which at all": "还没有列表。你指的是哪一个，或者想要什么样的？",
        "which of": "你指的是哪一个：{names}？",
        "reasons of": "{title}：{facts}",
        "no more": "旁边的理由就是目前知道的全部。",
        "scored": "它在{n}个候选里总分排第{final}：按检索排第{retrieval}，按语言模型排第{model}。",
        "varied": "为了多样，它在列表里排第{rank}。",
        "it again": "再给你看一次。",
        "they again": "再给你看一次这些。",
        "or": "或",
        "comma": "、",
        "semicolon": "；",
        "space": "",
    },
}
_CHINESE_ROLES = {
    "kind": "类型", "directed": "导演", "written": "作者", "stars": "主演", "place": "国家", "language": "语言",
    "by": "作者",
}  # fmt: skip
_SIGNS = {">=": "至少", "<=": "至多", ">": "高于", "<": "低于"}
_YEAR_SIGNS = {">=": "不早于", "<=": "不晚于", ">": "晚于", "<": "早于"}


def language_of(text: str, catalogue: Catalogue) -> Language | None:
    """That of a message; None for one without letters."""
    if is_chinese(text, catalogue):
        return "zh"
    return "en" if any(c.isalpha() for c in text) else None


def attribute_name(attribute: str, language: Language) -> str:
    """What an attribute is called; one without a Chinese name keeps its own."""
    if language == "en":
        return attribute
    return "年份" if is_year(attribute) else _CHINESE_ROLES.get(role_of(attribute), attribute)


def value_name(value: str, attribute: str, language: Language) -> str:
    """What a value is called: a kind in Chinese, where it is one of an English catalogue that has a name there."""
    is_named = language == "zh" and role_of(attribute) in ("kind", "place")
    return KINDS_IN_CHINESE.get(value.casefold(), value) if is_named else value


def greeting(
    profile: Profile,
    intent: Intent,
    later: bool,
    found: int,
    n: int,
    language: Language = "en",
    *,
    is_chosen: bool = True,
) -> str:
    """What is said above a list of `found` items where `n` were wished for; `later` in a conversation less.

    `is_chosen` says whether anybody chose anything in this catalogue.
    """
    texts, said = TEXTS[language], []
    is_bare = not profile.history and intent.is_empty
    # Said once: in a later turn of a conversation there are items that must not come again.
    is_new = profile.user_id is not None and not (profile.history or profile.seen or intent.likes or later)
    if is_new and (is_chosen or not is_bare):
        said.append(texts["new" if is_chosen else "new alone"])
    elif is_bare:
        said.append(texts["popular" if is_chosen else "some"])
    if found < n:
        said.append(texts["few"].format(found=found, n=n))
    return texts["space"].join(said)


def conditions_in_chinese(filters: Sequence[Filter]) -> list[str]:
    """Each condition in Chinese; a lower and an upper bound on one attribute are one."""
    parts = []
    highs = {f.attribute: f for f in filters if f.op == "<="}
    lows = {f.attribute for f in filters if f.op == ">="}
    for f in filters:
        name, said = attribute_name(f.attribute, "zh"), _said(f.attribute, f.value)
        if f.op == ">=" and f.attribute in highs:
            high = _said(f.attribute, highs[f.attribute].value)
            parts.append(f"{name}{said}" if said == high else f"{name}{said}到{high}")
        elif f.op == "<=" and f.attribute in lows:
            continue
        elif f.op in ("!=", "not in"):
            parts.append(f"{name}不是{said}")
        else:
            signs = _YEAR_SIGNS if is_year(f.attribute) else _SIGNS
            parts.append(f"{name}{signs.get(f.op, '是')}{said}")
    return parts


def _said(attribute: str, value: object) -> str:
    values = value if isinstance(value, tuple) else (value,)
    if len(values) > 2 and all(isinstance(v, int) for v in values) and values[-1] - values[0] == len(values) - 1:
        return f"{values[0]}到{values[-1]}"
    return "或".join(f"{v:g}" if isinstance(v, float) else value_name(str(v), attribute, "zh") for v in values)
