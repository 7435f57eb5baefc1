"""Words for how something feels. They say what is wished for, though descriptions seldom use them."""

from __future__ import annotations

import re

from agent.understanding.chinese_words import MOODS
from agent.understanding.moods import MOOD_WORDS

FEELINGS = frozenset(
    """
    cheap dear expensive long new old pricey recent short
    absorbing absurd affecting aggressive airy amazing angry artsy artistic arty atmospheric awesome beautiful
    bizarre bittersweet bland bleak bold boring brainless brainy breathless breathtaking breezy bright brilliant
    brooding brutal calm calming campy captivating casual cathartic cerebral challenging charming cheerful cheering
    cheery cheesy chic chill chilled chilling clever cold comforting comfy compelling complex contemplative cool
    corny cosy cozy cringe cute cynical dark daring dazzling deadpan deep delightful depressing depressive
    difficult disturbing dreamy dry dull dumb eccentric edgy educational elegant emotive empowering encouraging
    energetic energizing engaging engrossing entertaining exciting exhilarating exotic experimental familiar fast
    feelgood fierce frantic fresh frothy fun gentle giddy glamorous gloomy gorgeous graceful graphic grim grotesque
    gritty grounded happy hard harrowing haunting heartening heartfelt heartrending heartwarming heartwrenching
    heavy hip hopeful hopeless horrifying huggable immersive imaginative inspirational inspired inspiring
    intellectual intelligent intense intimate intricate intriguing ironic irreverent jolly joyful joyous kind kinky
    kitsch kitschy languid lazy leisurely light lively lonely loud lush macabre mad maudlin meditative meaningful
    melancholic mellow memorable mild mindless minimalist miserable modern moody morbid mysterious naughty nerdy
    nice noisy nostalgic nuanced odd offbeat optimistic original outrageous overwhelming passionate peaceful
    pensive perky pessimistic philosophical playful pleasant poetic poignant powerful pretentious pretty profound
    provocative psychedelic quick quiet quirky raunchy raw realistic refreshing relatable relaxed relaxing
    relentless restful reflective restrained retro rewarding riveting rough rousing rude sappy sarcastic sardonic
    satirical saucy savage schmaltzy scintillating sensitive sensual sentimental serene sexy sharp shocking simple
    sinister slapstick sleepy slick slow smart smooth snappy snarky sobering soft solemn sombre somber soothing
    sophisticated soppy soulful sparkling spectacular spicy spiritual stark steamy stimulating stirring strange
    strong stunning stupid stylish sublime subtle sunny surprising surreal sweet tacky tasteful tender terrifying
    thoughtful timeless tragic tranquil trashy trippy twisted ugly understated uneasy unforgettable unhappy
    unnerving unpredictable unsettling unusual upbeat uplifting upsetting vibrant violent visceral visual visually
    vivid wacky warm weepy weird whimsical wicked wild wise wistful witty wonderful worthwhile wry young zany
    """.split()
)
_ENDINGS = (
    ("iest", "y"), ("ier", "y"), ("ies", "y"), ("est", "e"), ("est", ""), ("er", "e"), ("er", ""), ("ing", "e"),
    ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("ly", ""),
)  # fmt: skip
_DOUBLED = re.compile(r"([bdgmnprt])\1(?:er|est|ing|ed)$")


def forms(word: str) -> tuple[str, ...]:
    """A word in lower case, and what it may be a form of: "lighter" of "light", "robot" of "robots"."""
    stems = (
        word[: -len(end)] + instead for end, instead in _ENDINGS if word.endswith(end) and len(word) > len(end) + 2
    )
    doubled = _DOUBLED.sub(r"\1", word)  # "sadder"
    return tuple(dict.fromkeys((word, f"{word}s", doubled, *stems)))


def is_feeling(word: str) -> bool:
    """Whether a word in lower case, or what it is a form of, says how something feels."""
    return any(f in FEELINGS or f in MOOD_WORDS for f in forms(word)) or any(mood in word for mood in MOODS)
