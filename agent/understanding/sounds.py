"""Sounds, oaths and shorthand, as people type them. Data only."""

# What expresses nothing but that somebody is there; repeated letters count once.
SOUND = (
    r"h+m+|m+h+m+|(?:ba|mua)?ha(?:ha)+h?|(?:he){2,}h?|lo+l+|lmao+|rofl|u+gh+|o+h+|a+h+|aha+|wo+w+|wh?oa+h?|br{2,}|e+h+|o+ps|whoops"
    r"|me+h|yay+|woo+(?:hoo+)?|e+w+|phew|yikes|gosh|jeez|geez|huh|u+h+|u+m+|e+rm+|omg|wtf|pff+t?|tbh|imho|imo|btw|idk|dunno|haha+"
    r"|damn(?!\s+(?:you|this|it|u)\b)|dammit|damned|goddamn|darn|frickin['’g]?|freaking|fucking|fuckin|xd|sigh"
)
# What stands for a word; never inside of a title or name.
SHORTHAND = {
    "w": "with",
    "em": "them",
    "pls": "please",
    "plz": "please",
    "plss": "please",
    "tho": "though",
    "smth": "something",
    "sth": "something",
    "smthn": "something",
    "smthg": "something",
    "smthing": "something",
    "somethin": "something",
    "sumthin": "something",
    "anythin": "anything",
    "nothin": "nothing",
    "teh": "the",
    "abt": "about",
    "wanna": "want to",
    "gimme": "give me",
    "lemme": "let me",
    "rly": "really",
    "cuz": "because",
    "coz": "because",
    "u": "you",
    "ur": "your",
    "thx": "thanks",
    "ty": "thanks",
    "tnx": "thanks",
    "kinda": "kind of",
    "sorta": "sort of",
    "tonite": "tonight",
    "2nite": "tonight",
    "flick": "film",
    "flicks": "films",
    "ppl": "people",
    "prolly": "probably",
}
