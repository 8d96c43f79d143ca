"""The catalogue and its file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import Op, Request, digest
from ramrec.host import catalogue_file
from ramrec.host.catalogue import Catalogue, words
from ramrec.host.errors import RamrecError, UsageError
from ramrec.host.features import Vocabulary
from ramrec.host.film_model import FilmModel, rotation
from ramrec.sim.golden_device import GoldenDevice


@pytest.fixture
def catalogue() -> Catalogue:
    rng = np.random.default_rng(3)
    films, factors = 9, 5
    vocabulary = Vocabulary(("drama", "war"), ("quiet",))
    model = FilmModel(
        vocabulary=vocabulary,
        weights=rng.standard_normal((vocabulary.columns, 1 + factors)),
        centre=rng.standard_normal(factors),
        rotation=rotation(factors, TINY.code_bits, rng),
        mean=3.5,
        like_rate=0.5,
        like_line=(0.1, 2.0),
    )
    return Catalogue(
        geometry=TINY,
        film_ids=tuple(f"f{i}" for i in range(films)),
        titles=("Amélie (2001)", *(f"Film {i}" for i in range(1, films))),
        genres=(("War", "Drama"), (), *([("drama",)] * (films - 2))),
        codes=rng.integers(0, 256, (films, TINY.code_bytes), dtype=np.uint8),
        priors=rng.integers(-128, 128, films, dtype=np.int8),
        targets=np.arange(-500, 500, 100, dtype=np.int16),
        thresholds=np.arange(TINY.memory_depth + 1, dtype=np.int32) * 10,
        popularity=np.arange(films, dtype=np.int32),
        name="made up",
        licence="none",
        data_digest="0" * 64,
        encoder={"seed": 1},
        model=model,
    )


@pytest.fixture
def path(tmp_path: Path, catalogue: Catalogue) -> Path:
    path = tmp_path / "films.ramrec"
    catalogue.save(path)
    return path


def refused(path: Path) -> str:
    """The one line that a bad file gives."""
    with pytest.raises(RamrecError) as caught:
        Catalogue.load(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def test_target_of_each_half_star(catalogue):
    assert [catalogue.target(step / 2) for step in range(1, 11)] == catalogue.targets.tolist()


@pytest.mark.parametrize("stars", [0, 0.4, 0.25, 3.7, 5.5, -1, 1e9, float("nan"), float("inf")])
def test_target_of_anything_else_is_a_usage_error(catalogue, stars):
    with pytest.raises(UsageError, match="half steps, not"):
        catalogue.target(stars)


def test_films_of_a_genre(catalogue):
    assert catalogue.rows_of_genre("drama") == [0, *range(2, 9)]
    assert catalogue.rows_of_genre("WAR") == [0]
    with pytest.raises(UsageError, match="made up has no genre 'Jazz'; it has Drama, War, drama"):
        catalogue.rows_of_genre("Jazz")


def test_likes_from_the_threshold_on(catalogue):
    assert catalogue.likes(20, 2) and not catalogue.likes(19, 2)
    assert catalogue.likes(60, 99) and not catalogue.likes(59, 99)


def test_items(catalogue):
    assert catalogue.item("f3") == 3
    with pytest.raises(UsageError, match="'f99' is not in the catalogue"):
        catalogue.item("f99")


def test_words_are_what_a_device_digests(catalogue):
    device = GoldenDevice(TINY)
    device.answer(Request(seq=0, op=Op.HELLO))
    films = zip(catalogue.codes, catalogue.priors, strict=True)
    records = b"".join(code.tobytes() + prior.tobytes() for code, prior in films)
    device.answer(Request(seq=1, op=Op.LOAD, count=len(catalogue), records=records))
    reply = device.answer(Request(seq=2, op=Op.DIGEST, user=0xFFFF))
    assert int.from_bytes(reply[3:], "little") == digest(words(catalogue.codes, catalogue.priors))


def test_require_names_the_fields_that_differ(catalogue):
    catalogue.require(TINY.with_(lanes=4, users=1))
    with pytest.raises(RamrecError, match=r"ridge=6 \(device: 7\), alpha_bits=5 \(device: 4\)"):
        catalogue.require(TINY.with_(ridge=7, alpha_bits=4))


def test_arrays_can_not_change(catalogue):
    with pytest.raises(ValueError, match="read-only"):
        catalogue.codes[0] = 0


@pytest.mark.parametrize(
    "changes",
    [
        {"titles": ("one",)},
        {"film_ids": ("same",) * 9},
        {"codes": np.zeros((9, 3), np.uint8)},
        {"priors": np.zeros(9, np.int16)},
        {"thresholds": np.zeros(3, np.int32)},
        {"targets": np.full(10, -20000, np.int16)},
    ],
)
def test_parts_that_do_not_fit(catalogue, changes):
    with pytest.raises(ValueError):
        replace(catalogue, **changes)


def test_an_added_film_leaves_the_others_as_they_are(catalogue):
    more = catalogue.add_film("new", "New", year=1999, genres=["War", "Zarzuela"], tags=["never seen"])
    assert len(more) == 10 and more.item("new") == 9
    assert np.array_equal(more.codes[:9], catalogue.codes) and np.array_equal(more.priors[:9], catalogue.priors)
    assert more.popularity[-1] == 0 and more.digest != catalogue.digest
    with pytest.raises(UsageError, match="'new' is in the catalogue made up already"):
        more.add_film("new", "Again")


def test_features_decide_the_code_of_an_added_film(catalogue):
    war, comedy, again = (
        catalogue.add_film("new", "New", genres=genres).codes[-1] for genres in (["War"], ["drama"], [" WAR "])
    )
    assert np.array_equal(war, again) and not np.array_equal(war, comedy)


def test_round_trip(path, catalogue):
    loaded = Catalogue.load(path)
    assert loaded.digest == catalogue.digest
    assert loaded.geometry == catalogue.geometry and loaded.titles == catalogue.titles
    grown = [one.add_film("new", "New", genres=["War"]).digest for one in (loaded, catalogue)]
    assert grown[0] == grown[1]


def test_the_file_is_reproducible_and_nothing_else_is_left(path, catalogue):
    before = path.read_bytes()
    catalogue.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_missing_file(tmp_path):
    with pytest.raises(UsageError, match="there is no catalogue"):
        Catalogue.load(tmp_path / "absent")


def test_a_folder_that_is_not_there(tmp_path, catalogue):
    with pytest.raises(RamrecError, match="can not write"):
        catalogue.save(tmp_path / "absent" / "films.ramrec")


@pytest.mark.parametrize("kept", [0, 10, 60, 100, 0.5, -1])
def test_truncated_file(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    assert "is damaged" in refused(path)


def test_any_flipped_byte_is_noticed(path):
    content = path.read_bytes()
    for position in [*range(100), *range(100, len(content), 97)]:
        damaged = bytearray(content)
        damaged[position] ^= 0x55
        path.write_bytes(damaged)
        refused(path)


def test_other_files(path):
    for content in (b"userId,movieId\n1,2\n", b"\x93NUMPY\x01\x00", b"PK\x03\x04"):
        path.write_bytes(content)
        refused(path)
    for write in (np.savez, np.save):
        with path.open("wb") as file:
            write(file, np.zeros(3))
        refused(path)


def test_another_format_version(path):
    path.write_bytes(path.read_bytes().replace(b"catalogue 2", b"catalogue 99", 1))
    assert "catalogue format 99, not 2" in refused(path)


def test_an_archive_that_holds_something_else(path):
    for content in (b"", b"PK\x03\x04", b"text"):
        path.write_bytes(catalogue_file._head(content) + content)
        assert "is not a valid catalogue" in refused(path)
    catalogue_file.write(path, {}, {})
    assert "is not a valid catalogue" in refused(path)


@pytest.mark.parametrize("change", [{"ridge": 9999}, {"code_bits": 32}, {"memory_depth": 8}, {"spare": 1}])
def test_a_geometry_that_does_not_fit(tmp_path, catalogue, change):
    path = tmp_path / "films.ramrec"
    meta, arrays = catalogue._parts()
    meta["geometry"] |= change
    catalogue_file.write(path, meta, arrays)
    assert "is not a valid catalogue" in refused(path)
