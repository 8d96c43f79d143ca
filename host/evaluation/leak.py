"""Whether somebody who is tested has been learned from, under whatever name."""

from collections.abc import Sequence

import polars as pl

from ..dataset import Dataset
from ..errors import RamrecError
from .fold import Fold
from .population import known_users

__all__ = ["require_no_leak"]


def require_no_leak(dataset: Dataset, folds: Sequence[Fold]) -> None:
    """RamrecError if a further data set's users have nearly the ratings of some tested user.

    Users of one data set are taken to be different people; that no name is on both sides, folds see to themselves.
    """
    extra = {user for fold in folds for user in fold.extra}
    if not extra:
        return
    held = {user for fold in folds for user in fold.held}
    tested, added = (dataset.ratings.filter(pl.col("user").is_in(sorted(users))) for users in (held, extra))
    known = known_users(tested, added, dataset.films.height)
    if known:
        raise RamrecError(
            f"a leak: {len(known)} users to learn from have the ratings of tested ones, {known[0]} among them; "
            "learn from a data set of other people"
        )
