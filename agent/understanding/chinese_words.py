"""Small words of Chinese messages: cues, what only looks like one, filler, kinds and moods. Data alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Cue = Literal[
    "against", "lacking", "less", "also", "open", "except", "back", "turn", "like", "alike", "bad", "unseen", ""
]  # fmt: skip
# against: what follows is turned down, up to the end of the clause.      不要恐怖片
# lacking: the same up to 的, for it describes what is wanted.            没有暴力的动作片
# less: unwelcome, not forbidden; up to 的 too.                           不要太沉重的
# also: not only this, a wish.    open: this or not.                      不只是喜剧 / 不介意恐怖片
# except: turned down up to 以外 or the end of the clause.                除了恐怖片以外
# back: what stands before it in the clause is turned down.               恐怖片就算了
# turn: from here on something is wanted.                                 但是、只要
# like, alike: before and after a title that is meant as one.             像活着一样
# bad: the title before it was no pleasure.   unseen: the one after it is not known yet.
# "": looks like a cue and is none.

_CUES: Mapping[Cue, str] = {
    "against": (
        "不要 不想要 不想看 不想读 不想听 不想买 不想 不喜欢 不爱看 不爱听 不爱 不看 不读 不听 不要推荐 "
        "不要再推荐 别再推荐 不要给我 别给我 别推荐 别来 别 没兴趣看 讨厌 最讨厌 拒绝 避免 避开 排除 去掉 "
        "不包括 不需要 受不了 看腻了 听腻了 厌倦 反感 不能接受 换掉"
    ),
    "lacking": "没有 没 不是 不 不含 不带 不涉及 无 非",
    "less": (
        "不太 不那么 不要太 不要那么 别太 别那么 不想太 没那么 不怎么 少一点 少一些 少点 不太喜欢 "
        "不太想看 不是很"
    ),
    "also": "不只 不只是 不仅 不仅是 不仅仅 不光 不光是 不但 不一定 不一定要 不必",
    "open": "不介意 不在乎 不反对 无所谓 不讨厌",
    "except": "除了 除去 除开",
    "back": "除外 就算了 算了 免了 免谈 不行 不考虑 就不要了 就不用了 不用了 不要了",
    "turn": (
        "但是 但 不过 可是 而是 只要 只想看 只想要 只看 我要 还要 就要 想要 想看 想看点 想看些 想读 想听 "
        "想听点 想买 要看 要有 换成 改成 最好 希望 还想看 来点 来部 来一 来几 来两 来三 来个 给我 请推荐 "
        "求推荐 更想 更喜欢"
    ),
    "like": (
        "喜欢 很喜欢 最喜欢 喜欢看 爱看 最爱 喜爱 看过 看了 刚看完 看完 读过 读了 听过 听了 买过 买了 像 "
        "类似 类似于 类似的 跟 和 同 比如 例如"
    ),
    "alike": (
        "一样 那样 这样 那种 这种 类似 差不多 之类 风格 同类 同款 这部 那部 这本 那本 这首 那首 很好看 "
        "很棒 真好"
    ),
    "bad": "太无聊 很无聊 无聊 太烂 很烂 不好看 不好 难看 太差 很差 没意思 看不下去 让我失望",
    "unseen": "没看过 还没看过 没看 还没看 没读过 没听过 从没看过 未看过",
    "": (
        "有没有 是不是 要不要 能不能 可不可以 好不好 行不行 不错 不管 不限 不论 没关系 没事 没问题 特别 "
        "别的 别人 别墅 级别 类别 分别 性别 告别 区别 识别 离别 不同 不一样 不知道 不确定 没想好 无论 "
        "无间 无限 无敌 不好意思 不得不 非常 非洲 除非 是非 并非 没有看过 沉没 淹没 好像 偶像 想像 图像 "
        "偶尔 和平 温和 和谐 同时 同性 同学 跟随 共同 不朽 不可思议 不凡"
    ),
}  # fmt: skip
CUES: Mapping[str, Cue] = {word: cue for cue, words in _CUES.items() for word in words.split()}
BEFORE_A_TITLE = tuple(" ".join((_CUES["like"], _CUES["unseen"], _CUES["against"], _CUES["except"])).split())
AFTER_A_TITLE = tuple(" ".join((_CUES["alike"], _CUES["bad"])).split())
ONLY_BEFORE_A_VALUE = frozenset("无 非 没 不".split())  # short cues that begin many words
SOME_WORDS = frozenset("和 跟 同".split())  # "and" too: a sign of a title only with one of `alike` after it

# What stands around a wish and is none. Single letters are few, for most of them begin or end words: 年轻, 少年.
OPENING = frozenset(
    """
    我 你 您 我们 咱们 你好 请 请问 麻烦 麻烦你 帮 帮我 帮忙 给 找 找个 找部 找点 看看 看部 推荐 推荐一下
    推荐一些 推荐几 介绍 介绍一下 一下 一些 一点 一部 一本 一首 一个 一款 一篇 几 几部 几本 几首 几个 些 有什么
    有哪些 有没有 什么 哪些 哪部 关于 讲 讲述 描写 有关 适合 觉得 感觉 比较 很 挺 非常 特别 真的 有点 有些 稍微
    也 还 又 既 与 及 以及 或 或者 还是 而且 并且 因为 所以 如果 是 是不是 要不要 那些 这些 那种 这种 别的 其他
    其它 另外 再来 最近 今晚 今天 晚上 周末 现在 一起 随便 类似 好看的 好的 好看 不错 可以 可不可以 能不能 必须
    一定 一定要 最好 电影 影片 片子 片 书 歌曲 音乐 类 类的 题材 的 了 吗 呢 吧 啊 呀 上映 出版 发行 以外 之外
    主演 导演 执导 出演 演的 拍的 写的 唱的 部 本 首 个 款 篇 张 都 就 谢谢 更 更加 想 要 看 听 读 换 换一个
    换一部 换一批 拍过 拍了 这部 那部 哪
    """.split()
)
CLOSING = frozenset(
    """
    的 了 吗 呢 吧 啊 呀 哦 嘛 电影 影片 片子 片 大片 老片 影视 书籍 图书 歌曲 商品 东西 文章 剧集 作品 类型 类
    类的 题材 方面 风格 氛围 感觉 一点 一点儿 一些 点 点儿 些 看 听 读 看看 都行 都可以 就行 就好 可以 好吗 行吗
    以外 之外 之间 左右 上映 出版 发行 为主 之类 那种 这种 谢谢 和 跟 与 及 或 还 也 又 都 就 推荐 这部 那部
    哪些
    """.split()
)

# What is asked for by another word than the catalogue's: the first of these that it has.
KINDS: Mapping[str, tuple[str, ...]] = {
    "喜剧": ("comedy",), "爱情": ("浪漫", "romance"), "科幻": ("sci-fi", "science fiction"), "恐怖": ("惊悚", "horror"),
    "动作": ("action",), "惊悚": ("thriller",), "悬疑": ("推理", "mystery"), "推理": ("悬疑", "mystery"),
    "动画": ("动漫", "animation"), "战争": ("war",), "西部": ("western",), "纪录": ("纪录片", "documentary"),
    "犯罪": ("crime",), "奇幻": ("魔幻", "fantasy"), "冒险": ("adventure",), "歌舞": ("音乐", "musical"),
    "剧情": ("drama",), "儿童": ("家庭", "children's"), "黑色电影": ("film-noir",), "传记": ("biography",),
    "历史": ("history",), "国产": ("中国", "中国大陆", "大陆", "china"), "港片": ("香港", "中国香港", "hong kong"),
    "日本": ("japan",), "法国": ("france",), "韩国": ("korea", "south korea"), "美国": ("united states", "usa"),
    "英国": ("united kingdom", "uk"), "意大利": ("italy",), "德国": ("germany",), "西德": ("west germany",),
    "澳大利亚": ("australia",), "加拿大": ("canada",), "爱尔兰": ("ireland",), "新西兰": ("new zealand",),
    "比利时": ("belgium",), "西班牙": ("spain",), "印度": ("india",), "波兰": ("poland",), "墨西哥": ("mexico",),
    "瑞典": ("sweden",), "瑞士": ("switzerland",), "丹麦": ("denmark",), "奥地利": ("austria",), "台湾": ("taiwan",),
    "南非": ("south africa",), "伊朗": ("iran",), "捷克": ("czech republic",), "荷兰": ("netherlands",),
    "葡萄牙": ("portugal",), "俄罗斯": ("russia",), "阿根廷": ("argentina",), "巴西": ("brazil",),
    "苏联": ("soviet union",), "古巴": ("cuba",), "北马其顿": ("north macedonia",), "格鲁吉亚": ("georgia",),
    "卢森堡": ("luxembourg",),
}  # fmt: skip
KINDS_IN_CHINESE: Mapping[str, str] = {  # the other way round, for what is said of an English catalogue
    **{other: kind for kind, others in reversed(list(KINDS.items())) for other in others if other.isascii()},
    **{"china": "中国", "hong kong": "香港"},  # where they are films of: 国产 and 港片 are kinds
}
# A mood leans to a kind: it stays a wish, and the kind is wished for beside it.
MOODS: Mapping[str, str] = {
    **dict.fromkeys("搞笑 好笑 幽默 爆笑 逗 轻松 欢乐".split(), "喜剧"),
    **dict.fromkeys("吓人 可怕 鬼片 闹鬼".split(), "恐怖"),
    **dict.fromkeys("紧张 烧脑 悬念".split(), "悬疑"),
    **dict.fromkeys("浪漫 甜蜜".split(), "爱情"),
    **dict.fromkeys("感人 催泪 治愈 沉重 温情".split(), "剧情"),
    **dict.fromkeys("太空 未来 外星人 机器人".split(), "科幻"),
    **dict.fromkeys("热血 打斗 功夫 枪战".split(), "动作"),
    **dict.fromkeys("黑帮 警匪 卧底".split(), "犯罪"),
}
