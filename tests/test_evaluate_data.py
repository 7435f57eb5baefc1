import numpy as np
import pytest
from evaluate_data import dataset

from agent.errors import ImportDataError, InputError
from finetune.evaluate.data import from_store, read_folder, restricted, with_texts


def write(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="latin-1")


def triples(data):
    return [
        (data.user_ids[u], data.catalogue[i].item_id, v, t)
        for u, i, v, t in zip(data.users, data.items, data.values, data.timestamps, strict=True)
    ]


RATED = [("7", "20", 4.0, 100.0), ("7", "10", 3.5, 200.0), ("8", "10", 5.0, 300.0)]


def test_movielens_latest(tmp_path):
    write(
        tmp_path,
        movies__csv='movieId,title,genres\n10,"American President, The (1995)",Comedy|Romance\n'
        "20,Untitled,(no genres listed)\n",
        ratings__csv="userId,movieId,rating,timestamp\n7,20,4.0,100\n7,10,3.5,200\n8,10,5.0,300\n",
    )
    data = read_folder(tmp_path)
    assert triples(data) == RATED
    first, second = data.catalogue
    assert first.title == "The American President (1995)"
    assert dict(first.attributes) == {"year": 1995, "genres": ("Comedy", "Romance")}
    assert second.title == "Untitled" and not second.attributes


def test_movielens_one_million(tmp_path):
    write(
        tmp_path,
        movies__dat="10::Misérables, Les (1995)::Drama\n20::Heat (1995)::Action|Crime\n",
        ratings__dat="7::20::4::100\n7::10::3.5::200\n8::10::5::300\n",
        users__dat="7::F::25::3::12345\n8::M::35::4::54321\n",
    )
    data = read_folder(tmp_path)
    assert triples(data) == RATED
    assert data.catalogue[0].title == "Les Misérables (1995)"
    assert data.people["7"] == {"gender": "F", "age": "25", "occupation": "3"}


def test_movielens_hundred_thousand(tmp_path):
    flags = ["0"] * 19
    drama = "|".join(flags[:8] + ["1"] + flags[9:])
    none = "|".join(flags)
    write(
        tmp_path,
        u__item=f"10|Heat (1995)|01-Jan-1995||url|{drama}\n20|Big (1988)|01-Jan-1988||url|{none}\n"
        f"30|unknown||||{none}\n",
        u__data="7\t20\t4\t100\n7\t10\t3.5\t200\n8\t10\t5\t300\n8\t30\t5\t300\n",
        u__user="7|24|M|technician|85711\n8|53|F|other|94043\n",
    )
    data = read_folder(tmp_path)
    assert triples(data) == RATED  # the item without a title is left out
    assert data.catalogue[0].words("genres") == ("Drama",)
    assert data.people["8"]["age"] == "53"


def test_plain_files_and_their_mapping(tmp_path):
    write(
        tmp_path,
        items__csv="item_id,title,description\n10,A,one\n20,B,two\n",
        interactions__csv="user_id,item_id,rating,timestamp\n7,20,4,100\n7,10,3.5,200\n8,10,5,300\n",
    )
    assert triples(read_folder(tmp_path)) == RATED
    write(tmp_path, mapping__yaml="interactions: {user_id: nobody, item_id: item_id}\n")
    with pytest.raises(ImportDataError, match="no column 'nobody'"):
        read_folder(tmp_path)


def test_how_plain_files_were_read_is_told(tmp_path):
    write(
        tmp_path,
        items__csv="item_id,title,none\n10,A,\n20,B,\n",
        interactions__csv="id,user_id,item_id,rating,timestamp\n1,7,20,4,100\n2,7,30,3,150\n3,7,40,3,150\n",
    )
    told = "\n".join(read_folder(tmp_path).remarks)
    assert "items.csv: the column 'none' is empty" in told
    assert "interactions.csv: rows left out: 2, first line 3: the item '30' is not in the catalogue" in told
    (tmp_path / "mapping.yaml").write_text("\n".join(r for r in told.splitlines() if r.startswith("  ")))
    again = read_folder(tmp_path)
    assert len(again) == 1 and again.remarks == read_folder(tmp_path).remarks[-1:]


def test_rows_of_movielens_that_were_left_out_are_told(tmp_path):
    write(
        tmp_path,
        movies__csv="movieId,title,genres\n10,Heat (1995),Action\n11,,Action\n",
        ratings__csv="userId,movieId,rating,timestamp\n7,10,4.0,100\n",
    )
    assert read_folder(tmp_path).remarks == ("movies.csv: rows left out: 1, first line 3: 'title' is missing",)


def test_a_folder_without_the_files_is_told(tmp_path):
    with pytest.raises(ImportDataError, match="There is no folder"):
        read_folder(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ImportDataError, match=r"holds notes.txt. Expected movies.csv and ratings.csv"):
        read_folder(tmp_path)


def test_a_broken_row_is_told_with_its_line(tmp_path):
    write(tmp_path, movies__dat="10::Heat (1995)::Action\n20::Big\n", ratings__dat="7::10::4::100\n")
    with pytest.raises(ImportDataError, match="line 2: 2 values; expected 3"):
        read_folder(tmp_path)


def test_a_rating_that_is_no_number_is_told(tmp_path):
    write(tmp_path, movies__dat="10::Heat (1995)::Action\n", ratings__dat="7::10::good::100\n")
    with pytest.raises(ImportDataError, match="row 1"):
        read_folder(tmp_path)


def test_texts_come_by_id(tmp_path):
    data = dataset([[0, 1, 2]])
    write(tmp_path, texts__csv='item_id,title,description\nitem1,Whatever,"A long tale of two cities."\n')
    told = with_texts(data, tmp_path / "texts.csv")
    assert told.catalogue[1].text == "A long tale of two cities."
    assert told.catalogue[1].title == "Title 1" and told.catalogue[0] == data.catalogue[0]
    write(tmp_path, others__csv="item_id,title,description\nx,Whatever,Something else\n")
    with pytest.raises(InputError, match="no item of 'made-up'"):
        with_texts(data, tmp_path / "others.csv")


def test_restricted_keeps_what_is_spoken_of():
    data = dataset([[0, 1], [3, 1]], n_items=5)
    kept = restricted(data, np.array([False, True, True, False]))
    assert [i.item_id for i in kept.catalogue] == ["item1", "item3"]
    assert triples(kept) == [("p0", "item1", 5.0, 1.0), ("p1", "item3", 5.0, 0.0)]


def test_the_fingerprint_tells_data_apart():
    first, second = dataset([[0, 1, 2]]), dataset([[0, 2, 1]])
    assert first.fingerprint() == dataset([[0, 1, 2]]).fingerprint() != second.fingerprint()


def test_a_workspace_gives_the_same(small):
    data = from_store(small.workspace.store, "small")
    assert data.n_items == 13 and len(data) == small.workspace.store.count_interactions()
    assert triples(data)[0] == ("p0", "1", 3.0, 1.0)


def test_no_interactions_is_an_error():
    data = dataset([[0, 1]])
    with pytest.raises(InputError, match="0 interactions"):
        restricted(data, np.zeros(2, dtype=bool))
