"""Codes as bits: packed into bytes, and what they cost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Bits a second of uncompressed audio.
_AUDIO_FORMATS = {
    "16 kHz mono, 16 bit": 16000 * 16,
    "16 kHz mono, 24 bit": 16000 * 24,
    "48 kHz stereo, 24 bit": 48000 * 2 * 24,
}
_BITS_OF_A_GREY_PIXEL, _BITS_OF_A_COLOUR_PIXEL = 8, 24


def bits_a_code(n_centers: int) -> int:
    """Give the whole bits that one code takes when packed."""
    return max(1, math.ceil(math.log2(n_centers)))


def pack_codes(codes: NDArray[np.int8], n_centers: int) -> NDArray[np.uint8]:
    """Pack each row of codes into bytes, the highest bit first.

    Parameters
    ----------
    codes : ndarray of shape (n, n_codes)
        Numbers below ``n_centers``.
    n_centers : int
        Number of values that a code can take.

    Returns
    -------
    ndarray of shape (n, n_bytes)
        The bytes; bits beyond the last code are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.autoencoder.codes import pack_codes
    >>> pack_codes(np.array([[1, 0, 0, 0, 0, 0, 0, 1, 1]], dtype=np.int8), 2)
    array([[129, 128]], dtype=uint8)
    """
    places = np.arange(bits_a_code(n_centers))[::-1]
    bits = (codes[:, :, np.newaxis] >> places) & 1
    return np.packbits(bits.astype(bool).reshape(len(codes), -1), axis=1)


def unpack_codes(packed: NDArray[np.uint8], n_codes: int, n_centers: int) -> NDArray[np.int8]:
    """Undo :func:`pack_codes`.

    Parameters
    ----------
    packed : ndarray of shape (n, n_bytes)
        The bytes.
    n_codes : int
        Number of codes in a row.
    n_centers : int
        Number of values that a code can take.

    Returns
    -------
    ndarray of shape (n, n_codes)
        The codes.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.autoencoder.codes import unpack_codes
    >>> unpack_codes(np.array([[129, 128]], dtype=np.uint8), 9, 2)
    array([[1, 0, 0, 0, 0, 0, 0, 1, 1]], dtype=int8)
    """
    n_bits = bits_a_code(n_centers)
    bits = np.unpackbits(packed, axis=1, count=n_codes * n_bits)
    places = 1 << np.arange(n_bits)[::-1]
    return (bits.reshape(len(packed), n_codes, n_bits) @ places).astype(np.int8)


def check_codes(X: ArrayLike, n_codes: int, n_centers: int, *, packed: bool) -> NDArray[np.int8]:
    """Check codes as ``transform`` gives them, and unpack them where they are packed."""
    codes = np.asarray(X)
    kind, width = ("bytes", n_packed_bytes(n_codes, n_centers)) if packed else ("codes", n_codes)
    if codes.ndim != 2 or codes.shape[1] != width:
        raise ValueError(
            f"Expected {kind} of shape (n_images, {width}), as transform gives them, got an array "
            f"of shape {codes.shape}."
        )
    if codes.dtype.kind not in "iubf":
        raise ValueError(
            f"Expected {kind} that are numbers, as transform gives them, got an array of "
            f"{codes.dtype}."
        )
    highest = 255 if packed else n_centers - 1
    whole = codes.dtype.kind in "iub" or np.array_equal(codes, np.rint(codes))
    if not whole or codes.size == 0 or codes.min() < 0 or codes.max() > highest:
        raise ValueError(
            f"Expected {kind} that are whole numbers from 0 to {highest}, as transform gives them, "
            f"got {codes.dtype} {'without any' if codes.size == 0 else 'with others'}."
        )
    if packed:
        return unpack_codes(codes.astype(np.uint8), n_codes, n_centers)
    return codes.astype(np.int8)


def n_packed_bytes(n_codes: int, n_centers: int) -> int:
    """Give the bytes of one row of :func:`pack_codes`."""
    return math.ceil(n_codes * bits_a_code(n_centers) / 8)


def channel_entropy(codes: NDArray[np.int8], n_centers: int) -> float:
    """Estimate the entropy of the codes of one image, each channel with frequencies of its own.

    Parameters
    ----------
    codes : ndarray of shape (n, n_channels, code_bands, code_frames)
        Codes of some images.
    n_centers : int
        Number of values that a code can take.

    Returns
    -------
    float
        Bits an image: what an ideal arithmetic coder would need that knows how often each value
        occurs in each channel, and nothing else.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.autoencoder.codes import channel_entropy
    >>> codes = np.array([[[[0, 1, 0, 1]], [[1, 1, 1, 1]]]], dtype=np.int8)
    >>> channel_entropy(codes, 2)  # four bits, and nothing that is not known
    4.0
    """
    by_channel = codes.swapaxes(0, 1).reshape(codes.shape[1], -1)
    counts = np.stack([(by_channel == code).sum(axis=1) for code in range(n_centers)])
    shares = counts / by_channel.shape[1]
    bits_a_code = np.where(shares > 0, -np.log2(np.where(shares > 0, shares, 1)), 0)
    return float((shares * bits_a_code).sum() * codes.shape[2] * codes.shape[3])


def ratios(
    bits: float, packed_bits: int, n_pixels: int, duration_seconds: float | None
) -> dict[str, float]:
    """Relate the bits of an image to what else it could be kept in."""
    found = {
        "bits a pixel": bits / n_pixels,
        "bits a pixel, packed": packed_bits / n_pixels,
        "images, 8 bit a pixel": _BITS_OF_A_GREY_PIXEL * n_pixels / bits,
        "images, 24 bit a pixel": _BITS_OF_A_COLOUR_PIXEL * n_pixels / bits,
    }
    if duration_seconds is not None:
        rate = bits / duration_seconds
        found["bits a second"] = rate
        found |= {name: uncompressed / rate for name, uncompressed in _AUDIO_FORMATS.items()}
    return found
