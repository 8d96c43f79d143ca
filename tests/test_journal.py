"""The journal: durable before it returns, exact in forgetting, clear about files it can not use."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ramrec.host.errors import UsageError
from ramrec.host.journal import Journal, JournalError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "films.ramrec"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(opened(path)) as journal:
        yield journal


def opened(path: Path | None, data: str = "films") -> Journal:
    return Journal(path, data=data)


def kept(journal: Journal, user: str) -> list[tuple[str, float]]:
    return [(rating.film, rating.stars) for rating in journal.kept(user)]


def test_ratings_are_kept_in_order_and_a_second_one_moves_to_the_end(journal: Journal) -> None:
    for user, film, stars in (
        ("ada", "a", 5),
        ("bob", "a", 1),
        ("ada", "b", 0.5),
        ("ada", "a", 3),
        ("ada", "c", 4),
    ):
        journal.rate(user, film, stars)
    assert kept(journal, "ada") == [("b", 0.5), ("a", 3), ("c", 4)]
    assert [rating.film for rating in journal.history("ada")] == ["a", "b", "a", "c"]
    assert kept(journal, "bob") == [("a", 1)]
    assert kept(journal, "eve") == []
    assert journal.users() == ["ada", "bob"]


def test_forgetting_takes_all_ratings_of_the_film_and_of_this_user_only(journal: Journal) -> None:
    for user, film in (("ada", "a"), ("ada", "b"), ("ada", "a"), ("bob", "a")):
        journal.rate(user, film, 4)
    assert journal.forget("ada", "a")
    assert not journal.forget("ada", "a")
    assert kept(journal, "ada") == [("b", 4)] and len(journal.history("ada")) == 1
    assert kept(journal, "bob") == [("a", 4)]
    assert journal.forget("ada", "b")
    assert journal.users() == ["bob"]


def test_ratings_survive_closing(path: Path) -> None:
    for film in "abc":
        with closing(opened(path)) as journal:
            journal.rate("ada", film, 2.5)
    with closing(opened(path)) as journal:
        assert kept(journal, "ada") == [("a", 2.5), ("b", 2.5), ("c", 2.5)]


@pytest.mark.parametrize("stars", [0, 0.4, 5.5, -1, float("nan"), float("inf")])
def test_ratings_out_of_range_never_get_in(journal: Journal, stars: float) -> None:
    with pytest.raises(UsageError, match=r"0\.5 to 5 stars, not"):
        journal.rate("ada", "a", stars)
    with pytest.raises(UsageError, match="a user needs a name"):
        journal.rate(" ", "a", 3)
    assert journal.users() == []


def test_a_rating_is_on_disk_when_rate_returns(path: Path) -> None:
    script = (
        "import sys, pathlib; from ramrec.host.journal import Journal\n"
        "journal = Journal(pathlib.Path(sys.argv[1]), data='films')\n"
        "for number in range(10**6):\n"
        "    journal.rate('ada', str(number), 4)\n"
        "    print(number, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        said = [process.stdout.readline() for _ in range(20)]
        process.kill()
        said += process.stdout.readlines()
    assert process.wait(timeout=30) == -signal.SIGKILL
    complete = sum(line.endswith("\n") for line in said)
    with closing(Journal(path, data="films")) as journal:
        films = [rating.film for rating in journal.kept("ada")]
    # The rating under way when the process died may be there, too.
    assert films[:complete] == [str(number) for number in range(complete)]
    assert len(films) <= complete + 1


def test_forgetting_erases_the_bytes(path: Path) -> None:
    with closing(opened(path)) as journal:
        for number in range(30):
            journal.rate("ada", f"film-{number}", 4)
        journal.rate("ada", "a-secret-film", 5)
        journal.rate("eve-has-a-name", "film-1", 5)
        everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert b"a-secret-film" in everything and b"eve-has-a-name" in everything
        journal.forget("ada", "a-secret-film")
        journal.forget("eve-has-a-name", "film-1")
        for number in range(10, 20):
            journal.forget("ada", f"film-{number}")
        everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert b"secret" not in everything and b"eve-has" not in everything
        assert not any(b"film-%d" % number in everything for number in range(10, 20))
        assert all(b"film-%d" % number in everything for number in range(20, 30))


def test_another_data_set_is_refused(path: Path) -> None:
    opened(path).close()
    with pytest.raises(JournalError, match="holds ratings of films of films, not of books; choose another"):
        opened(path, data="books")
    opened(path).close()


def test_files_that_are_no_project_are_refused_and_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 100)
    with pytest.raises(JournalError, match="no ramrec project") as caught:
        opened(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert path.read_text() == "Dear diary, " * 100

    other = path.with_suffix(".sqlite")
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE songs (title)")
    with pytest.raises(JournalError, match="a database, but no ramrec project"):
        opened(other)
    with pytest.raises(JournalError, match="folder must exist"):
        opened(path / "nowhere" / "file")
    with pytest.raises(JournalError, match="can not use the project"):
        opened(path.parent)


def test_a_damaged_file_is_refused(path: Path) -> None:
    with closing(opened(path)) as journal:
        for number in range(8):
            journal.rate("ada", f"{number:01000}", 4)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * len(content[4096:])
    path.write_bytes(content)
    with pytest.raises(JournalError, match="damaged, restore it from a copy"):
        opened(path)


def test_a_newer_format_is_refused(path: Path) -> None:
    opened(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="format 99, not 1"):
        opened(path)


def test_one_program_at_a_time(path: Path, journal: Journal) -> None:
    with pytest.raises(JournalError, match="another ramrec has it open"):
        opened(path)
    journal.rate("ada", "a", 4)


def test_films_that_anybody_rated(journal: Journal) -> None:
    for user, film in (("ada", "a"), ("bob", "b"), ("ada", "b"), ("bob", "c")):
        journal.rate(user, film, 4)
    journal.forget("bob", "c")
    assert journal.films() == {"a", "b"}


def test_without_a_file() -> None:
    with closing(opened(None)) as journal:
        journal.rate("ada", "a", 4)
        assert kept(journal, "ada") == [("a", 4)]
