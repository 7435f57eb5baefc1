"""What clients send, checked before the agent sees it. Unknown names are refused, and so is what is no number."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from agent.schema import AttributeValue, Event, Feedback, Filter, Intent, Item, Op, Strategy

MOST_NAMES = 1000  # of a list of titles or ids
MOST_ITEMS = 1000  # of one request


def _whole(value: object) -> object:
    """A number of JSON that is whole, such as 5 or 5.0; neither true nor "5", which pydantic would take too."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a whole number is expected")
    return value


Id = Annotated[str, Field(min_length=1, max_length=200, description="An id, letter by letter.")]
Name = Annotated[str, Field(min_length=1, max_length=500, description="A title or an id.")]
Names = Annotated[list[Name], Field(max_length=MOST_NAMES)]
Text = Annotated[str, Field(max_length=100_000)]  # how much is read is a setting of the agent, and its error says so
Number = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)] | StrictFloat
Word = Annotated[StrictStr, Field(max_length=500)]
Value = Number | Word
Values = Annotated[list[Value], Field(max_length=MOST_NAMES)]
Count = Annotated[
    int, Field(ge=1, le=1000, description="How many to list; a count in the words wins."), BeforeValidator(_whole)
]
Adapter = Annotated[Name | None, Field(description="One that passed the gate, or base.")]
Seed = Annotated[
    int, Field(ge=0, lt=2**63, description="Varies the wording, never the order."), BeforeValidator(_whole)
]


class Body(BaseModel):
    """What all bodies share."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class FilterBody(Body):
    """One hard condition."""

    attribute: Name
    op: Op
    value: Value | Values

    def filter(self) -> Filter:
        """The same for the agent."""
        return Filter(self.attribute, self.op, tuple(self.value) if isinstance(self.value, list) else self.value)


class IntentBody(Body):
    """What is wanted, already understood; see `agent.schema.Intent`."""

    text: Text = ""
    likes: Names = []
    dislikes: Names = []
    filters: Annotated[list[FilterBody], Field(max_length=100)] = []
    wishes: Text = ""
    avoids: Text = ""
    n: Count | None = None
    habit: Annotated[StrictFloat, Field(ge=0, le=1)] = 0.5
    exploration: Annotated[StrictFloat, Field(ge=0, le=1)] = 0.0
    examples: Names = []
    met: Names = []
    declined: Names = []

    def intent(self) -> Intent:
        """The same for the agent."""
        filters = tuple(f.filter() for f in self.filters)
        named = tuple(self.likes), tuple(self.dislikes), filters
        return Intent(
            self.text,
            *named,
            self.wishes,
            self.avoids,
            self.n,
            self.habit,
            self.exploration,
            tuple(self.examples),
            tuple(self.met),
            tuple(self.declined),
        )


Where = Annotated[
    dict[Name, Value | Values | dict[str, Value | Values]] | list[FilterBody],
    Field(
        max_length=100,
        description='Hard conditions: {"year": {">=": 1990}, "genres": ["Comedy", "Drama"]}, or objects of an '
        "attribute, an operator and a value.",
    ),
]


class Asked(Body):
    """The arguments of `Agent.recommend`; all of them may be left out."""

    user_id: Annotated[Id | None, Field(description="A person of the store; someone unknown counts as new.")] = None
    history: Annotated[Names | None, Field(description="Titles or ids, oldest first.")] = None
    intent: Annotated[Text | IntentBody | None, Field(description="What is wanted now, in plain words.")] = None
    n: Count = 5
    where: Where | None = None
    strategy: Annotated[
        Strategy, Field(description="score: the model ranks what was retrieved; generate: it spells titles itself.")
    ] = "score"
    seed: Seed | None = None
    excluded: Annotated[Names, Field(description="Ids that must not come.")] = []
    adapter: Adapter = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "history": ["Alien (1979)", "Blade Runner (1982)"],
                    "intent": "something tense but funny, from the 90s",
                    "n": 5,
                },
                {"user_id": "196", "where": {"year": {">=": 1990}, "genres": ["Comedy", "Drama"]}},
            ]
        }
    )


class Opened(Body):
    """With whom a conversation is, a guest where nobody is named; `kept` is which of theirs to go on with."""

    user_id: Id | None = None
    kept: Id | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "196"}, {}]})


class Said(Body):
    """One message of a conversation."""

    text: Text
    n: Count = 5
    adapter: Adapter = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "newer than 1994, and funnier"}]})


class Reaction(Body):
    """What was said of one item of a conversation."""

    item_id: Id
    event: Event
    value: StrictFloat | None = None
    words: Annotated[str, Field(max_length=2000)] = ""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_id": "50", "event": "like"}]})


class FeedbackBody(Reaction):
    """What a person said of one item; see `agent.schema.Feedback`."""

    user_id: Id | None = None
    turn_id: Id | None = None
    timestamp: Annotated[StrictFloat | None, Field(ge=0, lt=1e11, description="Seconds since 1970.")] = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "196", "item_id": "50", "event": "like"}]})

    def feedback(self, user_id: str) -> Feedback:
        """The same for the agent."""
        return Feedback(user_id, self.item_id, self.event, self.turn_id, self.value, self.timestamp, self.words)


class ItemBody(Body):
    """One item."""

    title: Name
    text: Text = ""
    attributes: dict[Name, Value | Annotated[list[Word], Field(max_length=MOST_NAMES)]] = {}

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Alien (1979)", "attributes": {"year": 1979, "genres": ["Horror"]}}]}
    )

    def item(self, item_id: str) -> Item:
        """The same for the agent."""
        attributes: dict[str, AttributeValue] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self.attributes.items()
        }
        return Item(item_id, self.title, self.text, attributes)


class NamedItem(ItemBody):
    """One item with its id."""

    item_id: Id


class Items(Body):
    """Items to add or to replace, all of them or none."""

    items: Annotated[list[NamedItem], Field(min_length=1, max_length=MOST_ITEMS)]


class ToExplain(Body):
    """One place of one turn."""

    turn_id: Id
    item: Name


class ChatPart(BaseModel):
    """A part of a message; parts that are no text are passed over."""

    type: str
    text: Text = ""


class ChatMessage(BaseModel):
    """A message of a chat, as front ends send it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Text | list[ChatPart] | None = None

    def said(self) -> str:
        """Its text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type in ("text", "input_text"))
        return self.content or ""


class ChatAsked(BaseModel):
    """A request for a chat completion. Fields of that interface that mean nothing here are passed over."""

    model: Annotated[str, Field(max_length=200, description="vouchrec, or vouchrec/ADAPTER.")]
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    stream: StrictBool = False
    user: Annotated[Id | None, Field(description="A person of the store.")] = None
    seed: Seed | None = None
    n: Annotated[Literal[1] | None, Field(description="How many answers; there is one.")] = None

    model_config = ConfigDict(
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [{"model": "vouchrec", "messages": [{"role": "user", "content": "tense, from the 90s"}]}]
        },
    )
