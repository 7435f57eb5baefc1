"""Messages that tell an item's own story: what stands in its text describes it, and is no condition on it.

"A shepherd finds a boy in 1832, after the war" holds a year and a genre, and the film that it tells is from 1995. So
where nearly all that a message says stands in the text of one item, the conditions that were read in it and would keep
that item out are taken for words again. On films with cards, an item's own words reach .66 and more of what they can,
those of 22 written requests of eight words and more at most .65 (docs/log.md).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.retrieval.base import Query
from agent.retrieval.lexical import Lexical
from agent.schema import Intent, matches
from agent.understanding.intent import parse_intent
from agent.workspace.catalogue import Catalogue

LEAST = 6  # different words that the catalogue knows, below which a message is a request like any other
ENOUGH = 0.66  # of what the words of a message can score
_NOTHING = np.zeros(0, dtype=np.int64)


def told(intent: Intent, catalogue: Catalogue, lexical: Lexical) -> Intent:
    """The intent without the conditions that were read out of the story of an item which they keep out."""
    text = intent.text
    names = intent.likes or intent.dislikes  # whoever names a title asks for something, and tells no story
    if not intent.filters or names or lexical.count_known(text) < LEAST:
        return intent
    everything = np.ones(len(catalogue), dtype=bool)
    query = Query(_NOTHING, np.zeros(0), text, text, "", (), everything, 0.0)
    scores = lexical.score(query, np.arange(len(catalogue)))
    best = int(scores.argmax())
    if scores[best] < ENOUGH:
        return intent
    item = catalogue.items[best]
    read = set(parse_intent(text, catalogue).filters)
    kept = tuple(one for one in intent.filters if one not in read)
    if matches(item, intent.filters) or not matches(item, kept):
        return intent
    return replace(intent, filters=kept, wishes=text)
