"""The mel spectrogram of one clip, compiled: from samples to the values of an image.

Sixteen frames are transformed at a time, and what belongs to one row of them (a sample, a
coefficient, a bin, a band) lies side by side in memory, so that every operation is one on vectors
and nothing is ever shuffled. Framing needs no gathering either: written ``hop_length`` to a row,
column by column, the sample ``k`` of successive frames stands side by side too, in row
``k % hop_length`` from column ``k // hop_length`` on.

The real frames of length ``n_fft`` are transformed as complex ones of half the length [1]_, even
samples the real parts, in place, by radices 4 and, for the first pass of every other length, 2.
Decimation in time of a frame in natural order has one twiddle factor for a whole block and leaves
the coefficients in digit-reversed order, which the tables that say where to find them undo
at no cost. All of a block's buffers, about ``400 * n_fft`` bytes, stay in the processor's cache and
are used again for the next one.

Everything is computed in double precision: with a transform in single precision a value 60 dB below
the loudest of its frame would be off by up to 1e-4 of itself.

References
----------
.. [1] H. V. Sorensen, D. L. Jones, M. T. Heideman, C. S. Burrus, "Real-valued fast Fourier
   transform algorithms", IEEE Transactions on Acoustics, Speech, and Signal Processing 35(6),
   849-863, 1987.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import register_jitable

from skperceptual.kernels.compilation import compiled

_VALUES = types.Array(types.float64, 1, "C", readonly=True)
_TABLE = types.Array(types.float64, 2, "C", readonly=True)
_NUMBERS = types.Array(types.int64, 1, "C", readonly=True)
_PLACES = types.Array(types.int64, 2, "C", readonly=True)
_SINGLE = types.Array(types.float32, 2, "C")
_DOUBLE = types.Array(types.float64, 2, "C")

# The functions below become part of the kernel. None may reorder a sum (fastmath=False), so that a
# logarithm is the same number in a vector and by itself, and silence exactly the floor.


@register_jitable
def _lanes():
    """Frames side by side: 16 values of a band in single precision fill one line of the cache."""
    return 16


@register_jitable
def _by_hops(signal, hop_length, n_rows, n_columns):
    """Write the samples column by column, ``hop_length`` to a column; keep the first rows."""
    columns = np.zeros((n_rows, n_columns))
    n_full = min(signal.size // hop_length, n_columns)
    for start in range(0, n_full, 8):  # eight columns of a row fill a line of the cache
        for row in range(n_rows):
            for column in range(start, min(start + 8, n_full)):
                columns[row, column] = signal[column * hop_length + row]
    if n_full < n_columns:
        for row in range(min(signal.size - n_full * hop_length, n_rows)):
            columns[row, n_full] = signal[n_full * hop_length + row]
    return columns


@register_jitable
def _load(columns, hop_length, frame, window, real, imaginary, start, stop):
    """Window some rows of sixteen frames: even samples are real parts, odd ones imaginary."""
    n = _lanes()
    row = 2 * start % hop_length
    first = frame + 2 * start // hop_length
    for sample in range(2 * start, 2 * stop):
        source = columns[row, first : first + n]
        place = sample // 2 * n
        target = (imaginary if sample % 2 else real)[place : place + n]
        weight = window[sample]
        for lane in range(n):
            target[lane] = weight * source[lane]
        row += 1
        if row == hop_length:
            row = 0
            first += 1


@register_jitable(fastmath=False)
def _butterfly2(real, imaginary, start, run, distance):
    a_r, a_i = real[start : start + run], imaginary[start : start + run]
    start += distance
    b_r, b_i = real[start : start + run], imaginary[start : start + run]
    for k in range(run):
        difference_r, difference_i = a_r[k] - b_r[k], a_i[k] - b_i[k]
        a_r[k], a_i[k] = a_r[k] + b_r[k], a_i[k] + b_i[k]
        b_r[k], b_i[k] = difference_r, difference_i


@register_jitable(fastmath=False)
def _four_points(a_r, a_i, b_r, b_i, c_r, c_i, d_r, d_i, w):
    """Transform four numbers, the last three of them turned by their twiddle factors first."""
    t1_r, t1_i = b_r * w[0] - b_i * w[1], b_r * w[1] + b_i * w[0]
    t2_r, t2_i = c_r * w[2] - c_i * w[3], c_r * w[3] + c_i * w[2]
    t3_r, t3_i = d_r * w[4] - d_i * w[5], d_r * w[5] + d_i * w[4]
    even_r, even_i, across_r, across_i = a_r + t2_r, a_i + t2_i, a_r - t2_r, a_i - t2_i
    odd_r, odd_i, turned_r, turned_i = t1_r + t3_r, t1_i + t3_i, t1_i - t3_i, t3_r - t1_r
    return (
        (even_r + odd_r, even_i + odd_i),
        (across_r + turned_r, across_i + turned_i),
        (even_r - odd_r, even_i - odd_i),
        (across_r - turned_r, across_i - turned_i),
    )


@register_jitable(fastmath=False)
def _butterfly4(real, imaginary, start, run, distance, twiddles):
    w = (twiddles[0], twiddles[1], twiddles[2], twiddles[3], twiddles[4], twiddles[5])
    a_r, a_i = real[start : start + run], imaginary[start : start + run]
    start += distance
    b_r, b_i = real[start : start + run], imaginary[start : start + run]
    start += distance
    c_r, c_i = real[start : start + run], imaginary[start : start + run]
    start += distance
    d_r, d_i = real[start : start + run], imaginary[start : start + run]
    for k in range(run):
        (a_r[k], a_i[k]), (b_r[k], b_i[k]), (c_r[k], c_i[k]), (d_r[k], d_i[k]) = _four_points(
            a_r[k], a_i[k], b_r[k], b_i[k], c_r[k], c_i[k], d_r[k], d_i[k], w
        )


@register_jitable(fastmath=False)
def _last_butterfly4(real, imaginary, start, twiddles):
    # The same on neighbouring rows. That their distance is known, so that they cannot overlap, is
    # what lets so short a loop be vectorised without asking first: it takes a third of the time.
    n = _lanes()
    w = (twiddles[0], twiddles[1], twiddles[2], twiddles[3], twiddles[4], twiddles[5])
    x, y = real[start : start + 4 * n], imaginary[start : start + 4 * n]
    for a in range(n):
        b, c, d = a + n, a + 2 * n, a + 3 * n
        (x[a], y[a]), (x[b], y[b]), (x[c], y[c]), (x[d], y[d]) = _four_points(
            x[a], y[a], x[b], y[b], x[c], y[c], x[d], y[d], w
        )


@register_jitable
def _first_pass(columns, hop_length, frame, window, twiddles, real, imaginary, radix):
    """Load the frames and transform across blocks, a few rows at a time, while they are at hand."""
    n = _lanes()
    n_rows = window.size // 2
    distance = n_rows // radix
    step = min(8, distance)
    for row in range(0, distance, step):
        for first in range(row, n_rows, distance):
            _load(columns, hop_length, frame, window, real, imaginary, first, first + step)
        if radix == 2:
            _butterfly2(real, imaginary, row * n, step * n, distance * n)
        else:
            _butterfly4(real, imaginary, row * n, step * n, distance * n, twiddles[0])


@register_jitable
def _transform(columns, hop_length, frame, window, twiddles, real, imaginary):
    """Transform sixteen frames as complex ones; coefficients are left in digit-reversed order."""
    n = _lanes()
    distance = window.size // 2
    radix = distance
    while radix > 4:
        radix //= 4
    _first_pass(columns, hop_length, frame, window, twiddles, real, imaginary, radix)
    distance //= radix
    n_blocks = radix
    used = radix // 4  # rows of the table: a first pass of radix 2 has none
    while distance > 4:
        distance //= 4
        for block in range(n_blocks):
            start = 4 * block * distance * n
            weights = twiddles[used + block]
            _butterfly4(real, imaginary, start, distance * n, distance * n, weights)
        used += n_blocks
        n_blocks *= 4
    for block in range(n_blocks):
        _last_butterfly4(real, imaginary, 4 * block * n, twiddles[used + block])


@register_jitable(fastmath=False)
def _pair_of_powers(a_r, a_i, b_r, b_i, w_r, w_i):
    """Give the power of the bins ``k`` and ``n_fft / 2 - k`` from the complex coefficients there.

    Those of the real frame are ``(a + b*) + w (a - b*) / i`` and, but for its conjugate, the
    difference of these terms. The window holds the factor 1/2.
    """
    even_r, even_i, odd_r, odd_i = a_r + b_r, a_i - b_i, a_i + b_i, b_r - a_r
    turned_r, turned_i = w_r * odd_r - w_i * odd_i, w_r * odd_i + w_i * odd_r
    one_r, one_i = even_r + turned_r, even_i + turned_i
    other_r, other_i = even_r - turned_r, even_i - turned_i
    return one_r * one_r + one_i * one_i, other_r * other_r + other_i * other_i


@register_jitable(fastmath=False)
def _magnitudes(real, imaginary, partners, units, power, magnitudes):
    """Give the magnitudes of sixteen frames, raised to a power; both bins of a pair in a row."""
    n = _lanes()
    for pair in range(len(partners)):
        w_r, w_i = units[pair, 0], units[pair, 1]
        start = partners[pair, 0] * n
        a_r, a_i = real[start : start + n], imaginary[start : start + n]
        start = partners[pair, 1] * n
        b_r, b_i = real[start : start + n], imaginary[start : start + n]
        target = magnitudes[2 * pair * n : 2 * (pair + 1) * n]
        # Roots taken here cost half of what they cost in a loop of their own.
        if power == 1.0:
            for k in range(n):
                one, other = _pair_of_powers(a_r[k], a_i[k], b_r[k], b_i[k], w_r, w_i)
                target[k], target[k + n] = np.sqrt(one), np.sqrt(other)
        else:
            for k in range(n):
                one, other = _pair_of_powers(a_r[k], a_i[k], b_r[k], b_i[k], w_r, w_i)
                target[k], target[k + n] = one, other
    if power != 1.0 and power != 2.0:
        for k in range(magnitudes.size):
            magnitudes[k] = magnitudes[k] ** (0.5 * power)


@register_jitable(fastmath=False)
def _logarithm(x):
    """Give the natural logarithm of a normal number as arithmetic, to be vectorised.

    The argument is split into ``2**k`` times a number ``1 + f`` between the square roots of 1/2 and
    of 2, and ``ln(1 + f) = 2 artanh(s)`` with ``s = f / (2 + f)``, whose series is cut at ``s**14``
    with the coefficients that keep the largest error least, 0.6 units in the last place, as in
    Sun's fdlibm. The logarithm of 2 is in two parts, the first of which is exact times ``k``.
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - 0x3FE6A09E667F3BCD) >> 52
    f = np.int64(bits - (exponent << 52)).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    series = z * (0.1818357216161805 + z * (0.15313837699209373 + z * 0.14798198605116586))
    series = z * (0.2857142874366239 + z * (0.22222198432149784 + series))
    series = z * (0.6666666666666735 + z * (0.3999999999940942 + series))
    k = np.float64(exponent)
    half_square = 0.5 * f * f
    low = s * (half_square + series) + k * 1.9082149292705877e-10
    result = k * 0.6931471803691238 - ((half_square - low) - f)
    return result if x < np.inf else x


@register_jitable(fastmath=False)
def _scale(band, scaling, base):
    """Take logarithms of a band, less that of the anchor, and map them linearly."""
    least, added, slope, offset = scaling[0], scaling[1], scaling[3], scaling[4]
    low, high = scaling[5], scaling[6]
    for lane in range(_lanes()):
        value = _logarithm(max(band[lane], least) + added)
        band[lane] = min(max(slope * (value - base) + offset, low), high)


@compiled(
    types.void(
        _VALUES,
        types.int64,
        _VALUES,
        _TABLE,
        _PLACES,
        _TABLE,
        _NUMBERS,
        _PLACES,
        _TABLE,
        types.float64,
        _VALUES,
        _SINGLE,
        _DOUBLE,
    )
)
def mel_image(
    signal,
    hop_length,
    window,
    twiddles,
    partners,
    units,
    starts,
    rows,
    weights,
    power,
    scaling,
    single,
    double,
):
    """Compute the mel spectrogram of one clip, scaled.

    Parameters
    ----------
    signal : ndarray of shape (n_times,), float64
        The clip, padded where its frames are centred.
    hop_length : int64
        Distance between frames in samples.
    window : ndarray of shape (n_fft,), float64
        Half the window. The length of a frame is a power of two, 16 at least.
    twiddles : ndarray of shape (n_butterflies, 6), float64
        First, second and third power of the twiddle factor, real and imaginary parts, of each
        block of each pass of radix 4.
    partners : ndarray of shape (n_pairs, 2), int64
        Where the transform leaves the coefficients ``k`` and ``n_fft / 2 - k``, for each ``k`` of
        the first quarter of the bins that a filter needs either of.
    units : ndarray of shape (n_pairs, 2), float64
        ``exp(-2 pi i k / n_fft)`` for each of them.
    starts : ndarray of shape (n_mels + 1,), int64
        First row of the two following tables that belongs to each filter, and the end.
    rows : ndarray of shape (n_rows, 4), int64
        Bins of a filter, four at a time: ``2 * pair`` stands for ``k``, ``2 * pair + 1`` for its
        partner, and ``2 * n_pairs`` for silence.
    weights : ndarray of shape (n_rows, 4), float64
        Their weights.
    power : float64
        Exponent of the magnitude.
    scaling : ndarray of shape (7,) or (0,), float64
        What becomes of a band ``S``: with ``(least, added, anchor, slope, offset, low, high)``,
        ``slope * (ln(max(S, least) + added) - ln(anchor)) + offset``, clipped to ``[low, high]``;
        where ``S`` is such that the logarithms are of the same number, ``offset`` exactly. Empty:
        nothing.
    single, double : ndarray of shape (n_mels, n_frames) or (0, 0), float32 and float64
        One of them receives the image; the other is empty.
    """
    n = _lanes()
    n_fft, n_mels = window.size, starts.size - 1
    n_frames = max(single.shape[1], double.shape[1])
    n_blocks = (n_frames + n - 1) // n
    n_columns = n_blocks * n + (n_fft - 1) // hop_length
    columns = _by_hops(signal, hop_length, min(hop_length, n_fft), n_columns)
    size = n_fft // 2 * n
    # The parts stand 8 lines further apart than a power of two, and do not compete for places in
    # the cache.
    parts = np.empty(2 * size + 64)
    real, imaginary = parts[:size], parts[size + 64 :]
    magnitudes = np.zeros((2 * len(partners) + 1) * n)
    band = np.empty(n)
    base = _logarithm(scaling[2]) if scaling.size else 0.0
    for frame in range(0, n_frames, n):
        _transform(columns, hop_length, frame, window, twiddles, real, imaginary)
        _magnitudes(real, imaginary, partners, units, power, magnitudes)
        n_valid = min(n, n_frames - frame)
        for mel in range(n_mels):
            band[:] = 0.0
            for row in range(starts[mel], starts[mel + 1]):
                w0, w1, w2, w3 = weights[row, 0], weights[row, 1], weights[row, 2], weights[row, 3]
                bin0 = magnitudes[rows[row, 0] * n : (rows[row, 0] + 1) * n]
                bin1 = magnitudes[rows[row, 1] * n : (rows[row, 1] + 1) * n]
                bin2 = magnitudes[rows[row, 2] * n : (rows[row, 2] + 1) * n]
                bin3 = magnitudes[rows[row, 3] * n : (rows[row, 3] + 1) * n]
                for lane in range(n):
                    band[lane] += (w0 * bin0[lane] + w1 * bin1[lane]) + (
                        w2 * bin2[lane] + w3 * bin3[lane]
                    )
            if scaling.size:
                _scale(band, scaling, base)
            if single.size:
                for lane in range(n_valid):
                    single[mel, frame + lane] = band[lane]
            else:
                for lane in range(n_valid):
                    double[mel, frame + lane] = band[lane]
