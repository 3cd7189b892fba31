"""One way to compile every kernel: without the GIL, cached on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(signature: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a kernel for one explicit signature.

    Parameters
    ----------
    signature : numba signature
        The types of the arguments. Arrays should be declared read-only where they are only
        read: such a kernel also takes writable arrays, while joblib's workers get read-only
        memory maps, which another signature would compile again for.

    Returns
    -------
    callable
        The decorator.

    Notes
    -----
    ``error_model="numpy"`` divides without a test for zero, which lets the division be
    vectorised. ``reassoc`` alone of the fast-math flags keeps NaN as NaN and an identical pair
    at exactly 0. The cache is stamped with this one file's source, so a kernel takes all its
    constants as arguments.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc"}}

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except Exception:
            # No directory of the cache can be written, or what lies there cannot be read. Where
            # the kernel itself is at fault, that is raised from here.
            return numba.njit(signature, **options)(function)

    return decorate
