"""The canonical form, its errors with file and line, the digest, and looking films up by title."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from ramrec.host.cli import main
from ramrec.host.dataset import Dataset, find_film, load
from ramrec.host.errors import UsageError

RATINGS = "userId,movieId,rating,timestamp\n1,5,4.5,100\n2,5,0.5,90\n1,6,5,90\n"
MOVIES = 'movieId,title,genres\n5,"Thing, The (1982)",Horror\n6,Alien (1979),Horror|Sci-Fi\n7,Alien,Drama\n'


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))


def write(folder: Path, ratings: str = RATINGS, movies: str = MOVIES) -> Path:
    path = folder / "set"
    path.mkdir(exist_ok=True)
    (path / "ratings.csv").write_text(ratings, "utf-8")
    (path / "movies.csv").write_text(movies, "utf-8")
    return path


def test_canonical_form(tmp_path: Path) -> None:
    data = load(write(tmp_path))
    assert data.ratings.schema == {
        "user": pl.String,
        "film": pl.UInt32,
        "rating": pl.Float32,
        "time": pl.Int64,
    }
    assert data.ratings.rows() == [("1", 1, 5.0, 90), ("2", 0, 0.5, 90), ("1", 0, 4.5, 100)]
    assert data.films.schema == {
        "film_id": pl.String,
        "title": pl.String,
        "year": pl.Int32,
        "genres": pl.List(pl.String),
        "tags": pl.List(pl.String),
    }
    assert data.films["title"].to_list() == ["The Thing (1982)", "Alien (1979)", "Alien"]
    assert (data.name, data.source) == ("set", str(tmp_path / "set"))


def test_licence_follows_the_name(tmp_path: Path) -> None:
    folder = write(tmp_path).rename(tmp_path / "ml-latest-small")
    for path in (folder, folder / "ratings.csv"):
        data = load(path)
        assert data.name == "ml-latest-small"
        assert "redistribution under the same terms" in data.licence


def test_digest_sees_content_and_not_the_order_of_lines(tmp_path: Path) -> None:
    digest = load(write(tmp_path)).digest
    assert digest == "cc6fc548f25b4238526c974cb33f724b25f2af43d44b248f4624f9609f435bc3"
    head, *lines = RATINGS.splitlines()
    assert load(write(tmp_path, "\r\n".join([head, *reversed(lines)]))).digest == digest
    changed = [
        (RATINGS.replace("4.5", "4"), MOVIES),
        (RATINGS.replace("100", "101"), MOVIES),
        (RATINGS.replace("2,5", "3,5"), MOVIES),
        (RATINGS, MOVIES.replace("Sci-Fi", "War")),
        (RATINGS, MOVIES.replace("1979", "1978")),
    ]
    assert len({digest, *(load(write(tmp_path, *texts)).digest for texts in changed)}) == 6


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        (RATINGS.replace("rating,", "stars,"), r"ratings\.csv: no column rating; expected .*, found userId,"),
        (
            RATINGS.replace("0.5", "good"),
            r'ratings\.csv, line 3: expected a rating as a number, found "good"',
        ),
        (RATINGS.replace("0.5", "nan"), r'ratings\.csv, line 3: expected a rating as a number, found "nan"'),
        (
            RATINGS.replace("0.5", "5.5"),
            r"ratings\.csv, line 3: expected a rating of 0.5 to 5 stars, found 5.5",
        ),
        (RATINGS.replace("0.5", "0"), r"ratings\.csv, line 3: expected a rating of 0.5 to 5 stars, found 0"),
        (RATINGS.replace("2,5,0.5,90", "2,5,0.5"), r"ratings\.csv, line 3: no time"),
        (RATINGS.replace("2,5,0.5", ",5,0.5"), r"ratings\.csv, line 3: no user"),
        (
            RATINGS.replace("100", "noon"),
            r'ratings\.csv, line 2: expected a time in seconds .*, found "noon"',
        ),
        (RATINGS.replace("2,5,", "2,8,"), r'ratings\.csv, line 3: film id "8" is not in movies\.csv'),
        (
            RATINGS.replace("1,6", "1,5"),
            r'line 4: user "1" has rated film "5" on line 2; keep one of the two',
        ),
        (RATINGS.replace("0.5", "0,5"), r'ratings\.csv, line 3: expected 4 fields between ",", found 5'),
        (RATINGS.replace("2,5", '"2,5'), r"ratings\.csv: cannot be read as a table; expected one record"),
        (RATINGS.replace("1,5,4.5", "1,5,4,5"), r'line 2: expected 4 fields between ",", found 5'),
        (RATINGS.splitlines()[0] + "\n", r"ratings\.csv: no ratings; expected at least one"),
    ],
)
def test_wrong_ratings(ratings: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load(write(tmp_path, ratings))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("movies", "message"),
    [
        (MOVIES.replace("title", "name"), r"movies\.csv: no column title; expected movieId, title, genres"),
        (MOVIES.replace("6,", ","), r"movies\.csv, line 3: no id of a film"),
        (MOVIES.replace(",Alien (1979),", ",,"), r"movies\.csv, line 3: no title of a film"),
        (MOVIES.replace("7,", "5,"), r'movies\.csv, line 4: film id "5" comes twice'),
        (MOVIES.replace('"', ""), r'movies\.csv, line 2: expected 3 fields between ",", found 4'),
        (MOVIES.splitlines()[0], r"movies\.csv: no films; expected at least one"),
    ],
)
def test_wrong_films(movies: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        load(write(tmp_path, movies=movies))


def test_wrong_line_in_files_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::5::4::9\n2::5::4::9\n3:5:4:9\n", "utf-8")
    (tmp_path / "movies.dat").write_text("5::Alien (1979)::Horror\n", "utf-8")
    with pytest.raises(UsageError, match=r"ratings\.dat, line 3: no rating"):
        load(tmp_path)
    (tmp_path / "movies.dat").write_text("5::Alien (1979)::Horror\n6:Heat\n", "utf-8")
    with pytest.raises(UsageError, match=r"movies\.dat, line 2: no id of a film"):
        load(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="/dev/null")
def test_path_that_cannot_be_read() -> None:
    with pytest.raises(UsageError, match="/dev/null: cannot be read"):
        load("/dev/null")


def test_neither_path_nor_name() -> None:
    with pytest.raises(UsageError, match='"ml-100" is neither a path nor a known data set; known: ml-100k, '):
        load("ml-100")


TITLES = [
    "Alien (1979)",
    "The Matrix (1999)",
    "Cape Fear (1962)",
    "Cape Fear (1991)",
    "Seven (a.k.a. Se7en) (1995)",
    "The Blue Angel (Der Blaue Engel) (1930)",
    "Spider-Man (2002)",
    "Star Wars: Episode IV - A New Hope (1977)",
    "#Horror (2015)",
    "Amélie (2001)",
    "Twin (1990)",
    "Twin (1990)",
    "ALIEN (1979)",
    "300 (2007)",
    "L'Avventura (1960)",
]
FILMS = pl.DataFrame({"film_id": [str(100 + row) for row in range(len(TITLES))], "title": TITLES})


@pytest.mark.parametrize(
    ("text", "film"),
    [
        ("Alien (1979)", 0),
        ("ALIEN (1979)", 12),
        ("  The Matrix (1999) ", 1),
        ("the matrix", 1),
        ("Matrix, The (1999)", 1),
        ("matrix, the", 1),
        ("Matrix", 1),
        ("cape fear (1991)", 3),
        ("se7en", 4),
        ("Seven", 4),
        ("seven (1995)", 4),
        ("Blaue Engel, Der", 5),
        ("spiderman", 6),
        ("#Horror", 8),
        ("amelie", 9),
        ("#111", 11),
        ("300", 13),
        ("Avventura, L'", 14),
    ],
)
def test_find_film(text: str, film: int) -> None:
    assert find_film(FILMS, text) == film


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Alein (1979)", r'^unknown film "Alein \(1979\)"; closest: "Alien \(1979\)", ".*", ".*"$|"ALIEN'),
        ("Alein", 'closest: "Alien'),
        ("star wars", 'closest: "Star Wars: Episode IV'),
        ("The Matrix (1998)", 'closest: "The Matrix'),
        (
            "Cape Fear",
            r'names 2 films: "Cape Fear \(1962\)" \(#102\) or "Cape Fear \(1991\)" \(#103\)',
        ),
        ("Twin (1990)", r"names 2 films: .*#110.*#111.*; use the full title or #id"),
        ("#99", 'unknown film "#99"'),
        ("alien", "names 2 films"),
        (" ", "no film named"),
    ],
)
def test_film_not_found(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        find_film(FILMS, text)
    assert "\n" not in str(caught.value)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(["data", *args])
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return run


def test_data_info(run: Run, tmp_path: Path) -> None:
    folder = str(write(tmp_path))
    code, out, _ = run("info", folder, "--json")
    info = json.loads(out)
    assert code == 0
    assert (info["users"], info["films"], info["ratings"], info["tags"]) == (2, 3, 3, 0)
    assert info["histogram"] == {"0.5": 1, "4.5": 1, "5": 1}
    assert (info["density"], info["years"], info["rated"]) == (0.5, [1979, 1982], [1970, 1970])
    code, out, _ = run("info", folder)
    assert code == 0
    assert info["digest"] in out
    assert "0.5 stars" in out


def test_data_list_and_errors(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("list", "--json")
    assert code == 0
    assert [one["name"] for one in json.loads(out)["sets"]][:2] == ["ml-100k", "ml-latest-small"]
    assert "ml-32m" in run("list")[1]
    code, out, err = run("info", str(tmp_path / "nowhere"), "--json")
    assert (code, err) == (2, "")
    assert "neither a path nor a known data set" in json.loads(out)["error"]
    code, out, err = run("fetch", "ml-0")
    assert (code, out) == (2, "")
    assert err.startswith('error: unknown data set "ml-0"; known: ml-100k')
    assert err.count("\n") == 1


def test_dataset_is_frozen(tmp_path: Path) -> None:
    data = load(write(tmp_path))
    assert isinstance(data, Dataset)
    with pytest.raises(AttributeError):
        data.name = "other"  # type: ignore[misc]
