"""Why a film is recommended: which ratings speak for it, and how loudly."""

from dataclasses import dataclass

__all__ = ["Contribution", "Explanation"]


@dataclass(frozen=True)
class Contribution:
    """What one of the user's ratings adds to a film's score.

    Members
    -------
    title, stars
        The rating.
    match
        RAM neurons that both films address alike.
    part
        What it adds to the sum, in the catalogue's units (see :class:`Explanation`).
    """

    title: str
    stars: float
    match: int
    part: float


@dataclass(frozen=True)
class Explanation:
    """Why a film has its score. ``str`` of it is meant for people.

    Parts are in the unit in which a rating's target is measured: half its distance from the mean rating in
    stars, plus 1.2 for a like. A film is liked if the sum of all parts reaches ``needed``.

    Members
    -------
    title
        The film.
    prior
        What everybody's ratings say.
    contributions
        What each kept rating adds, loudest first; they and ``prior`` add up to ``sum``.
    sum, needed
        The film's score, and the score from which it counts as liked.
    like
        Whether ``sum`` reaches ``needed``.
    stars
        The rating whose target the score is, 0.5 to 5.
    neurons
        RAM neurons of an agent, the largest possible match.
    """

    title: str
    prior: float
    contributions: tuple[Contribution, ...]
    sum: float
    needed: float
    like: bool
    stars: float
    neurons: int

    @property
    def verdict(self) -> str:
        """What to expect of the film, in one line."""
        expected = "you will probably like it" if self.like else "probably not for you"
        return f"{self.title}: {expected}, about {self.stars:.1f} stars"

    def __str__(self) -> str:
        lines = [self.verdict, f"{self.prior:+8.3f}  everybody's ratings"]
        lines += [
            f"{one.part:+8.3f}  your {one.stars:g} stars for {one.title}, "
            f"alike in {one.match} of {self.neurons} neurons"
            for one in self.contributions
        ]
        return "\n".join([*lines, f"{self.sum:+8.3f}  in all; liked from {self.needed:+.3f} on"])
