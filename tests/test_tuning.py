"""What is chosen on users of the population: a setting, and from which score on a film is liked."""

import numpy as np
from ramrec.host.evaluation.protocol import Case
from ramrec.host.evaluation.tuning import Line, choose


class Noisy:
    """Knows the answers but for noise, of which the setting 7 has the least; notes what it is asked for."""

    settings = tuple({"number": number} for number in range(40))
    unit, middle = 64.0, 0.0

    def __init__(self) -> None:
        self.tried: list[int] = []

    def scores(self, cases, setting):
        number = setting["number"]
        self.tried.append(number)
        rng = np.random.default_rng(number)
        noise = [rng.normal(size=(len(list(case.stages())), len(case.tested))) for case in cases]
        size = 64 * (abs(number - 7) + 0.1)
        return [np.rint(64 * case.likes + size * one).astype(np.int64) for case, one in zip(cases, noise, strict=True)]


def test_after_each_inner_fold_the_better_half_goes_on_but_sixteen_at_least():
    rng = np.random.default_rng(1)
    people = [Case(f"u{user}", *rng.integers(1, 11, (2, 4)), *rng.integers(1, 11, (2, 8))) for user in range(40)]
    made = [Noisy() for _ in range(3)]
    assert choose(made, [people] * 3, 8) == {"number": 7}
    first, second, third = (method.tried for method in made)
    assert first == list(range(40))
    assert (len(second), len(third)) == (20, 16)
    assert {7} < set(third) < set(second)
    assert second == sorted(second)


def test_a_line_is_the_threshold_it_says():
    line = Line(100.0, 50.0, (0.5, -0.5), (2.0, 1.0))
    assert line.logits(np.array([100, 150]), 0).tolist() == [0.5, 2.5]
    assert line.threshold(0) == 88  # 100 - 50 * 0.5 / 2, rounded to even
    assert line.threshold(1) == line.threshold(7) == 125
