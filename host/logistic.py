"""Logistic regression for a handful of parameters, which can not diverge."""

import numpy as np
import numpy.typing as npt

__all__ = ["logistic", "logistic_regression"]

Floats = npt.NDArray[np.float64]

_STEPS = 300
_LARGEST = 30.0
_ENOUGH = 1e-9


def logistic(logit: Floats) -> Floats:
    """Probability of a logit, elementwise."""
    probability: Floats = 1 / (1 + np.exp(-np.clip(logit, -_LARGEST, _LARGEST)))
    return probability


def logistic_regression(x: Floats, hit: npt.NDArray[np.bool_], weights: Floats, ridge: Floats, start: Floats) -> Floats:
    """Coefficients ``(d,)`` of the logit of ``hit``, shrunk towards ``start``.

    Newton's method with the Hessian's upper bound in place of the Hessian, so that each step improves the fit
    (Boehning & Lindsay 1988).

    Parameters
    ----------
    x, hit, weights
        Observations: ``(n, d)``, ``(n,)`` and ``(n,)``.
    ridge, start
        Strength of the shrinkage and where it goes, ``(d,)``; the search starts there.
    """
    inverse = np.linalg.inv(np.einsum("ri,rj->ij", x * (weights / 4)[:, None], x) + np.diag(ridge))
    beta = start.copy()
    for _ in range(_STEPS):
        error = weights * (logistic(np.einsum("ri,i->r", x, beta)) - hit)
        step = inverse @ (np.einsum("ri,r->i", x, error) + ridge * (beta - start))
        beta -= step
        if np.abs(step).max() < _ENOUGH:
            break
    return beta
