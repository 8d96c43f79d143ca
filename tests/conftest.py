"""Fixtures that several test files share."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write_ratings() -> Callable[..., Path]:
    """Makes a small data set in files, for tests that begin where a user begins."""

    def write(folder: Path, *, users: int, rated: int, films: int = 30) -> Path:
        """Users with two tastes, each of whom rates ``rated`` of the films."""
        rng = random.Random(f"{users} {rated}")
        folder.mkdir()
        genres = ("Sci-Fi", "Romance")
        movies = [f'{film},"Film {film} ({1980 + film})",{genres[film % 2]}' for film in range(films)]
        movies[0] = '0,"Alien Film (1979)",Sci-Fi'
        ratings = [
            f"u{user},{film},{rng.choice((4, 4.5, 5) if film % 2 == user % 2 else (1, 2, 3.5))},{time}"
            for user in range(users)
            for time, film in enumerate(rng.sample(range(films), rated))
        ]
        (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *movies, ""]))
        (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings, ""]))
        return folder

    return write
