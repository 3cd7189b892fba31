"""What weights are named by: the SHA-256 of their file, or of the one they were converted from."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from skperceptual.embeddings.weights.identity import digests_of

_MEMBER = "source_sha256.npy"


def source_sha256(path: Path) -> str:
    """Give the SHA-256 of a file of weights, or what a converted file says of its source.

    Parameters
    ----------
    path : Path
        The file. Whether it is what it should be was looked at before.

    Returns
    -------
    str
        64 hexadecimal digits. A file and its conversion have the same.
    """
    said = _said_source(path) if path.suffix == ".npz" else ""
    return said if re.fullmatch("[0-9a-f]{64}", said) else digests_of(path).sha256


def _said_source(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open(_MEMBER) as member:
                npy.read_magic(member)
                shape, _, dtype = npy.read_array_header_1_0(member)
            if shape != () or dtype != np.dtype("<U64"):
                return ""
            with archive.open(_MEMBER) as member:
                return str(npy.read_array(member, allow_pickle=False))
    except Exception:  # it is no file of ours, and has a hash of its own
        return ""
