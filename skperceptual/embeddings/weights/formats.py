"""Read tensors from files of NumPy and torch: names, shapes and sizes first, and no code ever."""

from __future__ import annotations

import math
import pickletools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skperceptual.embeddings.weights.identity import WeightsError

Arrays = dict[str, NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]

# Facts about the weights that a converted file holds beside them.
FACTS = ("model", "source_sha256")
_LONGEST_FACT = 128
_HEADER_BYTES = 4096
# Other ports of the same network, whose names begin otherwise.
_PREFIXES = {"features_network.": "features.", "embedding_network.": "embeddings."}
# The number with which torch's older files begin, and the parts that follow it.
_N_LEGACY_PARTS = 5


def read_npz(path: Path, shapes: Shapes) -> tuple[Arrays, dict[str, str]]:
    """Read arrays from a file of NumPy, without pickle.

    Parameters
    ----------
    path : Path
        The file.
    shapes : mapping of str to tuple of int
        Names and shapes that it has to have, and no others.

    Returns
    -------
    arrays : dict of str to ndarray
        Its arrays as float32.
    facts : dict of str to str
        What a converted file says of itself.

    Raises
    ------
    WeightsError
        When it is damaged, or holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            stored = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            facts = {name: stored.pop(name) for name in FACTS if name in stored}
            _check_names(path, stored, shapes)
            for name, info in stored.items():
                with archive.open(info) as file:
                    _check_header(path, name, file, info, shapes[name])
            for name, info in facts.items():
                if info.file_size > _HEADER_BYTES:
                    raise WeightsError(f"{path} says too much of itself, in {name!r}.")
        with np.load(path, allow_pickle=False) as loaded:
            arrays = {name: _as_weights(path, name, loaded[name], shapes[name]) for name in stored}
            return arrays, {name: str(loaded[name])[:_LONGEST_FACT] for name in facts}
    except WeightsError:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        raise _unreadable(path, "an .npz file without objects", error) from error


def _check_header(
    path: Path, name: str, file: IO[bytes], info: zipfile.ZipInfo, shape: tuple[int, ...]
) -> None:
    """Look at the shape and type of an array before memory is taken for it."""
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version} of the format")
    found, _, dtype = read(file, max_header_size=_HEADER_BYTES)
    _check_shape(path, name, found, shape)
    if dtype.kind != "f":
        raise WeightsError(f"{path} holds {dtype} for {name!r}, expected floating-point numbers.")
    if info.file_size > math.prod(found) * dtype.itemsize + _HEADER_BYTES:
        raise WeightsError(f"{path} unpacks to more bytes than {name!r} of shape {found} has.")


def read_torch(path: Path, shapes: Shapes) -> Arrays:
    """Read tensors, or arrays of NumPy, from a file of torch that holds nothing else.

    Parameters
    ----------
    path : Path
        The file.
    shapes : mapping of str to tuple of int
        Names and shapes that it has to have, and no others.

    Returns
    -------
    dict of str to ndarray
        Its tensors as float32.

    Raises
    ------
    WeightsError
        When it is damaged, or asks for anything but tensors; nothing in it is executed.
    """
    import torch

    try:
        _check_sizes(path)
        with warnings.catch_warnings(), torch.serialization.safe_globals(_numpy_globals()):
            warnings.simplefilter("ignore")  # of older ways in which torch stored tensors
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except Exception as error:
        # torch raises nearly every kind of exception for damaged files.
        raise _unreadable(path, "a file of torch with tensors alone", error) from error
    if not isinstance(loaded, dict) or not all(isinstance(name, str) for name in loaded):
        raise WeightsError(
            f"{path} holds a {type(loaded).__name__}, expected a dictionary of tensors by name "
            "(torch.save(network.state_dict(), path))."
        )
    tensors = {_canonical(name): value for name, value in loaded.items()}
    _check_names(path, tensors, shapes)
    arrays = {}
    for name, value in tensors.items():
        if not isinstance(value, (torch.Tensor, np.ndarray)):
            raise WeightsError(f"{path} holds a {type(value).__name__} for {name!r}, not a tensor.")
        _check_shape(path, name, tuple(value.shape), shapes[name])
        array = value.numpy() if isinstance(value, torch.Tensor) else value
        arrays[name] = _as_weights(path, name, array, shapes[name])
    return arrays


def _canonical(name: str) -> str:
    for prefix, ours in _PREFIXES.items():
        if name.startswith(prefix):
            return ours + name.removeprefix(prefix)
    return name


def _numpy_globals() -> list[Any]:
    """Name what arrays of NumPy in a file need: how to make one, and types of numbers."""
    reconstruct = np.zeros(0).__reduce__()[0]  # private, and elsewhere in every version
    return [
        np.ndarray,
        np.dtype,
        np.dtypes.Float32DType,
        np.dtypes.Float64DType,
        *((reconstruct, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    ]


def _check_sizes(path: Path) -> None:
    """Refuse a file whose pickle speaks of sizes that it cannot hold, before torch believes it."""
    size = path.stat().st_size
    for opcode, argument, _ in _operations(path, size):
        # Sizes are the only large numbers in a dictionary of tensors.
        if isinstance(argument, int) and abs(argument) > size:
            raise WeightsError(
                f"{path} has {size:,} bytes and speaks of {argument:,} ({opcode.name}). It is "
                "damaged, or made to mislead; it was not opened."
            )


def _operations(path: Path, size: int) -> Iterator[tuple[Any, Any, Any]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > size:
                raise WeightsError(f"{path} unpacks to more than its own {size:,} bytes.")
            for info in archive.infolist():
                if info.filename.endswith("/data.pkl"):
                    with archive.open(info) as file:
                        yield from pickletools.genops(file)
        return
    with path.open("rb") as file:
        for part in range(_N_LEGACY_PARTS):
            for operation in pickletools.genops(file):
                if part:  # the first is the number that marks such files
                    yield operation


def _check_names(path: Path, found: Mapping[str, Any], shapes: Shapes) -> None:
    missing, unknown = sorted(set(shapes) - set(found)), sorted(set(found) - set(shapes))
    if missing or unknown:
        raise WeightsError(
            f"{path} holds other weights: {len(missing)} of {len(shapes)} names are missing"
            f"{f' ({missing[0]!r} is the first)' if missing else ''}, and {len(unknown)} are not "
            f"known{f' ({unknown[0][:80]!r})' if unknown else ''}. It is of another model."
        )


def _check_shape(path: Path, name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if _without_ones(found) != _without_ones(expected):
        raise WeightsError(
            f"{path} holds {name!r} of shape {found}, expected {expected}. It is of another model."
        )


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    # (128, 1) and (128,) are the same vector to everybody who published one.
    return tuple(length for length in shape if length != 1)


def _as_weights(
    path: Path, name: str, array: NDArray[Any], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    if array.dtype.kind != "f":
        raise WeightsError(f"{path} holds {array.dtype} for {name!r}, expected real numbers.")
    weights = np.ascontiguousarray(array, dtype=np.float32).reshape(shape)
    if not np.isfinite(weights).all():
        raise WeightsError(f"{path} holds NaN or infinity in {name!r}. It is damaged.")
    return weights


def _unreadable(path: Path, expected: str, error: BaseException) -> WeightsError:
    # torch's own words end in the advice to load the file unsafely.
    said = str(error).rpartition("WeightsUnpickler error:")[2].partition("Check the documentation")
    reason = " ".join(said[0].split())[:200]
    return WeightsError(
        f"{path} cannot be read as {expected}; nothing in it was executed. It may be truncated, or "
        f"another kind of file. ({type(error).__name__}: {reason})"
    )
