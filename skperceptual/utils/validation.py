"""One validator for each kind of X: signals, pairs of signals, images, pairs of images.

A *batch* is either one array, whose first axis counts the samples, or a list with one item a
sample where lengths differ. A list stays a list and an array an array, so that the type of a
result never depends on the lengths that happen to be in the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skperceptual.utils.other_kinds import refuse_other_kinds

Item = NDArray[np.floating] | tuple[NDArray[np.floating], NDArray[np.floating]]
Batch = NDArray[np.floating] | list[Item]
ImageBatch = NDArray[np.floating] | list[NDArray[np.floating]]

FLOATS = (np.float64, np.float32)

_SIGNALS = "signals of shape (n_signals, n_times), or a list of 1-D arrays"
_PAIRS = (
    "pairs of signals of shape (n_pairs, 2, n_times), reference first, or a list of "
    "(2, n_times) arrays or of (reference, degraded) tuples"
)
_IMAGES = "images of shape (n_images, n_bands, n_frames), or a list of 2-D arrays"
_IMAGE_PAIRS = (
    "pairs of images of shape (n_pairs, 2, n_bands, n_frames), reference first, or a list of "
    "(2, n_bands, n_frames) arrays"
)


def is_ragged(X: Any) -> bool:
    """Whether X is a list (or tuple, or object array) of arrays rather than one array."""
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and len(X) > 0 and _is_item(X[0])
    return isinstance(X, (list, tuple)) and len(X) > 0 and _is_item(X[0])


def _is_item(item: Any) -> bool:
    if isinstance(item, tuple):
        return len(item) > 0 and all(np.ndim(part) >= 1 for part in item)
    return isinstance(item, np.ndarray) and item.ndim >= 1


def check_signals(X: Any, *, pairs: bool | None = False, min_samples: int = 1) -> Batch:
    """Check signals or pairs of signals.

    Parameters
    ----------
    X : array or list
        What the user gave.
    pairs : bool or None, default=False
        True accepts pairs only, False single signals only, None both.
    min_samples : int, default=1
        The shortest clip that is accepted, in samples.

    Returns
    -------
    ndarray or list
        The same clips as floating-point arrays; float32 stays float32.

    Raises
    ------
    ValueError
        For a wrong rank, integers, NaN or infinity, an empty or too short clip.
    """
    expected = {True: _PAIRS, False: _SIGNALS, None: f"{_SIGNALS}; or {_PAIRS}"}[pairs]
    refuse_other_kinds(X, expected, files_fix="Put LoadAudio(sr=...) first to read files.")
    X = _pairs_as_tuples(X)
    if is_ragged(X):
        items = [_check_signal_item(item, row, pairs, expected) for row, item in enumerate(X)]
        if len({_is_pair(item) for item in items}) > 1:
            raise ValueError(f"Expected {expected}, got single signals and pairs in one list.")
        _check_one_type(
            part for item in items for part in (item if isinstance(item, tuple) else (item,))
        )
        for row, item in enumerate(items):
            for part in item if isinstance(item, tuple) else (item,):
                _check_length(part.shape[-1], min_samples, row)
        return items
    X = _as_float_array(X, expected, what="signals")
    if X.ndim == 3 and pairs is not False and X.shape[1] != 2:
        raise ValueError(
            f"Expected {expected}, got an array of shape {X.shape}, whose second axis is not "
            f"(reference, degraded). {_advice_for_second_axis(X.shape)}"
        )
    if X.ndim not in {True: (3,), False: (2,), None: (2, 3)}[pairs]:
        raise ValueError(
            f"Expected {expected}, got an array of shape {X.shape}. "
            f"{_advice_for_rank(X.ndim, pairs)}"
        )
    _check_length(X.shape[-1], min_samples, 0)
    _check_finite(X, "signal")
    return X


def check_images(X: Any, *, pairs: bool | None = False, min_side: int = 1) -> ImageBatch:
    """Check images or pairs of images (spectrograms).

    Parameters
    ----------
    X : array or list
        What the user gave.
    pairs : bool or None, default=False
        True accepts pairs only, False single images only, None both.
    min_side : int, default=1
        The fewest bands and the fewest frames that are accepted.

    Returns
    -------
    ndarray or list
        The same images as floating-point arrays; float32 stays float32.

    Raises
    ------
    ValueError
        For a wrong rank, integers, NaN or infinity, an empty or too small image, or a pair of
        images of different size.
    """
    expected = {True: _IMAGE_PAIRS, False: _IMAGES, None: f"{_IMAGES}; or {_IMAGE_PAIRS}"}[pairs]
    refuse_other_kinds(
        X,
        expected,
        files_fix="Put LoadAudio(sr=...) and a front end such as MelSpectrogram(sr=...) first to "
        "read files.",
    )
    if is_ragged(X):
        items: list[NDArray[np.floating]] = []
        for row, item in enumerate(X):
            image = _stack_image_pair(item, row) if isinstance(item, tuple) else item
            image = _as_float_item(image, row, "image")
            if image.ndim not in {True: (3,), False: (2,), None: (2, 3)}[pairs] or (
                image.ndim == 3 and image.shape[0] != 2
            ):
                raise ValueError(
                    f"Expected {expected}, but item {row} of the list has shape {image.shape}."
                )
            _check_side(image.shape[-2:], min_side, row)
            _check_finite(image[np.newaxis], "image", first_row=row)
            items.append(image)
        if len({item.ndim for item in items}) > 1:
            raise ValueError(f"Expected {expected}, got single images and pairs in one list.")
        _check_one_type(items)
        return items
    X = _as_float_array(X, expected, what="images")
    if X.ndim not in {True: (4,), False: (3,), None: (3, 4)}[pairs]:
        hint = (
            "These look like signals: put a front end such as MelSpectrogram(sr=...) before "
            "this step."
            if X.ndim == 2 or (X.ndim == 3 and X.shape[1] == 2)
            else "Each sample needs its own two image axes, bands first."
        )
        raise ValueError(f"Expected {expected}, got an array of shape {X.shape}. {hint}")
    if X.ndim == 4 and X.shape[1] != 2:
        raise ValueError(
            f"Expected {expected}, got an array of shape {X.shape}, whose second axis is not "
            "(reference, degraded). Stack the two images with np.stack([reference, degraded], "
            "axis=1)."
        )
    _check_side(X.shape[-2:], min_side, 0)
    _check_finite(X, "image")
    return X


def _pairs_as_tuples(X: Any) -> Any:
    """Take lists of two clips for (reference, degraded) tuples, whether or not lengths agree."""
    if not isinstance(X, (list, tuple)):
        return X
    return [tuple(item) if _is_listed_pair(item) else item for item in X]


def _is_listed_pair(item: Any) -> bool:
    # Lists of numbers and of lists are one array written out, as scikit-learn takes them.
    return (
        isinstance(item, list)
        and len(item) == 2
        and all(isinstance(part, np.ndarray) and part.ndim == 1 for part in item)
    )


def _as_float_array(X: Any, expected: str, *, what: str) -> NDArray[np.floating]:
    """Convert to a floating-point array; refuse integers, whose scale nobody can know."""
    try:
        array = check_array(
            X,
            dtype=None,
            order="C",  # torch takes no negative strides, and sums depend on the order in memory
            allow_nd=True,
            ensure_2d=False,
            ensure_all_finite=False,
            ensure_min_samples=0,
            ensure_min_features=0,
        )
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(
            f"Expected {expected}, got lists that differ in length. Make every sample an array, "
            "[np.asarray(sample) for sample in X], or a pair a tuple of two arrays, (reference, "
            "degraded)."
        ) from error
    if array.dtype == object:
        array = array.astype(np.float64)
    if array.shape[:1] == (0,):
        raise ValueError(
            f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required. "
            f"Expected {expected}."
        )
    if array.ndim < 2:
        raise ValueError(
            f"Expected {expected}, got an array of shape {array.shape}. Reshape your data with "
            "X[np.newaxis] if it is a single sample."
        )
    if array.dtype.kind in "iub":
        _refuse_integers(array.dtype, what)
    return array if array.dtype in FLOATS else array.astype(_nearest_float(array.dtype))


def _as_float_item(item: Any, row: int, what: str) -> NDArray[np.floating]:
    array = np.asarray(item)
    if array.dtype.kind in "iub":
        _refuse_integers(array.dtype, f"{what}s (item {row} of the list)")
    if array.dtype.kind != "f":
        raise ValueError(f"Item {row} of the list is {array.dtype}, expected a float {what}.")
    # In C order, as arrays are.
    return np.ascontiguousarray(array, dtype=_nearest_float(array.dtype))


def _check_one_type(arrays: Iterable[NDArray[np.floating]]) -> None:
    # The precision of a result would otherwise depend on the neighbours of its sample.
    types = sorted({str(array.dtype) for array in arrays})
    if len(types) > 1:
        raise ValueError(
            f"Expected one floating-point type in a list, got {' and '.join(types)}. Convert all "
            "samples with astype(np.float32), or astype(np.float64)."
        )


def _nearest_float(dtype: np.dtype[Any]) -> type[np.floating]:
    """Give float32 for what fits into it, of either byte order, and float64 for the rest."""
    return np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64


def _refuse_integers(dtype: np.dtype[Any], what: str) -> None:
    scale = {"int8": 128, "int16": 32768, "int32": 2147483648}.get(dtype.name)
    if "signal" not in what:
        fix = "Scale them to floats, images to [0, 1]"
    elif scale:
        fix = f"Divide by {scale} (X / {scale})"
    else:
        fix = "Divide by the full scale of your integers, 32768 for 16-bit audio"
    raise ValueError(
        f"Expected floating-point {what}, full scale 1, got {dtype}. {fix}, so that the scale "
        "is yours and not a guess."
    )


def _check_signal_item(item: Any, row: int, pairs: bool | None, expected: str) -> Item:
    if isinstance(item, tuple):
        if len(item) != 2 or pairs is False:
            raise ValueError(
                f"Expected {expected}, but item {row} of the list is a tuple of {len(item)}."
            )
        parts = tuple(_as_float_item(part, row, "signal") for part in item)
        if any(part.ndim != 1 for part in parts):
            raise ValueError(
                f"Expected {expected}, but item {row} of the list holds arrays of shape "
                f"{parts[0].shape} and {parts[1].shape}."
            )
        for part in parts:
            _check_finite(part[np.newaxis], "signal", first_row=row)
        common = np.result_type(*parts)  # one sample, so no neighbour decides its precision
        return parts[0].astype(common, copy=False), parts[1].astype(common, copy=False)
    array = _as_float_item(item, row, "signal")
    if array.ndim not in {True: (2,), False: (1,), None: (1, 2)}[pairs]:
        advice = _advice_for_rank(array.ndim + 1, pairs)
        raise ValueError(
            f"Expected {expected}, but item {row} of the list has shape {array.shape}. {advice}"
        )
    if array.ndim == 2 and array.shape[0] != 2:
        raise ValueError(
            f"Expected {expected}, but item {row} of the list has shape {array.shape}. "
            f"{_advice_for_second_axis((1, *array.shape))}"
        )
    _check_finite(array[np.newaxis], "signal", first_row=row)
    return array


def _is_pair(item: Item) -> bool:
    return isinstance(item, tuple) or item.ndim == 2


def _stack_image_pair(item: tuple[Any, ...], row: int) -> NDArray[np.floating]:
    shapes = [np.shape(part) for part in item]
    if len(item) != 2 or shapes[0] != shapes[1]:
        raise ValueError(
            f"The two images of pair {row} differ in size: {' and '.join(map(str, shapes))}. "
            "Image metrics need equal sizes: cut both clips to one length with "
            "LoadAudio(unequal='cut') or FixDuration(), after AlignPairs() if one is delayed."
        )
    return np.stack(item)


def _advice_for_rank(ndim: int, pairs: bool | None) -> str:
    if ndim == 2 and pairs:
        return (
            "Stack references and degraded versions with np.stack([reference, degraded], axis=1)."
        )
    if ndim == 3 and pairs is False:
        return (
            "Channels exist only in files: LoadAudio(channels='mean') leaves mono, or average "
            "them yourself with X.mean(axis=1)."
        )
    return "Each sample is one clip, time on the last axis."


def _advice_for_second_axis(shape: tuple[int, ...]) -> str:
    if shape[-1] == 2:
        return "Time belongs on the last axis: use X.transpose(0, 2, 1)."
    if shape[0] == 2:
        return "Samples belong on the first axis: use X.transpose(1, 0, 2)."
    return (
        "Stack the two signals with np.stack([reference, degraded], axis=1); channels exist only "
        "in files, where LoadAudio(channels='mean') leaves mono."
    )


def _check_length(n_times: int, min_samples: int, row: int) -> None:
    if n_times == 0:
        # The wording that scikit-learn's own estimators use, and its checks look for.
        raise ValueError(
            f"Found a clip with 0 feature(s) (shape=({row + 1}, 0)) while a minimum of 1 is "
            f"required: clip {row} is empty."
        )
    if n_times < min_samples:
        raise ValueError(
            f"Clip {row} has {n_times} samples, but this step needs at least {min_samples}. "
            "Pad it with FixDuration(), or leave it out."
        )


def _check_side(shape: Sequence[int], min_side: int, row: int) -> None:
    if min(shape) == 0:
        raise ValueError(
            f"Found an image with 0 feature(s) (shape=({shape[0]}, {shape[1]})) while a minimum "
            f"of 1 is required: image {row} is empty."
        )
    if min(shape) < min_side:
        advice = (
            "If these are pairs of signals, put a front end such as MelSpectrogram(sr=...) first."
            if shape[0] == 2
            else "Use a longer clip, a shorter hop or more bands."
        )
        raise ValueError(
            f"Image {row} has {shape[0]} bands and {shape[1]} frames, but this step needs at "
            f"least {min_side} of each. {advice}"
        )


def _check_finite(X: NDArray[np.floating], what: str, *, first_row: int = 0) -> None:
    # A sum is finite only if every element is (or it overflowed): one fast pass for good data.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.sum(X)) or np.isfinite(X).all():
            return
    bad = np.argwhere(~np.isfinite(X))
    where = tuple(int(i) for i in bad[0])
    value = "NaN" if np.isnan(X[where]) else "infinity"
    raise ValueError(
        f"Input X contains {value}: {what} {first_row + where[0]} has {len(bad)} values that are "
        f"NaN or infinity, the first at index {where[1:]}. Repair or leave out that recording."
    )
