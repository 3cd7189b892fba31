"""The lattice that maps similarities of speech to ratings, run by TensorFlow Lite."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from skperceptual.full_reference.visqol.comparison import Comparison
from skperceptual.utils.optional import import_optional

_MAX_BYTES = 2**26
# Every TensorFlow Lite file has these letters in its second four bytes.
_MAGIC = b"TFL3"
# The quantile that the original asks the network for: the median.
_QUANTILE = 0.5


class Lattice:
    """A network on four features of each band, given by a file.

    Parameters
    ----------
    path : Path
        The file, in the format of TensorFlow Lite.

    Raises
    ------
    ImportError
        When ai-edge-litert is not installed.
    ValueError
        When the file is no such model.
    """

    def __init__(self, path: Path) -> None:
        runtime = import_optional(
            "ai_edge_litert.interpreter", extra="visqol", purpose="ViSQOL(model='lattice')"
        )
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
        if size > _MAX_BYTES or head[4:] != _MAGIC:
            raise ValueError(
                f"{path} is no TensorFlow Lite model that ViSQOL can use: expected at most "
                f"{_MAX_BYTES} bytes and the letters TFL3 at byte 4, got {size} bytes and "
                f"{head[4:]!r}."
            )
        try:
            self._runner: Any = runtime.Interpreter(model_path=str(path)).get_signature_runner(
                "predict"
            )
        except (ValueError, RuntimeError, KeyError) as error:
            raise ValueError(f"{path} has no signature 'predict': {error}") from error
        self._lock = Lock()

    def __call__(self, comparison: Comparison) -> float:
        """Give the rating of one pair, not clipped to any range."""
        columns = {
            "fvnsim{}": comparison.band_means,
            "fvnsim10_{}": comparison.worst_means,
            "fstdnsim{}": comparison.band_deviations,
            "fvdegenergy{}": comparison.degraded_energies,
        }
        inputs = {
            name.format(band): np.array([value], dtype=np.float32)
            for name, values in columns.items()
            for band, value in enumerate(values)
        }
        inputs["tau"] = np.array([_QUANTILE], dtype=np.float32)
        with self._lock:
            return float(self._runner(**inputs)["predictions"].squeeze())
