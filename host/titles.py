"""Titles of films: one spelling to store, many to ask for."""

import difflib
import re

import polars as pl

from .errors import UsageError

__all__ = ["article_first", "find_film", "names_of", "year_of"]

_ARTICLES = "The|A|An|La|Le|Les|Il|Lo|I|Gli|El|Los|Las|Un|Une|Una|Uno|O|Os|As|Der|Die|Das|Ein|Eine|Den|Det|De|Het|En|Et"
_YEAR = r"\s*\((\d{4})(?:[-–]\d{0,4})?\)$"  # noqa: RUF001 (MovieLens writes ranges of years with an en dash)
_SUGGESTIONS = 3
_CANDIDATES = 50
"""`difflib` takes 2 s over the titles of the largest set, so it sees only these."""


def article_first(title: pl.Expr) -> pl.Expr:
    """Move articles from the back of a title, and of a second title in parentheses, to the front.

    ``"Blue Angel, The (Blaue Engel, Der) (1930)"`` becomes ``"The Blue Angel (Der Blaue Engel) (1930)"``.
    """
    return (
        title.str.replace(r"(?i)^([^(]+), L'( \(.*)?$", "L'${1}${2}")
        .str.replace(rf"(?i)^([^(]+), ({_ARTICLES})( \(.*)?$", "${2} ${1}${3}")
        .str.replace_all(r"(?i)\(([^()]+), L'\)", "(L'${1})")
        .str.replace_all(rf"(?i)\(([^()]+), ({_ARTICLES})\)", "(${2} ${1})")
    )


def year_of(title: pl.Expr) -> pl.Expr:
    """Take the year from the end of a title as Int32; the first of a range, null where there is none."""
    return title.str.extract(_YEAR).cast(pl.Int32)


def names_of(title: pl.Expr) -> pl.Expr:
    """List the letters and digits of a film's whole title and of each title in it; year and articles do not count."""
    parts = title.str.replace(_YEAR, "").str.extract_all(r"[^()]+").list.eval(_key(pl.element()))
    return pl.concat_list(_key(title), parts)


def find_film(films: pl.DataFrame, text: str) -> int:
    """Find the one film that ``text`` names.

    Tried in this order, and the first that fits decides: ``#`` and the data set's own id; the title as it
    is; without regard to case; without the year; without regard to accents, punctuation and the place of
    an article, where each of several titles of a film counts.

    Parameters
    ----------
    films
        Columns ``film_id`` and ``title`` (String).
    text
        What a person wrote: ``"Alien (1979)"``, ``"matrix, the"``, ``"#1214"``.

    Returns
    -------
    int
        Row of the film in ``films``.

    Raises
    ------
    UsageError
        No film fits, or several do; the message names the closest.
    """
    wanted = text.strip()
    if not wanted:
        raise UsageError('no film named; expected a title such as "Alien (1979)", or # and an id')
    rows = films.select("film_id", "title").with_row_index("film")
    if wanted.startswith("#"):
        known = rows.filter(pl.col("film_id") == wanted[1:])
        if known.height == 1:
            return int(known["film"][0])
    for matches in _tiers(wanted):
        found = rows.filter(matches)
        if found.height == 1:
            return int(found["film"][0])
        if found.height > 1:
            pairs = found.head(_SUGGESTIONS).select("title", "film_id").rows()
            some = " or ".join(f'"{title}" (#{film_id})' for title, film_id in pairs)
            raise UsageError(f'"{wanted}" names {found.height} films: {some}; use the full title or #id')
    closest = ", ".join(f'"{title}"' for title in _closest(rows["title"], wanted))
    raise UsageError(f'unknown film "{wanted}"; closest: {closest or "none"}')


def _tiers(wanted: str) -> list[pl.Expr]:
    """Tests for a film, from strict to forgiving."""
    title = pl.col("title")
    named = str(pl.select(article_first(pl.lit(wanted))).item())
    folded = title.str.to_lowercase()
    undated = title.str.replace(_YEAR, "")
    key = _key(pl.lit(named))
    parts = undated.str.extract_all(r"[^()]+").list.eval(_key(pl.element()))
    year = year_of(pl.lit(named))
    return [
        title == wanted,
        folded == named.lower(),
        undated.str.to_lowercase() == named.lower(),
        (key != "")
        & (year.is_null() | year.eq_missing(year_of(title)))
        & ((_key(title) == key) | parts.list.contains(key)),
    ]


def _key(title: pl.Expr) -> pl.Expr:
    """Reduce a title to the letters and digits that matter; the year and an English article do not."""
    plain = title.str.replace(_YEAR, "").str.normalize("NFKD").str.to_lowercase().str.strip_chars()
    bare = plain.str.replace(r"^(a\.k\.a\.|aka) ", "").str.replace(r"^(the|a|an) ", "")
    return bare.str.replace_all(r"[^\p{L}\p{N}]", "")


def _closest(titles: pl.Series, wanted: str) -> list[str]:
    """Rank titles: those that contain what was asked for, then by shared pairs of letters and `difflib`."""
    asked = wanted.casefold()
    pairs = _pairs(asked)
    dated = re.search(_YEAR, wanted) is not None
    matcher = difflib.SequenceMatcher(b=asked, autojunk=False)

    def comparable(title: str) -> str:
        return (title if dated else re.sub(_YEAR, "", title)).casefold()

    def overlap(title: str) -> tuple[bool, float]:
        own = comparable(title)
        return asked in own, len(pairs & _pairs(own)) / (len(pairs | _pairs(own)) or 1)

    def ratio(title: str) -> tuple[bool, float]:
        own = comparable(title)
        matcher.set_seq1(own)
        return asked in own, matcher.ratio()

    likely = sorted(titles.unique(maintain_order=True).to_list(), key=overlap, reverse=True)[:_CANDIDATES]
    return sorted(likely, key=ratio, reverse=True)[:_SUGGESTIONS]


def _pairs(text: str) -> set[str]:
    return {text[start : start + 2] for start in range(len(text) - 1)}
