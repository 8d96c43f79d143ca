"""Every MovieLens format is found by its content and gives the same data set; what is not one is named."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ramrec.host.dataset import Dataset, load
from ramrec.host.errors import UsageError
from ramrec.host.formats import classify, opened

RATINGS = [("7", "10", 5, 900), ("7", "30", 3, 800), ("12", "10", 1, 850), ("12", "20", 4, 800)]
FILMS = [
    ("10", "Matrix, The", 1999, ["Action", "Sci-Fi"]),
    ("20", "Amélie (Fabuleux destin d'Amélie Poulain, Le)", 2001, ["Comedy"]),
    ("30", "Unlisted", None, []),
]
GENRES = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary"),
    *("Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller"),
    *("War", "Western"),
]


def dated(title: str, year: int | None) -> str:
    return title if year is None else f"{title} ({year})"


def rows(separator: str) -> str:
    return "".join(separator.join(map(str, rating)) + "\n" for rating in RATINGS)


def write_csv(folder: Path) -> None:
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + rows(","), "utf-8")
    films = "".join(
        f'{film},"{dated(title, year)}",{"|".join(genres) or "(no genres listed)"}\r\n'
        for film, title, year, genres in FILMS
    )
    (folder / "movies.csv").write_bytes(("\ufeffmovieId,title,genres\r\n" + films).encode())
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n10,0133093,603\n", "utf-8")


def write_dat(folder: Path) -> None:
    (folder / "ratings.dat").write_text(rows("::"), "utf-8")
    films = "".join(f"{film}::{dated(title, year)}::{'|'.join(genres)}\n" for film, title, year, genres in FILMS)
    (folder / "movies.dat").write_bytes(films.encode("latin-1"))
    (folder / "users.dat").write_text("7::F::1::10::48067\n12::M::56::16::70072\n", "utf-8")


def write_tab(folder: Path) -> None:
    (folder / "u.data").write_text(rows("\t"), "utf-8")
    (folder / "u1.base").write_text(rows("\t").split("\n")[0] + "\n", "utf-8")
    films = ""
    for film, title, year, genres in FILMS:
        flags = (str(int(genre in genres)) for genre in GENRES)
        films += "|".join([film, dated(title, year), "01-Jan-1999", "", "http://x", *flags]) + "\n"
    (folder / "u.item").write_bytes(films.encode("latin-1"))
    (folder / "u.genre").write_text("unknown|0\nAction|1\n", "utf-8")
    (folder / "u.user").write_text("7|24|M|technician|85711\n", "utf-8")


def write_recbole(folder: Path) -> None:
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    (folder / "tiny.inter").write_text(header + rows("\t"), "utf-8")
    films = "".join(
        f"{film}\t{title}\t{year or 'unknown'}\t{' '.join(genres) or 'unknown'}\n"
        for film, title, year, genres in FILMS
    )
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    (folder / "tiny.item").write_text(header + films, "utf-8")
    (folder / "tiny.link").write_text("item_id:token\tentity_id:token\n10\tm.1\n", "utf-8")
    (folder / "tiny.kg").write_text("head_id:token\trelation_id:token\ttail_id:token\na\tb\tc\n", "utf-8")


Writer = Callable[[Path], None]
WRITERS: dict[str, Writer] = {
    "csv": write_csv,
    "dat": write_dat,
    "tab": write_tab,
    "recbole": write_recbole,
}


def check(data: Dataset) -> None:
    assert data.films["film_id"].to_list() == ["10", "20", "30"]
    assert data.films["title"].to_list() == [
        "The Matrix (1999)",
        "Amélie (Le Fabuleux destin d'Amélie Poulain) (2001)",
        "Unlisted",
    ]
    assert data.films["year"].to_list() == [1999, 2001, None]
    assert data.films["genres"].to_list() == [["Action", "Sci-Fi"], ["Comedy"], []]
    assert data.ratings.rows() == [("12", 1, 4, 800), ("7", 2, 3, 800), ("12", 0, 1, 850), ("7", 0, 5, 900)]


@pytest.mark.parametrize("family", WRITERS)
def test_every_format_gives_the_same_data_set(family: str, tmp_path: Path) -> None:
    WRITERS[family](tmp_path)
    with opened(tmp_path) as files:
        assert files.family == family
    data = load(tmp_path)
    check(data)
    (tmp_path / "reference").mkdir()
    write_csv(tmp_path / "reference")
    assert data.digest == load(tmp_path / "reference").digest


@pytest.mark.parametrize("family", WRITERS)
def test_zip_outer_folder_and_single_file(family: str, tmp_path: Path) -> None:
    folder = tmp_path / "sub" / "ml-x"
    folder.mkdir(parents=True)
    WRITERS[family](folder)
    archive = tmp_path / "ml-x.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("__MACOSX/ml-x/._ratings.csv", b"\x00\x05\x16\x07")
        for path in folder.iterdir():
            file.write(path, f"ml-x/{path.name}")
    with opened(folder) as files:
        ratings, films = files.ratings, files.films
    for path in (archive, folder.parent, ratings, films):
        check(load(path))


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    write_csv(tmp_path)
    (tmp_path / "ratings.csv").rename(tmp_path / "a.txt")
    (tmp_path / "movies.csv").rename(tmp_path / "b")
    check(load(tmp_path))


def test_a_fold_of_u_data_can_be_chosen(tmp_path: Path) -> None:
    write_tab(tmp_path)
    assert load(tmp_path / "u1.base").ratings.height == 1


def test_links(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,10,4,1\n", "utf-8")
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n10,A (1999),War\n11,B (1998),War\n", "utf-8")
    assert load(tmp_path).links is None
    (tmp_path / "links.csv").write_text("movieId,imdbId,tmdbId\n11,0114709,862\n10,0113497,\n99,1,2\n", "utf-8")
    assert load(tmp_path).links.rows() == [(0, "imdb:113497"), (1, "imdb:114709"), (1, "tmdb:862")]


def test_tags(tmp_path: Path) -> None:
    write_csv(tmp_path)
    tags = 'userId,movieId,tag,timestamp\n7,10," Hacker, good",1\n12,10,ROBOT,2\n7,10,robot,3\n'
    tags += "7,99,of no film,4\n7,20,,5\n"
    (tmp_path / "tags.csv").write_text(tags, "utf-8")
    assert load(tmp_path).films["tags"].to_list() == [["hacker, good", "robot"], [], []]
    dat = tmp_path / "dat"
    dat.mkdir()
    write_dat(dat)
    (dat / "tags.dat").write_text("7::10::Robot::2\n7::10::a::b::1\n7::10::robot::2\n", "utf-8")
    assert load(dat).films["tags"].to_list() == [["a::b", "robot"], [], []]


def test_blank_lines_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    write_csv(tmp_path)
    path = tmp_path / "ratings.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    check(load(tmp_path))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04\x00",
        b"movieId,relevance\n1,2\n",
        b"tagId,tag\n1,007\n",
        b"a\tb\tc\td\n",
    ],
)
def test_other_files_are_not_part_of_a_set(head: bytes) -> None:
    assert classify(head) is None


def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such file or folder"), opened(tmp_path / "nowhere"):
        pass


def test_not_a_movielens_format(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="found nothing; pass the unzipped folder"):
        load(tmp_path)
    (tmp_path / "notes.txt").write_text("hello\n", "utf-8")
    (tmp_path / "ratings.csv").touch()
    with pytest.raises(UsageError, match=r"expected ratings\.csv .*, found notes\.txt, ratings\.csv \(empty\)"):
        load(tmp_path)
    with pytest.raises(UsageError, match=r"found notes\.txt; pass the unzipped"):
        load(tmp_path / "notes.txt")


def test_half_a_data_set(tmp_path: Path) -> None:
    write_csv(tmp_path)
    (tmp_path / "movies.csv").unlink()
    with pytest.raises(UsageError, match=r"ratings\.csv \(ratings\)"):
        load(tmp_path)
    with pytest.raises(UsageError, match="put the missing file into"):
        load(tmp_path / "ratings.csv")


def test_two_data_sets_in_one_folder(tmp_path: Path) -> None:
    write_csv(tmp_path)
    write_dat(tmp_path)
    with pytest.raises(UsageError, match=r"several data sets \(csv, dat\); pass one of their files"):
        load(tmp_path)
    check(load(tmp_path / "ratings.dat"))


def test_two_files_of_ratings(tmp_path: Path) -> None:
    write_csv(tmp_path)
    (tmp_path / "ratings.csv").rename(tmp_path / "one.csv")
    (tmp_path / "two.csv").write_bytes((tmp_path / "one.csv").read_bytes())
    with pytest.raises(UsageError, match=r"several files of ratings in one folder \(one.csv, two.csv\)"):
        load(tmp_path)


def test_damaged_zip(tmp_path: Path) -> None:
    write_csv(tmp_path)
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(tmp_path / "ratings.csv", "ratings.csv")
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(UsageError, match="damaged zip archive"):
        load(archive)
