"""Curves fitted to ratings by weighted least squares, on metric values scaled to [-1, 1].

All of them rise, but for the five-parameter logistic, whose straight part may fall.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit

__all__ = ["fit_cubic", "fit_line", "fit_logistic", "fit_logistic5"]

Floats = NDArray[np.float64]

# Where the logistic's midpoint and width are sought, in units of half the range of the values,
# and how far apart its two levels may be, in ranges of the ratings. Without such limits a single
# sample at the end of the range can pull a level to infinity.
_MIDPOINTS, _WIDTHS, _MAX_RISE = (-3.0, 3.0), (0.01, 10.0), 20.0
_TOLERANCE = 1e-14


def fit_line(z: Floats, y: Floats, weights: Floats, *, rising: bool) -> Floats:
    """Fit a straight line.

    Parameters
    ----------
    z, y, weights : ndarray of shape (n_samples,)
        Scaled metric values, ratings and weights above zero.
    rising : bool
        Whether a falling line is replaced by a flat one.

    Returns
    -------
    ndarray of shape (2,)
        Intercept and slope.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.monotone_fit import fit_line
    >>> z, ones = np.array([-1.0, 0.0, 1.0]), np.ones(3)
    >>> fit_line(z, np.array([4.0, 3.0, 2.0]), ones, rising=False)
    array([ 3., -1.])
    >>> fit_line(z, np.array([4.0, 3.0, 2.0]), ones, rising=True)
    array([3., 0.])
    """
    share = weights / weights.sum()
    mean_z, mean_y = share @ z, share @ y
    variance = share @ (z - mean_z) ** 2
    slope = (share @ ((z - mean_z) * (y - mean_y))) / variance if variance > 0 else 0.0
    slope = max(slope, 0.0) if rising else slope
    return np.array([mean_y - slope * mean_z, slope])


def fit_cubic(z: Floats, y: Floats, weights: Floats) -> Floats:
    """Fit the third-order polynomial that does not fall anywhere on [-1, 1].

    Parameters
    ----------
    z, y, weights : ndarray of shape (n_samples,)
        Scaled metric values, of which four differ, ratings and weights above zero.

    Returns
    -------
    ndarray of shape (4,)
        Coefficients in rising powers of z.

    Notes
    -----
    The problem is convex, so its solution is either the unconstrained one or lies where the
    derivative, a parabola, touches zero: at either end, at both, at one point between them, or
    everywhere. Each case is a smaller least-squares problem; the point between the ends is a
    root of a polynomial of degree five. The best feasible candidate is the exact solution,
    found without iteration.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.monotone_fit import fit_cubic
    >>> z = np.linspace(-1, 1, 9)
    >>> fit_cubic(z, 3 + z**3, np.ones(9)).round(6) + 0.0
    array([3., 0., 0., 1.])
    """
    root = np.sqrt(weights / weights.sum())
    powers = np.vander(z, 4, increasing=True) * root[:, np.newaxis]
    target = y * root
    free = _least_squares(powers, target, np.eye(4))
    if _is_rising(free):
        return free
    candidates = [
        _least_squares(powers, target, np.array(basis, dtype=float))
        for basis in (
            [[1, 0, 0, 0], [0, 2, 1, 0], [0, -3, 0, 1]],  # p'(-1) = 0
            [[1, 0, 0, 0], [0, -2, 1, 0], [0, -3, 0, 1]],  # p'(1) = 0
            [[1, 0, 0, 0], [0, 3, 0, -1]],  # both
            [[1, 0, 0, 0]],
        )
    ]
    candidates += [
        _least_squares(powers, target, np.array([[1, 0, 0, 0], [0, 3 * t**2, -3 * t, 1]]))
        for t in _touching_points(z, y, weights)  # p'(z) is proportional to (z - t)**2
    ]
    rising = [coef for coef in candidates if _is_rising(coef)]
    return min(rising, key=lambda coef: float(np.sum((powers @ coef - target) ** 2)))


def _least_squares(powers: Floats, target: Floats, basis: Floats) -> Floats:
    """Fit within the span of polynomials given by the rows of a basis."""
    return basis.T @ np.linalg.lstsq(powers @ basis.T, target, rcond=None)[0]


def _is_rising(coef: Floats) -> bool:
    """Whether the derivative is not negative on [-1, 1], up to rounding."""
    slope = Polynomial(coef).deriv()
    points = [-1.0, 1.0]
    if coef[3] != 0 and abs(vertex := -coef[2] / (3 * coef[3])) < 1:
        points.append(vertex)
    return bool(np.min(slope(np.array(points))) >= -1e-12 * np.abs(slope.coef).max())


def _touching_points(z: Floats, y: Floats, weights: Floats) -> list[float]:
    """Give the t in (-1, 1) at which (z - t)**3 may explain y best.

    The share of y's variance that it explains is N(t)**2 / D(t), with N its covariance with y
    and D its variance, both polynomials in t; the best t makes 2 N' D - N D' zero.
    """
    share = weights / weights.sum()
    centered = np.stack([z, z**2, z**3])
    centered -= (centered @ share)[:, np.newaxis]
    covariance = (centered * share) @ y
    m = (centered * share) @ centered.T
    n = Polynomial([covariance[2], -3 * covariance[1], 3 * covariance[0]])
    d = Polynomial([m[2, 2], -6 * m[1, 2], 9 * m[1, 1] + 6 * m[0, 2], -18 * m[0, 1], 9 * m[0, 0]])
    roots = (2 * n.deriv() * d - n * d.deriv()).roots()
    # A double root may come back as a complex pair; one candidate too many does no harm.
    return [float(t.real) for t in roots if abs(t.imag) < 1e-4 and abs(t.real) < 1]


def fit_logistic(z: Floats, y: Floats, weights: Floats) -> tuple[float, float, float, float]:
    """Fit the rising four-parameter logistic.

    Parameters
    ----------
    z, y, weights : ndarray of shape (n_samples,)
        Scaled metric values, of which four differ, ratings and weights above zero.

    Returns
    -------
    tuple of float
        ``low, high, midpoint, width`` of the curve
        ``low + (high - low) / (1 + exp(-(z - midpoint) / width))``.

    Notes
    -----
    Given midpoint and width, the two levels are a straight-line fit. A grid of midpoints and
    widths is solved in this way, and the best few points are refined together with the levels.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.monotone_fit import fit_logistic
    >>> z = np.linspace(-1, 1, 9)
    >>> y = 1 + 4 / (1 + np.exp(-(z - 0.2) / 0.3))
    >>> np.round(fit_logistic(z, y, np.ones(9)), 6)
    array([1. , 5. , 0.2, 0.3])
    """
    offset, rise, midpoint, width, _ = _fit_sigmoid(z, y, weights, straight=False)
    return offset, offset + rise, midpoint, width


def fit_logistic5(
    z: Floats, y: Floats, weights: Floats
) -> tuple[float, float, float, float, float]:
    """Fit the five-parameter logistic: a rising one on top of a straight line of any slope.

    Parameters
    ----------
    z, y, weights : ndarray of shape (n_samples,)
        Scaled metric values, of which five differ, ratings and weights above zero.

    Returns
    -------
    tuple of float
        ``rise, steepness, midpoint, slope, offset`` of the curve
        ``rise * (1 / 2 - 1 / (1 + exp(steepness * (z - midpoint)))) + slope * z + offset``, the
        first two not negative.

    Notes
    -----
    As :func:`fit_logistic`, with a third column, z itself, in the straight-line fits.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.metrics.monotone_fit import fit_logistic5
    >>> z = np.linspace(-1, 1, 11)
    >>> y = 3 * (0.5 - 1 / (1 + np.exp(5 * (z - 0.1)))) - 0.4 * z + 2
    >>> np.round(fit_logistic5(z, y, np.ones(11)), 6)
    array([ 3. ,  5. ,  0.1, -0.4,  2. ])
    """
    offset, rise, midpoint, width, slope = _fit_sigmoid(z, y, weights, straight=True)
    return rise, 1 / width, midpoint, slope, offset + rise / 2


def _fit_sigmoid(
    z: Floats, y: Floats, weights: Floats, *, straight: bool
) -> tuple[float, float, float, float, float]:
    """Fit ``offset + rise * expit((z - midpoint) / width) + slope * z``, slope 0 unless straight.

    Gives ``offset, rise, midpoint, width, slope``.
    """
    share = weights / weights.sum()
    mean = float(share @ y)
    spread = float(np.sqrt(share @ (y - mean) ** 2))
    if spread == 0:
        return mean, 0.0, 0.0, 1.0, 0.0
    target = (y - mean) / spread
    root = np.sqrt(share)
    starts = []
    for midpoint in np.linspace(-1.5, 1.5, 13):
        for width in np.geomspace(0.02, 2, 7):
            curve = expit((z - midpoint) / width)
            if straight:
                columns = root[:, np.newaxis] * np.stack([np.ones_like(z), curve, z], axis=1)
                low, rise, *slope = np.linalg.lstsq(columns, root * target, rcond=None)[0].tolist()
            else:
                low, rise, *slope = fit_line(curve, target, weights, rising=True).tolist()
            fitted = low + rise * curve + sum(one * z for one in slope)
            starts.append(
                (float(share @ (fitted - target) ** 2), low, rise, midpoint, width, *slope)
            )

    def residuals(parameters: Floats) -> Floats:
        low, rise, midpoint, width, *slope = parameters
        fitted = low + rise * expit((z - midpoint) / width) + sum(one * z for one in slope)
        return root * (fitted - target)

    def jacobian(parameters: Floats) -> Floats:
        _, rise, midpoint, width, *slope = parameters
        step = (z - midpoint) / width
        curve = expit(step)
        steep = rise * curve * (1 - curve) / width
        columns = [np.ones_like(z), curve, -steep, -steep * step, *(z for _ in slope)]
        return root[:, np.newaxis] * np.stack(columns, axis=1)

    max_rise = _MAX_RISE * float(np.ptp(target))
    free = [np.inf] * straight
    bounds = (
        [-np.inf, 0.0, _MIDPOINTS[0], _WIDTHS[0], *np.negative(free)],
        [np.inf, max_rise, _MIDPOINTS[1], _WIDTHS[1], *free],
    )
    low, *slope = fit_line(z, target, weights, rising=False).tolist() if straight else [0.0]
    fitted = low + sum(one * z for one in slope)
    best = (float(share @ (fitted - target) ** 2), low, 0.0, 0.0, 1.0, *slope)  # without a rise
    for _, low, rise, midpoint, width, *slope in sorted(one for one in starts if one[2] > 0)[:4]:
        start = [low, min(rise, 0.9 * max_rise), midpoint, width, *slope]
        found = least_squares(
            residuals,
            start,
            jacobian,
            bounds,
            x_scale="jac",
            ftol=_TOLERANCE,
            xtol=_TOLERANCE,
            gtol=_TOLERANCE,
        )
        best = min(best, (2 * found.cost, *found.x))
    _, low, rise, midpoint, width, *slope = (float(value) for value in best)
    return (
        mean + spread * low,
        spread * rise,
        midpoint,
        width,
        spread * slope[0] if slope else 0.0,
    )
