"""From a model and, perhaps, a path to checked arrays; and from any of the formats to ``.npz``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from skperceptual.embeddings.weights.formats import Arrays, Shapes, read_npz, read_torch
from skperceptual.embeddings.weights.identity import WeightsError, verify
from skperceptual.embeddings.weights.keras import read_keras
from skperceptual.embeddings.weights.registry import files_of

_TORCH = (".pth", ".pt")
_KERAS = (".h5", ".h5.gz")


def load_weights(path: Path, model: str, shapes: Shapes) -> Arrays:
    """Read weights from a file that was located before, after its hash was looked at.

    Parameters
    ----------
    path : Path
        The file, of a published name or another.
    model : str
        What it is for.
    shapes : mapping of str to tuple of int
        Names and shapes of the network's weights.

    Returns
    -------
    dict of str to ndarray
        The weights as float32.

    Raises
    ------
    WeightsError
        When it is not what it should be.
    """
    _, file = verify(path, model)
    if path.suffix == ".npz":
        arrays, facts = read_npz(path, shapes)
        if facts.get("model", model) != model:
            raise WeightsError(
                f"{path} holds weights of {facts['model']}, and {model} was asked for."
            )
        return arrays
    if path.suffix in _TORCH:
        # Of what was published, VGGish's PCA alone is arrays of NumPy in a file of torch.
        return read_torch(path, shapes, numpy_arrays=model == "vggish_pca")
    if path.name.endswith(_KERAS):
        largest = max(published.largest for published in files_of(model))
        arrays, has_front_end = read_keras(path, shapes, largest=largest)
        if has_front_end and file is None:
            raise WeightsError(
                f"{path} is none of the published files, and holds the spectrogram layer of "
                "OpenL3 before 0.4. Such files may be of version 0.1, whose weights are of "
                f"another front end. Use {files_of(model)[0].name}."
            )
        return arrays
    raise WeightsError(
        f"{path} has none of the endings that are read: .npz, {', '.join((*_TORCH, *_KERAS))}. "
        "TensorFlow's checkpoints are not read: use the published conversion, "
        f"{files_of(model)[0].name}."
    )


def save_weights(
    path: str | os.PathLike[str], arrays: Arrays, *, model: str, source_sha256: str
) -> Path:
    """Write weights to an ``.npz`` file that needs neither pickle nor h5py.

    Parameters
    ----------
    path : path-like
        The file; an older one is replaced when the new one is complete.
    arrays : dict of str to ndarray
        The weights by the names of the network.
    model : str
        What they are for.
    source_sha256 : str
        SHA-256 of the file that they come from.

    Returns
    -------
    Path
        The file.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"Expected a name that ends in .npz, got {path.name!r}.")
    facts = {"model": np.array(model), "source_sha256": np.array(source_sha256)}
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            np.savez(file, **arrays, **facts)  # type: ignore[arg-type]
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)
    return path
