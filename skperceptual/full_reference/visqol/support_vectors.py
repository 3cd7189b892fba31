"""Support-vector regression as a map from similarities to ratings, and libsvm's files of it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skperceptual.utils.messages import warn_caller

# Far more than any such model has, and little enough to be read at once.
_MAX_BYTES, _MAX_VECTORS = 2**25, 100_000
_MAX_VALUE = 1e9  # whose sums and squares are finite
_REGRESSIONS = ("nu_svr", "epsilon_svr")
_KEYS = ("svm_type", "kernel_type", "gamma", "nr_class", "total_sv", "rho")


class SupportVectorMap(NamedTuple):
    """A regression with a radial basis: ``sum_i c_i exp(-gamma |x - v_i|**2) - rho``.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_features + 1)
        Support vectors. Their first column belongs to the index 0, which a file may have by
        mistake and no features have.
    coefficients : ndarray of shape (n_vectors,)
        Their weights.
    gamma : float
        How narrow the basis is.
    rho : float
        What is taken away from the sum.
    """

    vectors: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    gamma: float
    rho: float

    def rate(self, features: NDArray[np.float64]) -> float:
        """Give the rating of one row of features, of shape (n_features,)."""
        n_columns = max(self.vectors.shape[1], len(features) + 1)
        row, vectors = np.zeros(n_columns), self.vectors
        row[1 : len(features) + 1] = features
        if vectors.shape[1] < n_columns:  # what a file does not say is 0
            vectors = np.pad(vectors, ((0, 0), (0, n_columns - vectors.shape[1])))
        distances = np.square(vectors - row).sum(axis=1)
        return float((self.coefficients * np.exp(-self.gamma * distances)).sum() - self.rho)


def read_libsvm(path: str | os.PathLike[str], *, n_features: int) -> SupportVectorMap:
    """Read a regression from libsvm's text format, trusting none of it.

    Parameters
    ----------
    path : path-like
        The file.
    n_features : int
        How many features there will be; the file must not speak of more.

    Returns
    -------
    SupportVectorMap
        The regression.

    Raises
    ------
    ValueError
        When the file is too large, or not of that format, or a regression of another kind; the
        message names the line.
    OSError
        When it cannot be read.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise ValueError(
            f"{path} has {size} bytes, too many for a model of ViSQOL (at most {_MAX_BYTES}). Is "
            "it a libsvm model?"
        )
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no libsvm model: byte {error.start} is no ASCII. Give the text file that "
            "svm-train writes, or a .tflite file with mode='speech'."
        ) from error
    return _Reader(path, n_features).read(lines)


class _Reader:
    """One file, line by line."""

    def __init__(self, path: Path, n_features: int) -> None:
        self.path = path
        self.n_features = n_features

    def read(self, lines: list[str]) -> SupportVectorMap:
        """Check every line and give the regression."""
        numbered = iter(enumerate(lines, start=1))
        header = self._read_header(numbered)
        count = self._number(header, "total_sv")
        if not 1 <= count <= _MAX_VECTORS:
            self._refuse(header["total_sv"][0], f"total_sv is from 1 to {_MAX_VECTORS}")
        if count != int(count):
            self._refuse(header["total_sv"][0], "total_sv is a whole number")
        n_vectors = int(count)
        gamma, rho = self._number(header, "gamma"), self._number(header, "rho")
        if gamma <= 0:
            self._refuse(header["gamma"][0], "gamma is positive")
        coefficients = np.zeros(n_vectors)
        vectors = np.zeros((n_vectors, self.n_features + 1))
        row = 0
        for number, line in numbered:
            if not line.strip():
                continue
            if row == n_vectors:
                self._refuse(number, f"there are {n_vectors} support vectors, as total_sv says")
            coefficients[row] = self._read_vector(number, line, vectors[row])
            row += 1
        if row < n_vectors:
            self._refuse(len(lines), f"{n_vectors} support vectors follow, but there are {row}")
        if vectors[:, 0].any():
            warn_caller(
                f"{self.path} begins with the index 0, where libsvm counts from 1. It is read as "
                "the original reads it: each value is compared with the band before its own."
            )
        return SupportVectorMap(vectors, coefficients, gamma, rho)

    def _read_header(self, numbered: Iterator[tuple[int, str]]) -> dict[str, tuple[int, str]]:
        header: dict[str, tuple[int, str]] = {}
        number = 0
        for number, line in numbered:
            key, _, value = line.strip().partition(" ")
            if key == "SV" and not value:
                break
            if key not in _KEYS or not value or key in header:
                self._refuse(number, f"each of {', '.join(_KEYS)} comes once, then SV")
            header[key] = number, value.strip()
        else:
            self._refuse(number, "the header ends with a line SV")
        missing = [key for key in _KEYS if key not in header]
        if missing:
            self._refuse(number, f"the header has {', '.join(missing)}")
        for key, allowed in (
            ("svm_type", _REGRESSIONS),
            ("kernel_type", ("rbf",)),
            ("nr_class", ("2",)),
        ):
            if header[key][1] not in allowed:
                self._refuse(header[key][0], f"{key} is {' or '.join(allowed)}")
        return header

    def _number(self, header: dict[str, tuple[int, str]], key: str) -> float:
        line, text = header[key]
        return self._finite(line, text, key)

    def _finite(self, number: int, text: str, what: str) -> float:
        try:
            value = math.nan if "_" in text else float(text)
        except ValueError:
            value = math.nan
        if not abs(value) <= _MAX_VALUE:
            self._refuse(number, f"{what} is a finite number, at most {_MAX_VALUE:g} in size")
        return value

    def _read_vector(self, number: int, line: str, vector: NDArray[np.float64]) -> float:
        first, *entries = line.split()
        coefficient = self._finite(number, first, "a coefficient")
        last = -1
        for entry in entries:
            index, colon, value = entry.partition(":")
            if not (colon and index.isascii() and index.isdecimal() and len(index) <= 9):
                self._refuse(number, "entries are index:value")
            if not last < int(index):
                self._refuse(number, "indices rise")
            last = int(index)
            if last > self.n_features:
                self._refuse(
                    number,
                    f"indices go up to {self.n_features}, the number of bands, but this is "
                    f"{last}: a model for another mode",
                )
            vector[last] = self._finite(number, value, "a value")
        return coefficient

    def _refuse(self, number: int, expected: str) -> None:
        raise ValueError(
            f"{self.path} is no libsvm model that ViSQOL can use, line {number}: expected that "
            f"{expected}."
        )
