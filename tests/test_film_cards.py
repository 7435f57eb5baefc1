from agent.schema import Item
from agent.settings import Settings
from agent.workspace.film_cards import cards, with_cards
from agent.workspace.movielens import fetch_movielens


def test_every_card_is_well_formed():
    assert len(cards()) >= 1200
    for title, card in cards().items():
        assert title == title.strip() and title.endswith(")")
        assert 40 <= len(card.about) <= 320 and card.about.endswith(".") and "\n" not in card.about
        assert 3 <= len(card.themes) <= 6 and all(theme == theme.strip() for theme in card.themes)
        for names in (card.director, card.cast, card.country):
            assert all(name and name == name.strip() and len(name) < 60 for name in names)
            assert len(set(names)) == len(names)


def test_every_card_has_its_film():
    titles = {item.title for item in fetch_movielens(Settings().cache).items()}
    assert set(cards()) <= titles


def test_a_card_tells_more_and_takes_nothing_away():
    alien = Item("1", "Alien (1979)", "Horror film.", {"year": 1979, "genres": ("Horror",)})
    unknown = Item("2", "Nobody Filmed This (1901)", "A film.")
    told, same = with_cards([alien, unknown])
    assert same is unknown
    assert told.attributes == {
        "year": 1979,
        "genres": ("Horror",),
        "directors": ("Ridley Scott",),
        "cast": told.attributes["cast"],
        "countries": told.attributes["countries"],
    }
    assert "Sigourney Weaver" in told.attributes["cast"]
    assert told.text.endswith("Horror film.") and "Themes: " in told.text
