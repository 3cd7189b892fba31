"""Recognise an array that was seen before, so that it is computed or counted once."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def fingerprint(*arrays: NDArray[np.generic]) -> bytes:
    """Give a digest that differs for arrays of different content, shape or type.

    Parameters
    ----------
    *arrays : ndarray
        Arrays that belong together.

    Returns
    -------
    bytes
        128 bits.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.utils.fingerprint import fingerprint
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros(3)), len(fingerprint(np.ones(3)))
    (True, 16)
    """
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
