"""The sentence frames of written requests. Data, and nothing that decides.

A frame is filled with phrases: {a} "a 90s thriller with Tom Hanks", {many} the same in the plural, {bare} without an
article, {keys} as bare keywords, {some} what can follow "something", {kind} and {kinds} the kind alone, {post} what
follows a noun, {x} a title, {more} in what the item differs from it, {newer} the same as one adjective, {n} a count,
{verb}, {do}, {doing} and {seen} what one does with such a thing, {when} when, if one says when of such a thing. A frame
whose phrases an item lacks is passed over.
"""

# One a line. What is refused is added at the end, so nothing may follow the last phrase that a "not" could reach.
SHORT = """
{bare}
{bare} please
{bare}?
{many}
{many} please
any {many}?
more {many}
some {many}
good {many}
{keys}
{a}
{a}, please
maybe {a}
need {a}
want {a}
time for {a}
{a} would be great
"""

ASKS = """
I want {a}
I'd like {a}
I would love {a}
I feel like {a}
I feel like {doing} {a}
I'm in the mood for {a}
in the mood for {many}
I'm looking for {a}
looking for {a} for {when}
I could use {a}
I'm after {a}
I've been wanting to {do} {a}
give me {a}
show me {a}
show me {many}
find me {a}
recommend me {a}
please recommend {a}
suggest {a} for {when}
surprise me with {a}
help me find {a}
list {many}
recommendations for {many}
{when} I want to {do} {a}
let's {do} {a}
how about {a}?
could you find me {a}?
can you recommend {a}?
can you suggest some {many}?
do you have any {many}?
do you know any good {many}?
know any good {many}?
got any {many}?
what are some good {many}?
what's a good {bare}?
is there {a} you'd recommend?
is there any {bare} I should {do}?
any suggestions for {a}?
which {many} would you recommend?
what {many} should I {do}?
I love {many}, what should I {do} next?
I'm a big fan of {many}
hi, I'm looking for {a}. Thanks!
hey, any {many}?
hello, can you show me some {many}?
we're looking for {a} for {when}
not sure what to {do}, maybe {a}
can't decide what to {do}, {a} maybe?
it's been a while since I {verb} {a}
I haven't {seen} a good {bare} in a while
something for the weekend, {a} maybe
my friends want {a} {when}
something {some}
anything {some}?
I want something {some}
got anything {some}?
I'm in the mood for something {some}
I'm looking for something {some}
could you recommend something {some}?
do you have anything {some}?
surprise me with something {some}
something {some} for {when} please
I just want to {do} something {some}
I'm in the mood for something {post}, ideally {kind}
something {post}, preferably {kind}
{kind}, {post} if possible
{kind}. It should be something {post}
I want {kind}, {post}
I'd love {kind}, ideally {post}
is there anything {post}? {kind} would be perfect
anything {post}, {kind} maybe?
can you recommend something {post}? I like {kinds}
I like {kinds}. Do you have anything {post}?
I usually go for {kinds}, so maybe something {post}
what {kinds} do you have {post}?
what would you recommend {post}? I feel like {kind}
"""

COUNTED = """
top {n} {many}
give me {n} {many}
show me {n} {many}
just {n} {many}
give me {n} {many} please
I'd like {n} {nouns}, all {many}
can you give me {n} {many}?
recommend me {n} {nouns}: {many}
{n} {nouns}, {many} please
could you show me {n} good {many}?
"""

# What a request looks like that names a liked item.
LIKES = """
like {x} but {more}
{x} but {more}
something like {x} but {more}
something like {x}, just {more}
more like {x} but {more}
similar to {x}, but {more}
anything like {x}, but {more}?
anything similar to {x} but {more}?
can you find me something like {x}, but {more}?
I {verb} {x} and want something like that, but {more}
I liked {x}, now something {newer}
I loved {x}, is there something {newer}?
I really enjoyed {x}. Do you have anything {newer}?
just {verb} {x}, any {newer} ones like it?
something {newer} than {x}
is there {newer_a} {noun} like {x}?
{a} like {x}
{many} like {x}
I loved {x}, so maybe {a}
I enjoyed {x}, now I want {a}
fan of {x} here, looking for {a}
just {verb} {x}, now {a}
if I liked {x}, what {many} should I {do}?
any {many} similar to {x}?
I really liked {x}. Can you recommend {a}?
"""

# What is turned down, at the end of a request and before its last mark.
REFUSALS = """
 but not {no_a}
 but no {no_many}
, but please no {no_many}
, no {no_mass} please
 without {no_mass}
, not {no_a}
, no {no_many}
, just not {no_a}
, as long as it's not {no_a}
, nothing with {no_mass}
, I don't like {no_many}
, I don't want {no_a}
, I'm tired of {no_many}
"""
