"""Countries by what people say of what comes from there: "French", "British", "the US". Data first.

A word means a country only where the catalogue has that country among the values of an attribute for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.workspace.catalogue import Catalogue, phrase_key
from agent.workspace.roles import role_of

# One a line: adjectives | the country's names and code, as a catalogue may have them.
_TABLE = """
american|United States,USA,US,United States of America,America
british,english,scottish,welsh|United Kingdom,UK,GB,Great Britain,Britain,England
french|France,FR
german|Germany,DE,West Germany,East Germany
italian|Italy,IT
spanish|Spain,ES
portuguese|Portugal,PT
dutch|Netherlands,The Netherlands,Holland,NL
belgian|Belgium,BE
swiss|Switzerland,CH
austrian|Austria,AT
irish|Ireland,IE,Republic of Ireland
danish|Denmark,DK
swedish|Sweden,SE
norwegian|Norway,NO
finnish|Finland,FI
icelandic|Iceland,IS
polish|Poland,PL
czech,czechoslovak|Czech Republic,Czechia,CZ,Czechoslovakia
slovak|Slovakia,SK
hungarian|Hungary,HU
romanian|Romania,RO
bulgarian|Bulgaria,BG
greek|Greece,GR
turkish|Turkey,Türkiye,TR
serbian,yugoslav|Serbia,RS,Yugoslavia
croatian|Croatia,HR
bosnian|Bosnia and Herzegovina,BA
macedonian|North Macedonia,Macedonia,MK
russian,soviet|Russia,RU,Russian Federation,Soviet Union,USSR
ukrainian|Ukraine,UA
georgian|Georgia,GE
estonian|Estonia,EE
latvian|Latvia,LV
lithuanian|Lithuania,LT
canadian|Canada,CA
mexican|Mexico,MX
cuban|Cuba,CU
brazilian|Brazil,BR
argentinian,argentine|Argentina,AR
chilean|Chile,CL
colombian|Colombia,CO
peruvian|Peru,PE
australian,aussie|Australia,AU
new zealand|New Zealand,NZ
japanese|Japan,JP
chinese|China,CN
hong kong|Hong Kong,HK
taiwanese|Taiwan,TW
korean,south korean|South Korea,Korea,KR,Republic of Korea
indian|India,IN
pakistani|Pakistan,PK
iranian,persian|Iran,IR
israeli|Israel,IL
lebanese|Lebanon,LB
egyptian|Egypt,EG
moroccan|Morocco,MA
south african|South Africa,ZA
nigerian|Nigeria,NG
senegalese|Senegal,SN
thai|Thailand,TH
vietnamese|Vietnam,VN
indonesian|Indonesia,ID
filipino,philippine|Philippines,PH
"""
_ROWS = [row.split("|") for row in _TABLE.strip().split("\n")]
ADJECTIVES = {phrase_key(said): names.split(",") for sides, names in _ROWS for said in sides.split(",")}
# Other names, as they are said. A mere "us" is a word of its own and only a country in capitals.
_NAMES = {
    name: ADJECTIVES[people]
    for people, names in (
        ("american", "the us,us,the u s,u s,usa,the usa,the states,america"),
        ("british", "the uk,uk,the u k,u k,britain,great britain,england"),
    )
    for name in names.split(",")
}
STARTS = frozenset(name.split()[0] for name in (*ADJECTIVES, *_NAMES))
_LONGEST_CUE = 40  # characters
# "in French" is a language, and so are French subtitles.
_SPOKEN_BEFORE = re.compile(
    r"\b(?:in|language(?:\s+is)?(?:\s+not)?:?)\s+(?:[^\W\d_]+\s+(?:and|or)\s+)?$", re.IGNORECASE
)
_SPOKEN_AFTER = re.compile(
    r"[\s-]+(?:languages?|subtitles?|subtitled|subbed|dubs?|dubbed|speaking|spoken)\b", re.IGNORECASE
)
_SET_IN = re.compile(r"\b(?:set|place)\s+in\s+(?:the\s+)?$", re.IGNORECASE)  # a scene is no origin


def countries_said(text: str, start: int, end: int, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """The (attribute, value) pairs of the catalogue that text[start:end] means as the name of a country or people."""
    key, before = phrase_key(text[start:end]), text[max(0, start - _LONGEST_CUE) : start]
    if key == "us" and (text[start:end] != "US" or text.isupper()):
        return
    names = [] if _SET_IN.search(before) else _NAMES.get(key, [])
    if not (_SPOKEN_BEFORE.search(before) or _SPOKEN_AFTER.match(text, end)):
        names = names or ADJECTIVES.get(key, [])
    for attribute, values in catalogue.vocabulary.items():
        if role_of(attribute) == "place":
            yield from ((attribute, values[n.casefold()]) for n in names if n.casefold() in values)
