"""What a message in Chinese points at in the last list: 为什么推荐第三个, 第一个不要, 像第三个那样.

Pure, as references.py is for English. A place of the list counts where a word right before or right after it says how
it is meant: 哈利波特第二部 is a title, and stays one. What a reference has understood, its cue too, is no wish.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.schema import Intent
from agent.understanding.chinese import parse_chinese
from agent.understanding.chinese_years import number
from agent.understanding.references import How, Reference
from agent.understanding.spans import blank
from agent.workspace.catalogue import Catalogue

_N = r"(?:\d{1,2}|[一二两三四五六七八九十]{1,3})"
_OF = r"(?:个|部|本|首|篇|款|件|张)(?:电影|影片|片子|书|歌|作品)?"
_PLACE = re.compile(rf"第\s*(?P<at>{_N})|(?P<side>前|最后|后)\s*(?P<several>{_N})|最后")
_JOIN = r"\s*(?:、|/|和|跟|与|及|以及|还有)\s*"
_ONE = rf"(?:第\s*{_N}|(?:前|最后|后)\s*{_N}|最后)"
_PLACES = re.compile(rf"(?:{_ONE}(?:{_OF})?{_JOIN})*{_ONE}\s*{_OF}")

_OPENS = r"(?:^|(?<=[,.!?;:…\s\n]))"
_BEGIN = re.compile(
    rf"{_OPENS}(?:那么?|但是?|不过|可是|而且|还有|另外|把|请|我|我们|我觉得|对|至于|其中|嗯|好|好的|列表里?的?|你推荐的)*\s*$"
)
_END = re.compile(r"\s*(?:吧|的|了|呢|啊|呀|谢谢)*\s*(?:$|(?=[,.!?;:…\n])|(?=\s|但|不过|可是|而|只是|再|还|也|更|和))")
_FROM = r"(?:(?:你|列表|上面|刚才|刚刚)(?:里|中)?(?:推荐|给)?的)?"  # 你推荐的第三个
_I = (
    r"(?:我们?|自己|也|很|最|更|还|都|就|挺|非常|特别|比较|真的|已经|早就|以前|之前|刚|觉得|看起来|听起来|有点"
    r"|实在)*"
)
_USED = r"(?:看|读|听|玩|用|买)"
_DISLIKES = r"(?:不太?喜欢|不太?爱(?:看|听|读)?|讨厌|受不了|反感)"
_LIKES = r"(?:喜欢(?:看|听|读)?|爱(?:看|听|读)|喜爱|最爱)"
_DECLINES = rf"(?:不要|不想要|不想{_USED}|不{_USED}|别|换掉|换走|去掉|删掉|删除|去除|拿掉|移除|排除|跳过)"
_BAD = (
    r"(?:不(?:怎么|太)?(?:好[看听]?|行|合适|感兴趣)|(?:太|很)?(?:无聊|难看|难听|烂|差)|没意思|没兴趣|[看听读]不下去"
    r"|太[^,.!?;]*)"
)
_GOOD = r"(?:好[看听]|不错|棒|精彩|有意思|有趣|感兴趣|很好|真好|(?:还|也)?可以)"
_ALIKE = (
    r"(?:(?:那样|这样|那种|这种|那么|一样|类似|差不多|相似|之类|这类|那类|同类)(?:型|风格)?|的?(?:风格|类型))"
    r"(?:的(?:电影|影片|片子|片|书|歌|作品)?)?"
)
_RECOMMEND = r"(?:再)?(?:给我|帮我)?(?:推荐|来|选|放|列)?"
_REST = r"[^,.!?;]*"
_WANTS = r"(?:想?要|想看|来|再来|推荐|给我|找|更多|多|一?些|一?点|几|一?[个部本首])*"
_ASKS = r"(?:为什么|为何|为啥|怎么|凭什么|干嘛)"

# How a place is meant, whether with feeling, and what says so before or after it; the first that holds counts.
_CUES: tuple[tuple[How, bool, str, str], ...] = (
    ("why", False, rf"(?:请问|你|那)*{_ASKS}(?:你|要|会|又|还|就|是|想|把|有|给我|推荐|选择?|列出?|放|了)*", _REST),
    ("why", False, r"(?:请|再|给我|跟我)*(?:说说|讲讲|聊聊|谈谈|解释|介绍|说明)(?:一下|下)?(?:推荐|选|你)*", _REST),
    ("why", False, r"(?:你?推荐|选)?", r"的(?:推荐)?(?:理由|原因)[^,.!?;]*"),
    ("why", False, "", rf"(?:你|又|是)*{_ASKS}[^,.!?;]*"),
    ("why", False, "", r"(?:讲|说|演|写|关于)?(?:的|了|是)*(?:什么|谁|哪)[^,.!?;]*"),
    ("why", False, "", r"(?:呢(?=\s*(?:\?|$))|(?:好[看听]|怎么样|如何|好不好)[^,.!?;]*(?:吗|\?))"),
    ("apart", False, rf"{_I}(?:没有?|未){_USED}过", ""),
    ("apart", False, "", rf"{_I}(?:还)?(?:没有?|未){_USED}过?"),
    ("against", True, rf"{_I}{_DISLIKES}", rf"(?:{_ALIKE})?"),
    ("against", True, "", rf"{_I}{_DISLIKES}"),
    ("against", False, rf"{_I}(?:请|可以)?{_DECLINES}{_RECOMMEND}(?:像|跟|和|类似于?)?", rf"(?:{_ALIKE})?"),
    ("against", False, "", rf"{_I}(?:请|可以|给我|帮我)?(?:{_DECLINES}|算了|免了|不考虑|不用)(?:推荐|掉)?"),
    ("against", False, "", r"(?:请|可以|给我|帮我)*换(?:成)?(?:一?[个部本首])?(?:别的|其他的?)?(?!成)"),
    ("against", True, "", rf"{_I}{_BAD}"),
    ("seen", False, rf"{_I}(?<!没)(?<!有){_USED}(?:过了?|完了?|了)", ""),
    ("seen", False, "", rf"{_I}{_USED}(?:过|完|了)"),
    ("like", True, rf"{_I}(?<!不){_LIKES}", rf"(?:{_ALIKE})?"),
    ("like", True, "", rf"{_I}{_LIKES}"),
    ("like", True, "", rf"{_I}{_GOOD}"),
    ("like", False, rf"{_WANTS}(?<![不好])(?:像|类似于?|参考)", rf"(?:{_ALIKE})?"),
    ("like", False, r"(?:和|跟|同|与)", _ALIKE),
    ("like", False, _WANTS, _ALIKE),
    ("like", False, rf"(?:我们?|就|那)*(?:选择?|想要?{_USED}|想要|就要|我要|就{_USED})", ""),
)  # fmt: skip
_READ = tuple(
    (how, felt, re.compile(rf"(?:{before}){_FROM}\s*$"), re.compile(rf"\s*{after}"), bool(before))
    for how, felt, before, after in _CUES
)
_VERDICT = re.compile(
    rf"(?:了|啦)?\s*[,.]?\s*(?:但是?|而且)?(?:(?P<bad>{_I}(?:{_DISLIKES}|{_BAD}))|{_I}(?:{_LIKES}|{_GOOD}))"
)

_REACH = 40  # letters before a place in which its cue stands


@dataclass(frozen=True, slots=True)
class ChineseReference(Reference):
    """text[start:end], its cue within it, means these items; `is_felt` where it is said that they are liked or not."""

    is_felt: bool = False


def find_chinese_references(text: str, shown: Sequence[str]) -> list[ChineseReference]:
    """All references of a message, in its order, in its NFKC form; their places do not overlap.

    Args:
        text: the message.
        shown: item ids of the last list, in its order; or the choices of the last question.
    """
    text = unicodedata.normalize("NFKC", text)
    found: list[ChineseReference] = []
    for match in _PLACES.finditer(text):
        begin = max(found[-1].end if found else 0, match.start() - _REACH)
        one = _read(text, begin, match)
        if one is not None:
            found.append(_meaning(one, match.group(), shown))
    return found


def intent_beside(text: str, references: Sequence[ChineseReference], catalogue: Catalogue) -> Intent:
    """What a message alone asks for: what its references say, and what the words beside them do."""
    said = unicodedata.normalize("NFKC", text)
    now = parse_chinese(blank(said, [(r.start, r.end) for r in references]), catalogue)
    likes = [(i, r.is_felt) for r in references if r.how == "like" for i in r.item_ids]
    against = [(i, r.is_felt) for r in references if r.how == "against" for i in r.item_ids]
    felt = {i for i, is_felt in likes if is_felt}
    return replace(
        now,
        text=text.strip(),
        likes=tuple(dict.fromkeys((*(i for i, _ in likes), *now.likes))),
        examples=tuple(i for i in dict.fromkeys((*(i for i, _ in likes), *now.examples)) if i not in felt),
        dislikes=tuple(dict.fromkeys((*(i for i, _ in against), *now.dislikes))),
        declined=tuple(dict.fromkeys(i for i, is_felt in against if not is_felt)),
    )


def _read(text: str, begin: int, match: re.Match[str]) -> ChineseReference | None:
    """How the places of the list that stand there are meant, as yet without items; None where nothing says it."""
    left = text[begin : match.start()]
    for how, felt, before, after, has_before in _READ:
        cue, told = before.search(left), after.match(text, match.end())
        if cue is None or told is None or not (cue.group() or told.group()):
            continue
        start, end = begin + cue.start(), told.end()
        if not has_before or not cue.group():
            opens = _BEGIN.search(left)
            if opens is None:
                continue
            start = begin + opens.start()
        if how == "seen":
            how, felt, end = _judged(text, end)
        stop = _END.match(text, end)
        if told.group() or stop is not None:
            return ChineseReference(start, stop.end() if stop else end, (), how, is_felt=felt)
    alone = not text[: match.start()].strip() and not re.search(r"\w", text[match.end() :].strip("吧的"))
    return ChineseReference(0, len(text), (), "like") if alone else None


def _judged(text: str, end: int) -> tuple[How, bool, int]:
    """How something that was seen is meant: liked or not, where a verdict follows."""
    verdict = _VERDICT.match(text, end)
    if verdict is None:
        return "seen", False, end
    return ("against" if verdict["bad"] else "like"), True, verdict.end()


def _meaning(one: ChineseReference, said: str, shown: Sequence[str]) -> ChineseReference:
    """The reference with the items of its places; unclear where the list has no such place."""
    places = [place for match in _PLACE.finditer(said) for place in _places(match, len(shown))]
    if places and all(1 <= place <= len(shown) for place in places):
        return replace(one, item_ids=tuple(dict.fromkeys(shown[place - 1] for place in places)))
    return replace(one, choices=tuple(shown), is_clear=False)


def _places(match: re.Match[str], n: int) -> range:
    """Places, from 1, that are meant in a list of n."""
    if match["at"]:
        at = number(match["at"])
        return range(at, at + 1)
    several = number(match["several"]) if match["several"] else 1
    return range(1, several + 1) if match["side"] == "前" else range(n - several + 1, n + 1)
