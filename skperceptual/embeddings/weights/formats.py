"""Read tensors from files of NumPy and torch: names, shapes and sizes first, and no code ever."""

from __future__ import annotations

import math
import pickletools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from skperceptual.embeddings.weights.identity import WeightsError

Arrays = dict[str, NDArray[np.float32]]
Shapes = Mapping[str, tuple[int, ...]]

# Facts about the weights that a converted file holds beside them.
FACTS = ("model", "source_sha256")
_LONGEST_FACT = 128
_HEADER_BYTES = 4096
# What np.savez and np.savez_compressed write.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
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
    OSError
        When it cannot be opened.
    """
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                stored = _members(path, archive)
                facts = {name: stored.pop(name) for name in FACTS if name in stored}
                _check_names(path, stored, shapes)
                arrays = {
                    name: _read_weights(path, name, archive, info, shapes[name])
                    for name, info in stored.items()
                }
                return arrays, {
                    name: _read_fact(path, name, archive, info) for name, info in facts.items()
                }
        except WeightsError:
            raise
        except Exception as error:
            # zipfile, its decompressors and NumPy's headers raise many kinds for damaged files.
            raise _unreadable(path, "an .npz file without objects", error) from error


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Give the arrays of a file by name, each of which has to be there once and in one way."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        # NumPy itself takes a member "a" for "a.npy", so that one would be looked at and the
        # other read. It writes neither such names nor other compressions.
        if name == info.filename or name in members or info.compress_type not in _COMPRESSIONS:
            raise WeightsError(
                f"{path} holds {info.filename[:80]!r} as NumPy does not write it: not as .npy, "
                "twice, or in another compression. It is another kind of file, or made to mislead."
            )
        members[name] = info
    return members


def _read_weights(
    path: Path, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Read an array after its shape and type were looked at, before memory is taken for it."""
    found, dtype = _read_header(archive, info)
    _check_shape(path, name, found, shape)
    if dtype.kind != "f":
        raise WeightsError(f"{path} holds {dtype} for {name!r}, expected floating-point numbers.")
    if info.file_size > math.prod(found) * dtype.itemsize + _HEADER_BYTES:
        raise WeightsError(f"{path} unpacks to more bytes than {name!r} of shape {found} has.")
    return _as_weights(path, name, _read_array(archive, info), shape)


def _read_fact(path: Path, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    found, dtype = _read_header(archive, info)
    # Four bytes a character.
    if found != () or dtype.kind != "U" or dtype.itemsize > 4 * _LONGEST_FACT:
        raise WeightsError(
            f"{path} holds {dtype} of shape {found} for {name!r}, expected one text of up to "
            f"{_LONGEST_FACT} characters."
        )
    return str(_read_array(archive, info))


def _read_header(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    with archive.open(info) as member:
        version = npy.read_magic(member)
        read = {
            (1, 0): npy.read_array_header_1_0,
            (2, 0): npy.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError(f"version {version} of the format")
        shape, _, dtype = read(member, max_header_size=_HEADER_BYTES)
        return shape, dtype


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Read the very member whose header was looked at."""
    with archive.open(info) as member:
        return npy.read_array(member, allow_pickle=False, max_header_size=_HEADER_BYTES)


def read_torch(path: Path, shapes: Shapes, *, numpy_arrays: bool = False) -> Arrays:
    """Read tensors from a file of torch that holds nothing else.

    Parameters
    ----------
    path : Path
        The file.
    shapes : mapping of str to tuple of int
        Names and shapes that it has to have, and no others.
    numpy_arrays : bool, default=False
        Whether it may hold arrays of NumPy, for which the reader of torch has to be told of a few
        functions of NumPy more.

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

    allowed = _numpy_globals() if numpy_arrays else []
    try:
        _check_sizes(path)
        with warnings.catch_warnings(), torch.serialization.safe_globals(allowed):
            warnings.simplefilter("ignore")  # of older ways in which torch stored tensors
            loaded = torch.load(path, map_location="cpu", weights_only=True)
        return _tensors(path, loaded, shapes)
    except WeightsError:
        raise
    except Exception as error:
        # torch raises nearly every kind of exception for damaged files and for rare tensors.
        raise _unreadable(path, "a file of torch with tensors alone", error) from error


def _tensors(path: Path, loaded: Any, shapes: Shapes) -> Arrays:
    if not isinstance(loaded, dict) or not all(isinstance(name, str) for name in loaded):
        raise WeightsError(
            f"{path} holds a {type(loaded).__name__}, expected a dictionary of tensors by name "
            "(torch.save(network.state_dict(), path))."
        )
    tensors = {_canonical(name): value for name, value in loaded.items()}
    _check_names(path, tensors, shapes)
    arrays = {}
    for name, value in tensors.items():
        array = value if isinstance(value, np.ndarray) else _as_array(path, name, value, shapes)
        _check_shape(path, name, array.shape, shapes[name])
        arrays[name] = _as_weights(path, name, array, shapes[name])
    return arrays


def _as_array(path: Path, name: str, value: Any, shapes: Shapes) -> NDArray[Any]:
    """Give a tensor's numbers: of a parameter as well, and of a precision that NumPy has not."""
    import torch

    if not isinstance(value, torch.Tensor):
        raise WeightsError(f"{path} holds a {type(value).__name__} for {name!r}, not a tensor.")
    if value.layout != torch.strided or value.device.type != "cpu":
        raise WeightsError(
            f"{path} holds a tensor of layout {value.layout} on the device {value.device} for "
            f"{name!r}, expected plain numbers. Store it by tensor.to_dense(), with its values."
        )
    if not value.is_floating_point():
        raise WeightsError(f"{path} holds {value.dtype} for {name!r}, expected real numbers.")
    _check_shape(path, name, tuple(value.shape), shapes[name])
    return value.detach().to(torch.float32).numpy()


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
