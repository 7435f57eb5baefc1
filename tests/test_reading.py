from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from agent.errors import ImportDataError, InputError
from agent.schema import Interaction, Item
from agent.workspace.mapping import attribute_name
from agent.workspace.reading import MAX_REJECTED, Mapping, load_mapping, read_interactions, read_items

FILMS = """movieId,title,genres,overview,runtime,country
1,Alien (1979),Horror|Sci-Fi,A crew meets a guest.,117,US
2,"Brazil, or 1984½ (1985)",Comedy|Sci-Fi,"A clerk
dreams.",132.5,UK
3,Clue (1985),Comedy,,94,
"""
EXPECTED = (
    Item(
        "1",
        "Alien (1979)",
        "A crew meets a guest.",
        {"genres": ("Horror", "Sci-Fi"), "runtime": 117, "country": "US", "year": 1979},
    ),
    Item(
        "2",
        "Brazil, or 1984½ (1985)",
        "A clerk\ndreams.",
        {"genres": ("Comedy", "Sci-Fi"), "runtime": 132.5, "country": "UK", "year": 1985},
    ),
    Item("3", "Clue (1985)", "", {"genres": ("Comedy",), "runtime": 94, "year": 1985}),
)


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def reasons(read):
    return {r.line: r.reason for r in read.rejected}


# -- what is read


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_csv_is_understood_without_a_mapping(tmp_path, separator, ending, mark):
    text = FILMS.replace("Brazil, or", "Brazil; or") if separator == ";" else FILMS
    lines = text.replace(",", separator) if separator != "," else text
    if separator == "\t":
        lines = lines.replace("Brazil\t or", "Brazil, or")
    path = written(tmp_path, "films.csv", mark + lines.replace("\n", ending).encode())
    read = read_items(path)
    got = [Item(i.item_id, i.title.replace(";", ","), i.text.replace("\r", ""), i.attributes) for i in read.items]
    assert got == list(EXPECTED)
    assert (read.accepted, read.rejected, read.guessed) == (3, (), True)
    assert read.attribute_types == {"genres": "list", "runtime": "number", "country": "word", "year": "number"}


def test_a_packed_file_is_read_like_any_other(tmp_path):
    path = tmp_path / "films.csv.gz"
    path.write_bytes(gzip.compress(FILMS.encode()))
    assert read_items(path).items[:2] == EXPECTED[:2]
    path.write_bytes(gzip.compress(FILMS.encode() * 9000)[:-2000])
    with pytest.raises(ImportDataError, match="cannot be unpacked to its end"):
        read_items(path)
    path.write_bytes(b"not packed at all")
    with pytest.raises(ImportDataError, match="cannot be read"):
        read_items(path)


def test_numbers_stay_whole_or_broken(tmp_path):
    items = read_items(written(tmp_path, "films.csv", FILMS)).items
    assert [type(i.attributes["runtime"]) for i in items] == [int, float, int]


def test_jsonl_and_parquet_give_the_same_items(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "movieId": int(i.item_id),
            "title": i.title,
            "genres": list(i.attributes["genres"]),
            "overview": i.text or None,
            "runtime": i.attributes["runtime"],
            "country": i.attributes.get("country"),
        }
        for i in EXPECTED
    ]
    lines = "\n".join(json.dumps(row, ensure_ascii=number == 1) for number, row in enumerate(rows))
    assert read_items(written(tmp_path, "films.jsonl", lines)).items == EXPECTED
    for row in rows:
        row["runtime"] = float(row["runtime"])
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "films.parquet")
    assert read_items(tmp_path / "films.parquet").items == EXPECTED


def test_the_guess_can_be_written_down_and_read_back(tmp_path):
    first = read_items(written(tmp_path, "films.csv", FILMS))
    mapping = load_mapping(written(tmp_path, "guess.yaml", first.mapping.as_yaml()))
    assert mapping == first.mapping
    again = read_items(tmp_path / "films.csv", mapping)
    assert again.items == EXPECTED
    assert not again.guessed


MAPPINGS = {
    "m.yaml": "items:\n  item_id: nr\n  title: what\n  text: [a, b]\n  attributes:\n"
    "    tags: {column: t, type: list, separator: '/'}\n    price: {column: p, type: number}\n    maker: {column: m}\n",
    "m.toml": '[items]\nitem_id = "nr"\ntitle = "what"\ntext = ["a", "b"]\n'
    '[items.attributes]\ntags = {column = "t", type = "list", separator = "/"}\n'
    'price = {column = "p", type = "number"}\nmaker = {column = "m"}\n',
    "m.json": json.dumps(
        {
            "items": {
                "item_id": "nr",
                "title": "what",
                "text": ["a", "b"],
                "attributes": {
                    "tags": {"column": "t", "type": "list", "separator": "/"},
                    "price": {"column": "p", "type": "number"},
                    "maker": {"column": "m"},
                },
            }
        }
    ),
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_mapping_says_what_is_what(tmp_path, name):
    path = written(tmp_path, "goods.csv", "nr,what,a,b,t,p,m\n7,Lamp (1999),Warm,Bright,oak/ brass/oak,3.5,1990\n")
    read = read_items(path, load_mapping(written(tmp_path, name, MAPPINGS[name])))
    assert read.items == (
        Item("7", "Lamp (1999)", "Warm\nBright", {"tags": ("oak", "brass"), "price": 3.5, "maker": "1990"}),
    )
    assert read.attribute_types == {"tags": "list", "price": "number", "maker": "word"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.yaml", "items: {item_id: a, title: b, colour: c}", "items.colour"),
        ("m.yaml", "items: {item_id: a}", "items.title"),
        ("m.yaml", "items: {item_id: a, title: b, attributes: {x: {column: c, type: date}}}", "attributes.x.type"),
        ("m.yaml", "items: {item_id: a, title: b, attributes: {My Year: {column: c}}}", "'my_year'"),
        ("m.yaml", "items: [", "does not parse"),
        ("m.yaml", "- a", "the whole file"),
        ("m.json", "{", "does not parse"),
        ("m.toml", "items", "does not parse"),
        ("m.ini", "items", ".yaml, .json or .toml"),
        ("m.yaml", b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_wrong_mapping_file_says_where(tmp_path, name, text, says):
    with pytest.raises(InputError, match=says.replace("(", r"\(")):
        load_mapping(written(tmp_path, name, text))


def test_an_absent_mapping_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_mapping(tmp_path / "absent.yaml")


def test_an_empty_mapping_guesses_everything(tmp_path):
    assert load_mapping(written(tmp_path, "m.yaml", "")) == Mapping()
    assert read_items(written(tmp_path, "films.csv", FILMS), Mapping()).guessed


# -- what is guessed


def guessed_types(tmp_path, header, *rows):
    read = read_items(written(tmp_path, "x.csv", "\n".join([f"id,title,{header}", *rows]) + "\n"))
    return read.attribute_types, read


def test_lists_are_known_by_their_separator_or_brackets(tmp_path):
    types, read = guessed_types(
        tmp_path,
        "tags,cast,kinds",
        '1,A,a;b,"[""x"", ""y""]","drama, war"',
        '2,B,c,[],"war, drama"',
        '3,C,d;e,"[""z""]",war',
    )
    assert types == {"tags": "list", "cast": "list", "kinds": "list"}
    assert read.items[0].attributes == {"tags": ("a", "b"), "cast": ("x", "y"), "kinds": ("drama", "war")}
    assert "cast" not in read.items[1].attributes


def test_lists_as_pandas_saves_them_are_lists(tmp_path):
    types, read = guessed_types(
        tmp_path,
        "tags",
        "1,A,\"['Horror', 'Sci-Fi']\"",
        '2,B,"[""Children\'s"", None]"',
        "3,C,[]",
        "4,D,\"['it''s', 2]\"",
    )
    assert types == {"tags": "list"}
    assert [i.words("tags") for i in read.items] == [("Horror", "Sci-Fi"), ("Children's",), (), ("its", "2")]


@pytest.mark.parametrize(
    "value", ["[Horror, Sci-Fi]", "['Horror' 'Sci-Fi']", "['Horror]", "['x', nan]", "[1]+[2]", f"{'[' * 300}]"]
)
def test_a_list_that_cannot_be_read_is_no_word(tmp_path, value):
    _, read = guessed_types(tmp_path, "tags", f'1,A,"{value}"', *(f"{n},B,a|b" for n in range(2, 9)))
    assert read.accepted == 7 and "'tags' is in brackets, but no list that can be read" in reasons(read)[2]


GENRES = ([{"id": 27, "name": "Horror"}, {"id": 878, "name": "Sci-Fi"}], [], [{"id": 35, "name": "Comedy"}])


@pytest.mark.parametrize("spelled", [json.dumps, repr, lambda objects: objects], ids=["json", "python", "nested"])
def test_a_list_of_objects_is_the_list_of_their_names(tmp_path, spelled):
    rows = [{"id": n, "title": "A", "genres": spelled(genres)} for n, genres in enumerate(GENRES)]
    read = read_items(written(tmp_path, "x.jsonl", "\n".join(map(json.dumps, rows))))
    assert [i.words("genres") for i in read.items] == [("Horror", "Sci-Fi"), (), ("Comedy",)]
    assert "key: name" in read.mapping.as_yaml()
    assert load_mapping(written(tmp_path, "guess.yaml", read.mapping.as_yaml())) == read.mapping


@pytest.mark.parametrize(
    "values",
    [
        [[{"id": 1}], [{"id": 2, "name": "B"}]],
        [[{"name": 7}], ["a"]],
        ['[{"id": 1}]', "['a']"],
        [[["a"]], ["b"]],
        [[{"name": "B"}], *["words"] * 3],
    ],
)
def test_objects_without_names_cost_the_column_and_no_row(tmp_path, values):
    rows = [{"id": n, "title": "A", "deep": value} for n, value in enumerate(values)]
    read = read_items(written(tmp_path, "x.jsonl", "\n".join(map(json.dumps, rows))))
    assert (read.accepted, read.rejected_count, read.attribute_types) == (len(rows), 0, {})
    assert read.warnings == ("the column 'deep' holds objects inside objects and is left out",)


def test_a_mapping_names_what_of_an_object_is_the_word(tmp_path):
    entry = {"column": "crew", "type": "list", "key": "job"}
    mapping = Mapping.model_validate({"items": {"item_id": "id", "title": "title", "attributes": {"crew": entry}}})
    row = {"id": 1, "title": "A", "crew": [{"job": "Editor"}, {"job": None}, {}, "Writer"]}
    read = read_items(written(tmp_path, "x.jsonl", json.dumps(row)), mapping)
    assert read.items[0].words("crew") == ("Editor", "Writer")


@pytest.mark.parametrize("packed", [False, True])
def test_a_column_that_only_the_last_line_has_is_there(tmp_path, packed):
    rows = [{"id": n, "title": "A"} for n in range(1199)] + [
        {"id": "z", "title": "Z", "year": 1999, "description": "Late."}
    ]
    lines = "\n".join(map(json.dumps, rows)).encode()
    path = written(tmp_path, "x.jsonl.gz" if packed else "x.jsonl", gzip.compress(lines) if packed else lines)
    expected = Item("z", "Z", "Late.", {"year": 1999})
    assert read_items(path).items[-1] == expected
    columns = {"item_id": "id", "title": "title", "text": "description", "attributes": {"year": {"column": "year"}}}
    assert read_items(path, Mapping.model_validate({"items": columns})).items[-1].text == "Late."
    if packed:
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(ImportDataError, match="cannot be unpacked to its end"):
            read_items(path)


def test_what_people_did_may_have_a_value_late(tmp_path):
    lines = ['{"user": "ann", "item": 1}'] * 25_000 + ['{"user": "ann", "item": 2, "rating": 4}']
    seen = []
    read = read_interactions(
        written(tmp_path, "r.jsonl", "\n".join(lines)), None, KNOWN, lambda *step: seen.append(step)
    )
    assert read.interactions[-1].value == 4.0
    assert seen[:3] == [
        ("look at columns", 10_000, None),
        ("look at columns", 20_000, None),
        ("read interactions", 10_000, None),
    ]


def test_commas_in_names_make_no_list(tmp_path):
    types, _ = guessed_types(tmp_path, "author", '1,A,"Woolf, Virginia"', '2,B,"Joyce, James"', '3,C,"Eliot, T. S."')
    assert types == {"author": "word"}


def test_long_columns_are_text_and_long_lists_are_not(tmp_path):
    crowd = "|".join(f"Person {n}" for n in range(20))
    types, read = guessed_types(
        tmp_path, "notes,people", f"1,A,{'long words ' * 10},{crowd}", f"2,B,{'more words ' * 10},{crowd}"
    )
    assert types == {"people": "list"}
    assert read.items[0].text.startswith("long words")


def test_a_year_column_is_preferred_to_the_year_in_the_title(tmp_path):
    types, read = guessed_types(tmp_path, "Year", "1,A (1999),2001", "2,B (1999),2002")
    assert types == {"year": "number"}
    assert [i.attributes["year"] for i in read.items] == [2001, 2002]
    assert not read.mapping.items.year_from_title


def test_titles_without_years_give_no_year(tmp_path):
    types, _ = guessed_types(tmp_path, "n", "1,Plain,1", "2,Route (66),2", "3,(1999),3")
    assert types == {"n": "number"}


def test_empty_and_nested_columns_are_left_out_with_a_remark(tmp_path):
    rows = [{"id": 1, "title": "A", "none": None, "deep": {"a": 1}}, {"id": 2, "title": "B", "none": "", "deep": {}}]
    read = read_items(written(tmp_path, "x.jsonl", "\n".join(map(json.dumps, rows))))
    assert read.attribute_types == {}
    assert len(read.warnings) == 2
    assert any("'none' is empty" in w for w in read.warnings) and any(
        "'deep' holds objects" in w for w in read.warnings
    )


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Release Year", "release_year"),
        ("releaseYear", "release_year"),
        ("größe", "grösse"),
        ("3D", "a_3d"),
        ("%", "attribute"),
        ("price ($)", "price"),
        ("IMDB", "imdb"),
    ],
)
def test_attribute_names_are_identifiers(column, name):
    assert attribute_name(column) == name


def test_names_that_fall_together_are_numbered(tmp_path):
    types, _ = guessed_types(tmp_path, "My Tag,my-tag,my tag", "1,A,x,y,z")
    assert list(types) == ["my_tag", "my_tag_2", "my_tag_3"]


# -- what is rejected


BROKEN = b"""id,title,year,tags
1,Good,1990,a|b
,No id,1990,a
2,,1990,a
1,Again,1991,a
3,Bad year,soon,a
4,Latin \xe9,1990,a
5,"Two
lines",1990,a
6,Nul\x00,1990,a
7,Endless,inf,a
8,Nothing,nan,a
9,Too,few
10,Too,1990,a,many
11,Trailing,1990,a,,
12,Huge,123456789012345678901234567890,a

13,Surrogate \xed\xa0\x80,1990,a
14,Last,1995,c
"""


def test_broken_rows_are_named_by_their_physical_line_and_stop_nothing(tmp_path):
    many = b"".join(b"%d,Film,1990,a|b\n" % n for n in range(100, 300))
    read = read_items(written(tmp_path, "x.csv", BROKEN + many))
    assert [i.item_id for i in read.items[:4]] == ["1", "5", "11", "12"]
    assert read.accepted == 205
    assert read.items[1].title == "Two lines"
    assert read.items[3].attributes["year"] == 123456789012345678901234567890.0
    found = reasons(read)
    for line, says in {
        3: "'id' is missing",
        4: "'title' is missing",
        5: "given before, on line 2",
        6: "'year' is no number",
        7: "not UTF-8",
        10: "NUL",
        11: "no finite number",
        12: "no finite number",
        13: "3 columns where the first line has 4",
        14: "5 columns",
        18: "not UTF-8",
    }.items():
        assert says in found.pop(line)
    assert found == {}
    assert read.rejected_count == 11


def test_an_unclosed_quote_costs_one_row(tmp_path):
    rows = "\n".join(f"{n},Film {n},{n}" for n in range(3, 30_000))
    read = read_items(written(tmp_path, "x.csv", f'id,title,n\n1,A,1\n2,"Open,2\n{rows}\n'))
    assert read.accepted == 29_998
    assert list(reasons(read)) == [3]
    assert "a quote that is not closed" in read.rejected[0].reason


def test_an_unclosed_quote_that_a_later_one_closes_costs_no_good_row(tmp_path):
    read = read_items(written(tmp_path, "x.csv", 'id,title,n\n2,"Open,2\n3,Fine,3\n4,"Quoted",4\n'))
    assert [i.item_id for i in read.items] == ["3", "4"]
    assert list(reasons(read)) == [2]


def test_broken_lines_of_jsonl(tmp_path):
    lines = [
        b'{"id": "1", "title": "Good", "n": 1}',
        b'{"id": "2", "title": "Open"',
        b"[1, 2]",
        b'{"id": "3", "title": "NaN", "n": NaN}',
        b'{"id": "4", "title": "Big", "n": 1e999}',
        b'{"id": "5", "title": "Latin \xe9"}',
        b'{"id": "6", "title": "Lone \\ud800"}',
        b"",
        b'{"id": "7", "title": "Nul \\u0000"}',
        b'{"id": "8", "title": ["no", "text"]}',
        b'{"id": "9", "title": "Digits", "n": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"id": 10, "title": "Line\xe2\x80\xa8separator", "n": 2}',
    ]
    read = read_items(written(tmp_path, "x.jsonl", b"\n".join(lines)))
    assert [i.item_id for i in read.items] == ["1", "10"]
    found = reasons(read)
    assert list(found) == [2, 3, 4, 5, 6, 7, 9, 10, 11, 12]
    assert "not JSON" in found[2] and "a JSON list" in found[3] and "NaN" in found[4] and "no finite" in found[5]
    assert "UTF-8" in found[6] and "lone surrogate" in found[7] and "NUL" in found[9]


def test_broken_rows_of_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    titles = pa.array([b"Good", b"Latin \xe9", None, b"Last"], pa.binary()).view(pa.string())
    table = pa.table({"id": [1.0, 2.0, 3.0, 4.0], "title": titles, "score": [1.5, 2.5, 3.5, float("nan")]})
    pq.write_table(table, tmp_path / "x.parquet")
    read = read_items(tmp_path / "x.parquet")
    assert [(i.item_id, i.title) for i in read.items] == [("1", "Good")]
    assert list(reasons(read)) == [2, 3, 4]


def test_long_titles_are_rejected_and_long_texts_cut(tmp_path):
    rows = [
        {"id": 1, "title": "t" * 501, "text": ""},
        {"id": 2, "title": "t" * 500, "text": "x" * 20_001},
        {"id": 3, "title": "t", "text": "x" * 20_000},
        {"id": "i" * 201, "title": "t", "text": ""},
    ]
    read = read_items(written(tmp_path, "x.jsonl", "\n".join(map(json.dumps, rows))))
    assert [len(i.text) for i in read.items] == [20_000, 20_000]
    assert list(reasons(read)) == [1, 4]
    assert read.warnings == ("1 texts were longer than 20000 characters and were cut there",)


def test_only_the_first_rejections_are_kept_but_all_are_counted(tmp_path):
    rows = "".join(f"{n},\n" for n in range(MAX_REJECTED + 50))
    read = read_items(written(tmp_path, "x.csv", f"id,title\n{rows}x,Good\n"))
    assert (read.accepted, len(read.rejected), read.rejected_count) == (1, MAX_REJECTED, MAX_REJECTED + 50)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.csv", "", "empty"),
        ("x.csv", "id,title\n", "no rows below"),
        ("x.csv", "id,title\n,A\n,B\n", "line 2: 'id' is missing; line 3"),
        ("x.csv", "number,what\n1,A\n", "Its columns are: number, what"),
        ("x.csv", "id,title,id\n1,A,2\n", "two columns named 'id'"),
        ("x.csv", b"\xff\xfei\x00d\x00", "UTF-16"),
        ("x.csv", b"id,title,caf\xe9\n1,A,2\n", "UTF-8"),
        ("x.csv", "\n\n", "columns"),
        ("x.xlsx", "id", ".csv"),
        ("x", "id", ".csv"),
        ("x.jsonl", "\n\n", "no line that holds a JSON object"),
        ("x.jsonl", "[1]\n", "no line that holds a JSON object"),
        ("x.parquet", "PAR1 no parquet", "not a Parquet file"),
    ],
)
def test_a_file_without_a_usable_row_says_why(tmp_path, name, content, says):
    with pytest.raises(ImportDataError, match=says.replace(".", r"\.")):
        read_items(written(tmp_path, name, content))


def test_an_absent_file_or_a_folder(tmp_path):
    with pytest.raises(ImportDataError, match="no file"):
        read_items(tmp_path / "absent.csv")
    with pytest.raises(ImportDataError, match="no file"):
        read_items(tmp_path)


def test_a_column_of_the_mapping_that_is_not_there(tmp_path):
    mapping = Mapping.model_validate({"items": {"item_id": "id", "title": "titel"}})
    with pytest.raises(ImportDataError, match="no column 'titel'. Its columns are: id, title"):
        read_items(written(tmp_path, "x.csv", "id,title\n1,A\n"), mapping)


# -- interactions


KNOWN = {"1", "2", "3"}


def test_interactions_are_understood_without_a_mapping(tmp_path):
    path = written(tmp_path, "r.csv", "userId,movieId,rating,timestamp\nann,1,4,20\nann,2,3.5,\nbob,9,1,3\n")
    read = read_interactions(path, None, KNOWN)
    assert read.interactions == (
        Interaction("ann", "1", "rating", 4.0, 20.0),
        Interaction("ann", "2", "rating", 3.5, None),
    )
    assert reasons(read) == {4: "the item '9' is not in the catalogue"}
    assert read.guessed and read.mapping.interactions.user_id == "userId"
    assert load_mapping(written(tmp_path, "m.yaml", read.mapping.as_yaml())) == read.mapping


@pytest.mark.parametrize("column", ["item_id", "movie_id", "bookId", "ASIN"])
def test_the_id_of_a_row_is_not_taken_for_that_of_the_item(tmp_path, column):
    path = written(tmp_path, "r.csv", f"id,item,user_id,{column},rating\n1,Alien,7,3,5\n2,Clue,7,1,4\n")
    assert [i.item_id for i in read_interactions(path, None, KNOWN).interactions] == ["3", "1"]
    path = written(tmp_path, "r.csv", "id,user_id,item\n1,7,3\n")
    assert [i.item_id for i in read_interactions(path, None, KNOWN).interactions] == ["3"]
    path = written(tmp_path, "r.csv", "user_id,id\n7,3\n")
    assert [i.item_id for i in read_interactions(path, None, KNOWN).interactions] == ["3"]


def test_events_come_from_their_column_or_from_what_there_is(tmp_path):
    path = written(tmp_path, "r.csv", "user,item,event\nann,1,Like\nann,2,\n")
    assert [i.event for i in read_interactions(path, None, KNOWN).interactions] == ["like", "seen"]


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("978300760", 978300760.0),
        ("978300760000", 978300760.0),
        ("978300760000000000", None),
        ("9.5", 9.5),
        ("2000-12-31T22:12:40Z", 978300760.0),
        ("2000-12-31 22:12:40", 978300760.0),
        ("2001-01-01T00:12:40+02:00", 978300760.0),
        ("1970-01-02", 86400.0),
    ],
)
def test_moments(tmp_path, moment, seconds):
    path = written(tmp_path, "r.csv", f"user,item,date\nann,1,{moment}\nann,2,0\n")
    read = read_interactions(path, None, KNOWN)
    assert read.interactions[0].timestamp == (978300760.0 if seconds is None else seconds)


def test_moments_of_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    when = datetime(2000, 12, 31, 22, 12, 40, tzinfo=UTC)
    table = pa.table({"user_id": [1], "item_id": [2], "timestamp": pa.array([when], pa.timestamp("us", "UTC"))})
    pq.write_table(table, tmp_path / "r.parquet")
    read = read_interactions(tmp_path / "r.parquet", None, KNOWN)
    assert read.interactions == (Interaction("1", "2", "seen", None, 978300760.0),)


def test_broken_interactions(tmp_path):
    path = written(
        tmp_path, "r.csv", "user,item,rating,date\n,1,1,1\nann,,1,1\nann,1,x,1\nann,1,1,soon\nann,1,inf,1\nann,1,1,1\n"
    )
    read = read_interactions(path, None, KNOWN)
    assert read.accepted == 1
    found = reasons(read)
    assert list(found) == [2, 3, 4, 5, 6]
    assert "ISO date" in found[5]


def test_interactions_on_unknown_items_only_are_an_error(tmp_path):
    with pytest.raises(ImportDataError, match="line 2: the item '7' is not in the catalogue"):
        read_interactions(written(tmp_path, "r.csv", "user,item\nann,7\n"), None, KNOWN)


def test_progress_is_reported(tmp_path):
    rows = "".join(f"u{n},1\n" for n in range(25_000))
    seen = []
    read_interactions(written(tmp_path, "r.csv", f"user,item\n{rows}"), None, KNOWN, lambda *step: seen.append(step))
    stage = "read interactions"
    assert seen == [(stage, 10_000, None), (stage, 20_000, None), (stage, 25_000, 25_000)]
