"""The recommender on a golden device: what a script sees, and what device and journal hold behind it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ramrec.hdl import protocol
from ramrec.hdl.geometry import TINY, Geometry
from ramrec.host import Recommender, User
from ramrec.host.catalogue import Catalogue
from ramrec.host.driver import Driver
from ramrec.host.errors import RamrecError, UsageError
from ramrec.host.features import Vocabulary
from ramrec.host.film_model import FilmModel
from ramrec.host.journal import Journal
from ramrec.host.self_test import self_test
from ramrec.host.transport import LinkError, Transport, open_transport
from ramrec.sim.golden import Agent
from ramrec.sim.golden_device import GoldenDevice

FILMS = 20
STARS = [0.5, 5, 3, 4, 1.5, 2, 4.5, 3.5]


def catalogue(geometry: Geometry = TINY, films: int = FILMS) -> Catalogue:
    rng = np.random.default_rng(3)
    vocabulary = Vocabulary((), ())
    factors = 4
    model = FilmModel(
        vocabulary=vocabulary,
        weights=np.zeros((vocabulary.columns, 1 + factors)),
        centre=np.zeros(factors),
        rotation=np.zeros((factors, geometry.code_bits)),
        mean=3.5,
        like_rate=0.5,
        like_line=(0.0, 1.0),
    )
    unit = 64 << geometry.prior_shift
    return Catalogue(
        geometry=geometry,
        film_ids=tuple(f"id{film}" for film in range(films)),
        titles=tuple(f"Film {chr(65 + film)} ({1980 + film})" for film in range(films)),
        genres=tuple(("Odd", "Prime") if film in (3, 5, 7) else ("Odd",) * (film % 2) for film in range(films)),
        codes=rng.integers(0, 256, (films, geometry.code_bytes), dtype=np.uint8),
        priors=rng.integers(-40, 40, films, dtype=np.int8),
        targets=model.targets(unit, geometry.target_max),
        thresholds=np.linspace(60, 30, geometry.memory_depth + 1).astype(np.int32),
        popularity=rng.permutation(films).astype(np.int32),
        name="synthetic",
        licence="none",
        data_digest="0",
        encoder={},
        model=model,
    )


class Board:
    """A golden device with a plug and a reset button, which counts what it executes."""

    def __init__(self, geometry: Geometry = TINY) -> None:
        self.geometry = geometry
        self.plugged = True
        self.restart_in: int | None = None
        self.operations: list[protocol.Op] = []
        self._answer = b""
        self.reset()

    def reset(self) -> None:
        self.device = GoldenDevice(self.geometry)

    def write(self, data: bytes) -> None:
        if not self.plugged:
            raise LinkError("unplugged")
        for frame in data.split(b"\0"):
            if frame:
                if self.restart_in is not None:
                    self.restart_in -= 1
                    if self.restart_in < 0:
                        self.restart_in = None
                        self.reset()
                self.operations.append(protocol.Op(protocol.decode_frame(frame)[1] & ~protocol.INLINE))
                self._answer += self.device.receive(frame)

    def read(self, timeout: float) -> bytes:
        answer, self._answer = self._answer, b""
        return answer

    def close(self) -> None:
        pass


def start(board: Transport, films: Catalogue, project: Path | None = None, geometry: Geometry = TINY) -> Recommender:
    journal = Journal(project, data=films.name)
    return Recommender(board, journal, films, geometry)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def rec(board: Board) -> Iterator[Recommender]:
    with start(board, catalogue()) as recommender:
        yield recommender


def expected(user: User, rec: Recommender) -> Agent:
    """The golden agent that the user's latest ratings make, film numbers being rows of the catalogue."""
    films = rec.catalogue
    agent = Agent(TINY)
    for title, stars in user.ratings():
        row = films.titles.index(title)
        agent.rate(row, films.codes[row].tobytes(), int(films.priors[row]), films.target(stars))
    return agent


def title(film: int) -> str:
    return f"Film {chr(65 + film)} ({1980 + film})"


def stars_of(rec: Recommender, score: int) -> float:
    return round(float(np.interp(score, rec.catalogue.targets, np.arange(1, 11) / 2)), 2)


def test_a_session(rec: Recommender) -> None:
    ada = rec.user("ada")
    for film, stars in enumerate(STARS[:5]):
        assert ada.rate(f"film {chr(97 + film)}", stars + 1e-9) == title(film)
    agent = expected(ada, rec)
    assert ada.digest() == protocol.digest(agent.words())
    assert ada.ratings() == [(title(film), stars) for film, stars in enumerate(STARS[:5])]
    scores = agent.scores(rec.catalogue.codes, rec.catalogue.priors.tolist())
    order = sorted(range(5, FILMS), key=lambda film: (-scores[film], film))
    ranked = [(title(film), stars_of(rec, int(scores[film]))) for film in order]
    assert ada.recommend(3) == ranked[:3]
    assert ada.recommend(11) == ranked[:11]
    assert ada.recommend(3) == ranked[:3]
    assert ada.recommend(100) == ranked
    like = bool(scores[6] >= rec.catalogue.thresholds[5])
    assert ada.predict("film g") == (stars_of(rec, int(scores[6])), like)
    assert rec.users() == ["ada"]


def test_forgetting_is_as_if_never_rated(rec: Recommender, board: Board) -> None:
    ada, bob = rec.user("ada"), rec.user("bob")
    for film in (0, 1, 2):
        ada.rate(title(film), STARS[film])
        if film != 1:
            bob.rate(title(film), STARS[film])
    assert ada.digest() != bob.digest()
    assert ada.forget("film b") == title(1)
    assert board.operations[-1] == protocol.Op.FORGET
    assert ada.digest() == bob.digest()
    assert ada.ratings() == bob.ratings()
    with pytest.raises(UsageError, match=r"ada has not rated Film B \(1981\)"):
        ada.forget(title(1))


def test_forgetting_brings_back_what_had_no_room(rec: Recommender) -> None:
    ada = rec.user("ada")
    for film in range(8):
        ada.rate(title(film), STARS[film])
    assert [entry.item for entry in expected(ada, rec).entries] == [2, 3, 4, 5, 6, 7]
    ada.forget(title(4))
    bob = rec.user("bob")
    for film in (0, 1, 2, 3, 5, 6, 7):
        bob.rate(title(film), STARS[film])
    assert ada.digest() == bob.digest() == protocol.digest(expected(bob, rec).words())
    assert [entry.item for entry in expected(bob, rec).entries] == [1, 2, 3, 5, 6, 7]


def test_films_without_room_in_the_memory_are_not_recommended(rec: Recommender) -> None:
    ada = rec.user("ada")
    for film in range(10):
        ada.rate(title(film), 3)
    assert {film for film, _ in ada.recommend(100)} == {title(film) for film in range(10, FILMS)}


def test_explanation_adds_up(rec: Recommender) -> None:
    ada = rec.user("ada")
    cold = ada.explain(title(9))
    assert cold.contributions == () and cold.sum == cold.prior
    for film, stars in enumerate(STARS):
        ada.rate(title(film), stars)
    why = ada.explain("film j")
    assert why.title == title(9) and len(why.contributions) == TINY.memory_depth
    parts = [one.part for one in why.contributions]
    assert [abs(part) for part in parts] == sorted(map(abs, parts), reverse=True)
    assert why.sum == pytest.approx(why.prior + sum(parts))
    assert (why.stars, why.like) == ada.predict(title(9))
    assert why.like == (why.sum >= why.needed)
    text = str(why).splitlines()
    assert text[0].startswith("Film J (1989): ") and len(text) == 3 + TINY.memory_depth
    for line, one in zip(text[2:], why.contributions, strict=False):
        assert dict(ada.ratings())[one.title] == one.stars
        assert line.startswith(f"{one.part:+8.3f}  your {one.stars:g} stars for {one.title}, ")


@pytest.mark.parametrize("stars", [0, 5.5, 3.3, float("nan")])
def test_bad_requests_reach_neither_journal_nor_device(rec: Recommender, board: Board, stars: float) -> None:
    ada = rec.user("ada")
    before = len(board.operations)
    with pytest.raises(UsageError, match=r"0\.5 to 5 stars"):
        ada.rate(title(1), stars)
    with pytest.raises(UsageError, match="unknown film"):
        ada.rate("Alien (1979)", 5)
    with pytest.raises(UsageError, match="at least 1"):
        ada.recommend(0)
    with pytest.raises(UsageError, match="needs a name"):
        rec.user("")
    assert rec.users() == [] and len(board.operations) == before


def test_more_users_than_slots(rec: Recommender, board: Board) -> None:
    users = [rec.user(f"user {number}") for number in range(7)]
    rng = np.random.default_rng(5)
    for _ in range(60):
        users[rng.integers(7)].rate(title(int(rng.integers(FILMS))), float(rng.choice(STARS)))
    for user in users:
        assert user.digest() == protocol.digest(expected(user, rec).words())
    before = board.operations.count(protocol.Op.RESTORE)
    for _ in range(3):
        for user in users[-TINY.users :]:
            user.predict(title(0))
    assert board.operations.count(protocol.Op.RESTORE) == before


@pytest.mark.parametrize("after", range(12))
def test_a_restart_at_any_moment_is_not_noticed(rec: Recommender, board: Board, after: int) -> None:
    ada = rec.user("ada")
    for film in range(8):
        ada.rate(title(film), STARS[film])
    board.restart_in = after
    ada.rate(title(9), 5)
    ada.forget(title(3))
    ranked = ada.recommend(6)
    why = ada.explain(title(12))
    assert ada.digest() == protocol.digest(expected(ada, rec).words())
    with start(Board(), rec.catalogue) as other:
        eve = other.user("eve")
        for rated, stars in ada.ratings():
            eve.rate(rated, stars)
        assert (eve.recommend(6), eve.explain(title(12))) == (ranked, why)


def test_unplugging_loses_nothing(rec: Recommender, board: Board) -> None:
    ada = rec.user("ada")
    ada.rate(title(0), 5)
    board.plugged = False
    with pytest.raises(LinkError, match="unplugged"):
        ada.rate(title(1), 2)
    board.plugged = True
    board.reset()
    assert [film for film, _ in ada.ratings()] == [title(0), title(1)]
    assert ada.digest() == protocol.digest(expected(ada, rec).words())


def test_a_self_test_in_between_loses_nothing(board: Board, tmp_path: Path) -> None:
    project = tmp_path / "project"
    with start(board, catalogue(), project) as rec:
        rec.user("ada").rate("Film D (1983)", 5)
        before = rec.user("ada").recommend(4)
    driver = Driver(board, TINY)
    driver.hello()
    assert self_test(driver, TINY, loops=1) is None
    assert board.device.loaded == 0
    with start(board, catalogue(), project) as rec:
        assert rec.user("ada").recommend(4) == before


def test_a_project_is_replayed_on_another_device(tmp_path: Path) -> None:
    project, films = tmp_path / "p.ramrec", catalogue()
    with start(Board(), films, project) as rec:
        for film in range(8):
            rec.user("ada").rate(title(film), STARS[film])
        digest = rec.user("ada").digest()
    board = Board()
    with start(board, films, project) as rec:
        assert rec.users() == ["ada"] and rec.user("ada").digest() == digest
    loads = board.operations.count(protocol.Op.LOAD)
    with start(board, films, project) as rec:
        rec.user("ada").rate(title(9), 1)
    assert board.operations.count(protocol.Op.LOAD) == loads
    with start(board, films, project) as rec:
        assert rec.user("ada").digest() == protocol.digest(expected(rec.user("ada"), rec).words())


def test_a_device_that_learns_otherwise_is_found_out(
    board: Board, rec: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    rec.user("ada").rate(title(0), 5)
    board.reset()
    monkeypatch.setattr("ramrec.host.slots.agent_digest", lambda geometry, ratings, codes: 0)
    with pytest.raises(RamrecError, match="learns otherwise than the golden model"):
        rec.user("ada").rate(title(1), 5)


def ranking(user: User, rec: Recommender, rows: Iterable[int]) -> list[tuple[str, float]]:
    """Titles and stars of those of the films that the user has not rated, best first; of equal ones by row."""
    films, rated = rec.catalogue, {film for film, _ in user.ratings()}
    scores = expected(user, rec).scores(films.codes, films.priors.tolist())
    order = sorted((row for row in rows if films.titles[row] not in rated), key=lambda row: (-scores[row], row))
    return [(films.titles[row], stars_of(rec, int(scores[row]))) for row in order]


def test_recommending_some_films_only(rec: Recommender) -> None:
    ada = rec.user("ada")
    for film in range(8):
        ada.rate(title(film), STARS[film])
    odd = ranking(ada, rec, range(1, FILMS, 2))
    assert len(odd) == 6 > TINY.top_k
    assert ada.recommend(100, genre="odd") == odd
    assert ada.recommend(5, genre="Odd") == odd[:5]
    assert ada.recommend(10, genre="prime") == []
    chosen = [3, 10, 13, 16, 17, 18, 19]
    names = [title(row) for row in chosen]
    assert ada.recommend(10, among=names) == ranking(ada, rec, chosen)
    assert ada.recommend(10, among=names, genre="ODD") == ranking(ada, rec, [13, 17, 19])
    assert ada.recommend(10, among=[]) == []
    assert ada.recommend(100) == ranking(ada, rec, range(FILMS))
    with pytest.raises(UsageError, match="synthetic has no genre 'Even'; it has Odd, Prime"):
        ada.recommend(3, genre="Even")
    with pytest.raises(UsageError, match="unknown film"):
        ada.recommend(3, among=["Alien (1979)"])


SMALL = TINY.with_(catalogue_depth=12)


def rows_by_popularity(films: Catalogue) -> list[int]:
    rows: list[int] = np.argsort(-films.popularity, kind="stable").tolist()
    return rows


def resident(board: Board, films: Catalogue) -> set[int]:
    """Rows of the films that the device holds; no two codes are equal."""
    rows = {code.tobytes(): row for row, code in enumerate(films.codes)}
    assert len(rows) == len(films)
    held = {rows[code.tobytes()] for code in board.device.codes[: board.device.loaded]}
    assert len(held) == board.device.loaded == board.geometry.catalogue_depth
    return held


def beliefs(board: Board, slot: int) -> list[tuple[bytes, int]]:
    """What an agent on the device keeps, apart from the item numbers."""
    return [(entry.code, entry.e) for entry in board.device.agents[slot].entries]


def test_ratings_of_films_that_the_device_does_not_hold_count() -> None:
    board, films = Board(SMALL), catalogue(films=40)
    order = rows_by_popularity(films)
    with start(board, films, geometry=SMALL) as rec:
        ada = rec.user("ada")
        assert resident(board, films) == set(order[:12])
        ada.rate(films.titles[order[30]], 5)
        assert resident(board, films) == {*order[:11], order[30]}
        ada.rate(films.titles[order[10]], 2)
        loads = board.operations.count(protocol.Op.LOAD)
        ada.rate(films.titles[order[20]], 4.5)
        assert board.operations.count(protocol.Op.LOAD) == loads + 1
        held = {*order[:9], order[10], order[20], order[30]}
        assert resident(board, films) == held
        agent = expected(ada, rec)
        assert beliefs(board, 0) == [(entry.code, entry.e) for entry in agent.entries]
        assert ada.recommend(100) == ranking(ada, rec, held)
        stranger = order[35]
        score = int(agent.scores(films.codes[[stranger]], [int(films.priors[stranger])])[0])
        assert ada.predict(films.titles[stranger]).score == stars_of(rec, score)
        why = ada.explain(films.titles[stranger])
        assert {one.title for one in why.contributions} == {films.titles[order[at]] for at in (30, 10, 20)}
        assert (why.stars, why.like) == ada.predict(films.titles[stranger])
        assert resident(board, films) == held
        assert ada.recommend(9, among=[films.titles[stranger]]) == []


def test_many_users_share_a_small_device(tmp_path: Path) -> None:
    films = catalogue(films=40)
    rng = np.random.default_rng(11)
    for _ in range(3):
        board = Board(SMALL)
        with start(board, films, tmp_path / "p.ramrec", SMALL) as rec:
            users = [rec.user(f"user {number}") for number in range(5)]
            for _ in range(40):
                user = users[rng.integers(5)]
                rated = [film for film, _ in user.ratings()]
                if rated and rng.random() < 0.3:
                    user.forget(str(rng.choice(rated)))
                else:
                    user.rate(films.titles[rng.integers(40)], float(rng.choice(STARS)))
                slot = board.device._selected
                agent = expected(user, rec)
                assert beliefs(board, slot) == [(entry.code, entry.e) for entry in agent.entries]
                ranked = user.recommend(20)
                assert sorted(ranked) == sorted(ranking(user, rec, resident(board, films)))
                assert [stars for _, stars in ranked] == sorted((stars for _, stars in ranked), reverse=True)


def test_rated_films_are_resident_from_the_start(tmp_path: Path) -> None:
    project, films = tmp_path / "p.ramrec", catalogue(films=40)
    order = rows_by_popularity(films)
    with start(Board(SMALL), films, project, SMALL) as rec:
        for name, row in (("ada", order[39]), ("bob", order[38]), ("bob", order[2]), ("cleo", order[37])):
            rec.user(name).rate(films.titles[row], 4)
        rec.user("cleo").forget(films.titles[order[37]])
    board = Board(SMALL)
    with start(board, films, project, SMALL) as rec:
        assert resident(board, films) == {*order[:10], order[39], order[38]}
        loads = board.operations.count(protocol.Op.LOAD)
        for name in ("ada", "bob"):
            rec.user(name).digest()
        assert board.operations.count(protocol.Op.LOAD) == loads


def test_films_that_others_rated_go_last() -> None:
    board, films = Board(SMALL), catalogue(films=40)
    order = rows_by_popularity(films)
    with start(board, films, geometry=SMALL) as rec:
        for at, name in enumerate(("ada", "bob")):
            for row in order[20 + 6 * at : 26 + 6 * at]:
                rec.user(name).rate(films.titles[row], 4)
        assert resident(board, films) == set(order[20:32])
        rec.user("cleo").rate(films.titles[order[39]], 1)
        assert resident(board, films) == {*order[20:31], order[39]}
        for name, rows in (("ada", order[20:26]), ("bob", order[26:32]), ("cleo", [order[39]])):
            agent = expected(rec.user(name), rec)
            rec.user(name).digest()
            assert beliefs(board, board.device._selected) == [(entry.code, entry.e) for entry in agent.entries]
            assert resident(board, films) >= set(rows)


def test_a_restart_while_a_film_is_loaded_is_not_noticed() -> None:
    films = catalogue(films=40)
    order = rows_by_popularity(films)
    for after in range(6):
        board = Board(SMALL)
        with start(board, films, geometry=SMALL) as rec:
            ada = rec.user("ada")
            ada.rate(films.titles[order[0]], 5)
            board.restart_in = after
            ada.rate(films.titles[order[33]], 2)
            ada.digest()
            agent = expected(ada, rec)
            assert beliefs(board, board.device._selected) == [(entry.code, entry.e) for entry in agent.entries]
            assert order[33] in resident(board, films)


def test_a_device_too_small_for_one_agent_is_refused() -> None:
    small = TINY.with_(catalogue_depth=5)
    with pytest.raises(RamrecError, match="holds 5 films, but its agents keep ratings of 6 out of 40 films; choose"):
        start(Board(small), catalogue(films=40), geometry=small)
    with start(Board(small), catalogue(films=5), geometry=small) as rec:
        assert rec.user("ada").recommend(1)


def test_open_with_a_catalogue_file(tmp_path: Path) -> None:
    file, project = tmp_path / "films.npz", tmp_path / "p.ramrec"
    catalogue().save(file)
    with Recommender.open("golden", catalogue=file, geometry=TINY, project=project) as rec:
        rec.user("ada").rate(title(0), 5)
    with Recommender.open("golden", catalogue=file, geometry="TINY", project=project) as rec:
        assert rec.user("ada").ratings() == [(title(0), 5)]
    with pytest.raises(RamrecError, match="memory_depth"):
        Recommender.open("golden", catalogue=file, geometry="UP5K")
    with pytest.raises(UsageError, match="one of TINY, UP5K"):
        Recommender.open("golden", catalogue=file, geometry="ICE")
    with pytest.raises(UsageError, match="a backend is one of golden"):
        Recommender.open("silver", catalogue=file, geometry="TINY", project=project)
    with pytest.raises(UsageError, match="a backend is one of golden"):
        Recommender.open("silver", "found out before any data are looked for")
    with Recommender.open("golden", catalogue=catalogue(), geometry="tiny:catalogue_depth=8") as rec:
        assert rec.geometry.catalogue_depth == 8
    with Recommender.open("golden", catalogue=file, geometry="TINY", project=project):
        pass


def data_set(folder: Path) -> Path:
    """Sixty films and eighty people, half of whom love the odd ones."""
    rng = np.random.default_rng(0)
    films = [f"{film},Film {film} ({1950 + film}),{'Drama' if film % 2 else 'Comedy'}" for film in range(60)]
    ratings = [
        f"{person},{film},{4.5 if film % 2 == person % 2 else 2},{1000 * person + film}"
        for person in range(80)
        for film in rng.choice(60, 25, replace=False)
    ]
    folder.mkdir()
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *films, ""]))
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings, ""]))
    return folder


def test_open_with_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    data = data_set(tmp_path / "set")
    with Recommender.open("golden", data) as rec:
        ada = rec.user("ada")
        for film in range(1, 20, 2):
            ada.rate(f"Film {film} ({1950 + film})", 5)
        best = [rec.catalogue.titles.index(film) for film, _ in ada.recommend(10)]
        assert all(film % 2 for film in best)
        digest = rec.catalogue.digest
    (file,) = (tmp_path / "cache" / "catalogues").iterdir()
    written = file.stat().st_mtime_ns
    with Recommender.open("golden", data) as rec:
        assert rec.catalogue.digest == digest and file.stat().st_mtime_ns == written
    file.write_bytes(b"damaged")
    with Recommender.open("golden", data) as rec:
        assert rec.catalogue.digest == digest
    with Recommender.open("golden", data, geometry="TINY") as rec:
        assert rec.user("ada").recommend(1)


def test_golden_transport_is_a_board() -> None:
    with start(open_transport("golden", TINY), catalogue()) as rec:
        assert rec.user("ada").recommend(1)


def test_a_host_that_forgets_what_is_outdated() -> None:
    geometry = TINY.with_(memory_depth=60, catalogue_depth=80, users=3)
    films = catalogue(geometry, 80)
    odd = np.arange(80) % 2 == 1
    codes = np.where(odd[:, None], 255, 0).astype(np.uint8).repeat(geometry.code_bytes, axis=1)
    films = replace(films, codes=codes, priors=np.zeros(80, np.int8))
    board = Board(geometry)
    with Recommender(board, Journal(None, data=films.name), films, geometry, forget_outdated=True) as rec:
        ada, bob, eve = (rec.user(name) for name in ("ada", "bob", "eve"))
        for film in range(56):
            turned = film >= 40
            ada.rate(films.titles[film], 5 if odd[film] != turned else 1)
            eve.rate(films.titles[film], 5 if odd[film] else 1)
            if turned:
                bob.rate(films.titles[film], 1 if odd[film] else 5)
        assert ada.digest() == bob.digest()
        assert len(ada.ratings()) == 56
        assert {film for film, _ in ada.recommend(80)} == set(films.titles[56:])
        assert ada.predict(films.titles[60]) == bob.predict(films.titles[60])
        assert len(ada.explain(films.titles[60]).contributions) == 16
        assert len(eve.explain(films.titles[60]).contributions) == 56
