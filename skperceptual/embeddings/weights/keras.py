"""Read the weights that Keras stored, by their order and shapes: names differ from run to run."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.embeddings.weights.formats import Arrays, Shapes
from skperceptual.embeddings.weights.identity import WeightsError
from skperceptual.utils.optional import import_optional

# The layer that computes the image: part of older files, never of the network.
_FRONT_END = "spectrogram"


def read_keras(path: Path, shapes: Shapes, *, largest: int) -> tuple[Arrays, bool]:
    """Read the layers of a file of Keras in their order.

    Parameters
    ----------
    path : Path
        ``.h5``, or ``.h5.gz``, which is unpacked in memory.
    shapes : mapping of str to tuple of int
        Shapes by the names of the network, in the order of the layers: of each normalisation
        scale, shift, mean and variance, of each convolution kernel and bias.
    largest : int
        No file may unpack to more bytes.

    Returns
    -------
    arrays : dict of str to ndarray
        Weights by the names of the network, convolutions with channels first.
    has_front_end : bool
        Whether the file also has the layer that computes spectrograms, which is left out.

    Raises
    ------
    WeightsError
        When the file is damaged, or its layers are others.
    ImportError
        When h5py is not installed.
    """
    h5py = import_optional("h5py", extra="openl3", purpose="Reading the weights of OpenL3 (.h5)")
    source: Any = path
    if path.suffix == ".gz":
        source = io.BytesIO(_unpack(path, largest))
    try:
        with h5py.File(source, "r") as file:
            root = file if "layer_names" in file.attrs else _child(h5py, file, "model_weights")
            has_front_end, datasets = _datasets_in_order(h5py, path, root)
            names = list(shapes)
            if len(datasets) != len(names):
                raise WeightsError(
                    f"{path} has {len(datasets)} arrays of weights, expected {len(names)}. It is "
                    "of another model."
                )
            arrays = {
                name: _read(path, name, dataset, shapes[name])
                for name, dataset in zip(names, datasets, strict=True)
            }
            return arrays, has_front_end
    except WeightsError:
        raise
    except Exception as error:
        # h5py raises nearly every kind of exception for damaged files.
        raise WeightsError(
            f"{path} cannot be read as weights of Keras in HDF5. It may be truncated, or another "
            f"kind of file. ({type(error).__name__}: {error})"
        ) from error


def _unpack(path: Path, largest: int) -> bytes:
    try:
        with gzip.open(path) as file:
            content = file.read(largest + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise WeightsError(
            f"{path} cannot be unpacked: it is truncated or no gzip file."
        ) from error
    if len(content) > largest:
        raise WeightsError(f"{path} unpacks to more than {largest:,} bytes. It is another file.")
    return content


def _child(h5py: Any, group: Any, name: str) -> Any:
    """Give what a group holds, and only what it holds itself: links may lead to other files."""
    for part in name.split("/"):
        if not isinstance(group, h5py.Group) or not isinstance(
            group.get(part, getlink=True), h5py.HardLink
        ):
            raise KeyError(f"{name} is not in the file itself")
        group = group[part]
    return group


def _datasets_in_order(h5py: Any, path: Path, root: Any) -> tuple[bool, list[Any]]:
    has_front_end = False
    datasets = []
    for layer in _names(root.attrs["layer_names"]):
        group = _child(h5py, root, layer)
        weights = _names(group.attrs["weight_names"])
        if _FRONT_END in layer:
            has_front_end = True
            continue
        for name in weights:
            dataset = _child(h5py, group, name)
            if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
                raise WeightsError(f"{path} does not hold {name} itself, but points elsewhere.")
            datasets.append(dataset)
    return has_front_end, datasets


def _names(values: Any) -> Iterator[str]:
    for value in values:
        yield value.decode() if isinstance(value, bytes) else str(value)


def _read(path: Path, name: str, dataset: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    is_kernel = len(shape) == 4
    # Kernels are (frequency, time, in, out) there.
    expected = (*shape[2:], shape[1], shape[0]) if is_kernel else shape
    if dataset.shape != expected or dataset.dtype.kind != "f":
        raise WeightsError(
            f"{path} holds {dataset.dtype} of shape {dataset.shape} for {name!r}, expected real "
            f"numbers of shape {expected}. It is of another model."
        )
    # Keras does not compress, and what a compressed piece unpacks to stands nowhere.
    if dataset.id.get_create_plist().get_nfilters():
        raise WeightsError(
            f"{path} stores {name!r} compressed, which Keras does not. Write it anew without "
            "compression; to compress the file as a whole, use gzip (.h5.gz)."
        )
    if dataset.chunks is not None and math.prod(dataset.chunks) > max(dataset.size, 1):
        raise WeightsError(f"{path} stores {name!r} in pieces larger than itself.")
    array = np.asarray(dataset[()], dtype=np.float32)
    if not np.isfinite(array).all():
        raise WeightsError(f"{path} holds NaN or infinity in {name!r}. It is damaged.")
    return np.ascontiguousarray(array.transpose(3, 2, 0, 1) if is_kernel else array)
