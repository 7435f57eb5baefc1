"""The conversation of the README, held with the real model, in Python and in a terminal."""

import re
from pathlib import Path

from test_cli import run

README = Path(__file__).parent.parent / "README.md"


def said():
    """The messages of the README's conversation."""
    block = re.search(r"```\nvouchrec chat\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return [line.removeprefix("> ") for line in block[1].splitlines()]


def test_the_conversation_of_the_readme_goes_as_it_says(real):
    messages = said()
    assert len(messages) == 8
    chat = real.conversation()
    replies = [chat.say(text) for text in messages]
    lists = [[r.item for r in reply.recommendations] for reply in replies]
    first, newer, without, why, eighties, asked, settled, thanks = lists

    assert len(first) == 5 and not any("Horror" in item.words("genres") for item in first)
    assert len(newer) == len(without) == 3
    assert all(item.attributes["year"] > 1992 for item in (*newer, *without))
    assert newer[0].item_id in chat.intent.dislikes
    assert "seen" in {f["event"] for f in real.known_of(chat.user_id)["feedback"] if f["item_id"] == newer[1].item_id}
    assert why == [without[2]] and without[2].title in replies[3].message
    for listed in (eighties, settled):
        assert listed and all("Comedy" in i.words("genres") and 1980 <= i.attributes["year"] < 1990 for i in listed)
    assert not asked and "Sabrina (1954)" in replies[5].question and "Sabrina (1995)" in replies[5].question
    sabrina = {item.title: item.item_id for item in real.catalogue.items if item.title.startswith("Sabrina (")}
    assert sabrina["Sabrina (1954)"] in chat.intent.likes and sabrina["Sabrina (1995)"] not in chat.intent.likes
    assert not thanks and replies[7].message

    shown = [item.item_id for listed in (first, newer, without, eighties, settled) for item in listed]
    assert len(shown) == len(set(shown))
    given = [r for reply in replies for r in reply.recommendations]
    assert all(r.verified and r.justification for r in given)
    real.forget(chat.user_id)


def test_the_terminal_holds_the_same_conversation(real):
    result = run("chat", agent=real, text="\n".join([*said(), "/state", "/undo"]))
    assert result.exit_code == 0, result.stderr
    assert [line for line in result.stdout.splitlines() if line.startswith("> ")] == [f"> {text}" for text in said()]
    assert "1980 to 1989" in result.stderr and "Taken back" in result.stderr


def test_what_the_readme_and_the_docs_link_to_exists():
    pages = [README, *README.parent.glob("docs/*.md"), *README.parent.glob("*/README.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)\s#]+)", page.read_text(encoding="utf-8"))]
    assert len(links) > 20
    assert not [(page.name, link) for page, link in links if "://" not in link and not (page.parent / link).exists()]
