"""A name for an embedding by what decides its vectors, alike in every process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from skperceptual.embeddings.weights.identity import digests_of

# How much of a SHA-256 tells files and arrays apart.
_DIGITS = 12


def describe(embedding: Any, *, leave_out: Collection[str] = (), **digests: str) -> str:
    """Name an embedding by its class, its parameters and the hashes of its weights.

    Equal numbers of other types have one name, files are named by what is in them, never by where
    they are, and the device is not named. Functions and modules are named by where they are
    defined: two that have one name are not told apart.

    Parameters
    ----------
    embedding : object
        Its parameters are those of ``get_params``, if it has that.
    leave_out : collection of str, default=()
        Parameters that do not decide the vectors, or that a hash stands for.
    **digests : str
        SHA-256 in hexadecimal, by what it is of.

    Returns
    -------
    str
        The name.

    Examples
    --------
    >>> from skperceptual.embeddings import LogMelEmbedding
    >>> from skperceptual.embeddings.naming import describe
    >>> describe(LogMelEmbedding(fmax=8000.0), leave_out=("center", "eps", "hop_length", "n_fft"))
    'LogMelEmbedding(fmax=8000, fmin=0, n_mels=64, sr=16000)'
    """
    parameters = embedding.get_params(deep=False) if hasattr(embedding, "get_params") else {}
    parts = {
        key: _name_of(value, is_file=key == "weights")
        for key, value in parameters.items()
        if key != "device" and key not in leave_out
    }
    parts |= {key: digest[:_DIGITS] for key, digest in digests.items()}
    shown = (f"{key}={part}" for key, part in sorted(parts.items()))
    return f"{type(embedding).__name__}({', '.join(shown)})"


def _name_of(value: Any, *, is_file: bool = False) -> str:
    if isinstance(value, os.PathLike) or (is_file and isinstance(value, str) and value):
        path = Path(value).expanduser()
        return digests_of(path.absolute()).sha256[:_DIGITS] if path.is_file() else repr(path.name)
    if value is None or isinstance(value, (str, bool, np.bool_)):
        return repr(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_name_of(part) for part in value)}]"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return hashlib.sha256(
            f"{value.dtype.str}{value.shape}".encode() + value.tobytes()
        ).hexdigest()[:_DIGITS]
    if isinstance(value, partial):
        return _name_of(value.func)
    if hasattr(value, "get_params") and not isinstance(value, type):
        return value.identity() if hasattr(value, "identity") else describe(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    module = getattr(named, "__module__", None)
    return f"{module}.{named.__qualname__}" if module else str(named.__qualname__)
