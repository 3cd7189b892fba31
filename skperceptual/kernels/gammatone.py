"""Levels of gammatone bands, compiled: of windowed frames, each from rest, and of whole signals.

A gammatone filter of fourth order is a cascade of four sections that share their two poles and
differ in one zero [1]_. In the second direct form a section is three multiplications and additions
a sample, so that a band costs thirteen, the sum of squares included. They are not to be had for
less, but side by side: thirty-two frames at a time in the one kernel, thirty-two bands in the other
lie next to each other in memory, and four samples of each are worked on while its state is in
registers. That is as fast as the processor multiplies, and every lane is added up in the same
order, so that equal frames give equal bits wherever they stand.

References
----------
.. [1] M. Slaney, "An efficient implementation of the Patterson-Holdsworth auditory filter bank",
   Apple Computer technical report 35, 1993.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import register_jitable

from skperceptual.kernels.compilation import compiled

_VALUES = types.Array(types.float64, 1, "C", readonly=True)
_PLACES = types.Array(types.int64, 1, "C", readonly=True)
_FILTERS = types.Array(types.float64, 2, "C", readonly=True)
_LEVELS = types.Array(types.float64, 2, "C")


@register_jitable
def _lanes():
    return 32


@register_jitable
def _turn():
    """Samples worked on while the state of a lane is in registers."""
    return 4


@register_jitable(fastmath={"contract"})
def _cascade(v, p1, q1, p2, q2, p3, q3, p4, q4, a1, a2, c1, c2, c3, c4):
    """Pass one sample through four sections; ``p`` and ``q`` are their last two states."""
    w1 = (v - a2 * q1) - a1 * p1
    v = w1 + c1 * p1
    w2 = (v - a2 * q2) - a1 * p2
    v = w2 + c2 * p2
    w3 = (v - a2 * q3) - a1 * p3
    v = w3 + c3 * p3
    w4 = (v - a2 * q4) - a1 * p4
    return w1, w2, w3, w4, w4 + c4 * p4


@register_jitable(fastmath={"contract"})
def _filter_frames(samples, state, a1, a2, c1, c2, c3, c4):
    """Pass four samples of each frame through one band."""
    n = _lanes()
    for lane in range(n):
        p1, p2, p3, p4 = state[lane], state[n + lane], state[2 * n + lane], state[3 * n + lane]
        q1, q2 = state[4 * n + lane], state[5 * n + lane]
        q3, q4 = state[6 * n + lane], state[7 * n + lane]
        energy = state[8 * n + lane]
        for sample in range(_turn()):
            w1, w2, w3, w4, v = _cascade(
                samples[sample * n + lane], p1, q1, p2, q2, p3, q3, p4, q4, a1, a2, c1, c2, c3, c4
            )
            q1, q2, q3, q4, p1, p2, p3, p4 = p1, p2, p3, p4, w1, w2, w3, w4
            energy += v * v
        state[lane], state[n + lane], state[2 * n + lane], state[3 * n + lane] = p1, p2, p3, p4
        state[4 * n + lane], state[5 * n + lane] = q1, q2
        state[6 * n + lane], state[7 * n + lane] = q3, q4
        state[8 * n + lane] = energy


@compiled(types.void(_VALUES, _PLACES, _VALUES, _FILTERS, _LEVELS))
def frame_levels(signal, starts, window, filters, levels):
    """Give the root mean square of every band of windowed frames, each filtered from rest.

    Parameters
    ----------
    signal : ndarray of shape (n_times,), float64
        Where the frames are.
    starts : ndarray of shape (n_frames,), int64
        The first sample of each; every frame lies inside the signal.
    window : ndarray of shape (win_length,), float64
        What a frame is multiplied by. As many samples of the filters' outputs count.
    filters : ndarray of shape (n_bands, 7), float64
        Of each band, the two coefficients of the poles, the four of the zeros, and the gain.
    levels : ndarray of shape (n_bands, n_frames), float64
        Receives the levels.
    """
    n, turn = _lanes(), _turn()
    n_frames, win_length = starts.size, window.size
    # Silence before a frame leaves a filter at rest, so that whole turns can be made.
    ahead = -win_length % turn
    samples = np.zeros((ahead + win_length) * n)
    state = np.empty(9 * n)
    offsets = np.empty(n, np.int64)
    for first in range(0, n_frames, n):
        for lane in range(n):
            offsets[lane] = starts[min(first + lane, n_frames - 1)]
        for sample in range(win_length):
            weight, place = window[sample], (ahead + sample) * n
            for lane in range(n):
                samples[place + lane] = weight * signal[offsets[lane] + sample]
        for band in range(filters.shape[0]):
            a1, a2, gain = filters[band, 0], filters[band, 1], filters[band, 6]
            c1, c2 = filters[band, 2], filters[band, 3]
            c3, c4 = filters[band, 4], filters[band, 5]
            for place in range(state.size):
                state[place] = 0.0
            for place in range(0, samples.size, turn * n):
                _filter_frames(samples[place : place + turn * n], state, a1, a2, c1, c2, c3, c4)
            for lane in range(min(n, n_frames - first)):
                mean = state[8 * n + lane] / win_length
                levels[band, first + lane] = gain * math.sqrt(mean)


@register_jitable(fastmath={"contract"})
def _filter_bands(signal, start, count, filters, state):
    """Pass a few samples of the signal through thirty-two bands, side by side."""
    n = _lanes()
    for lane in range(n):
        a1, a2, c1 = filters[lane], filters[n + lane], filters[2 * n + lane]
        c2, c3, c4 = filters[3 * n + lane], filters[4 * n + lane], filters[5 * n + lane]
        p1, p2, p3, p4 = state[lane], state[n + lane], state[2 * n + lane], state[3 * n + lane]
        q1, q2 = state[4 * n + lane], state[5 * n + lane]
        q3, q4 = state[6 * n + lane], state[7 * n + lane]
        energy = state[8 * n + lane]
        for sample in range(count):
            w1, w2, w3, w4, v = _cascade(
                signal[start + sample], p1, q1, p2, q2, p3, q3, p4, q4, a1, a2, c1, c2, c3, c4
            )
            q1, q2, q3, q4, p1, p2, p3, p4 = p1, p2, p3, p4, w1, w2, w3, w4
            energy += v * v
        state[lane], state[n + lane], state[2 * n + lane], state[3 * n + lane] = p1, p2, p3, p4
        state[4 * n + lane], state[5 * n + lane] = q1, q2
        state[6 * n + lane], state[7 * n + lane] = q3, q4
        state[8 * n + lane] = energy


@compiled(types.void(_VALUES, types.int64, types.int64, _FILTERS, _LEVELS))
def signal_levels(signal, win_length, hop_length, filters, levels):
    """Give the root mean square, frame by frame, of every band of a signal filtered as a whole.

    Parameters
    ----------
    signal : ndarray of shape (n_times,), float64
        The signal; the filters are at rest before it.
    win_length, hop_length : int
        Length of a frame and distance between frames, in samples.
    filters : ndarray of shape (n_bands, 7), float64
        As for :func:`frame_levels`.
    levels : ndarray of shape (n_bands, n_frames), float64
        Receives the levels; every frame lies inside the signal.
    """
    n, turn = _lanes(), _turn()
    n_bands, n_frames = levels.shape
    own, state = np.empty(6 * n), np.empty(9 * n)
    for first in range(0, n_bands, n):
        n_here = min(n, n_bands - first)
        own[:], state[:] = 0.0, 0.0
        for lane in range(n_here):
            for row in range(6):
                own[row * n + lane] = filters[first + lane, row]
            levels[first + lane] = 0.0
        # From the beginning or end of a frame to the next one, the same frames are open.
        begun, ended, place = 0, 0, 0
        while ended < n_frames:
            stop = ended * hop_length + win_length
            if begun < n_frames:
                stop = min(stop, begun * hop_length)
            while place + turn <= stop:
                _filter_bands(signal, place, turn, own, state)
                place += turn
            while place < stop:
                _filter_bands(signal, place, 1, own, state)
                place += 1
            for lane in range(n_here):
                for frame in range(ended, begun):
                    levels[first + lane, frame] += state[8 * n + lane]
                state[8 * n + lane] = 0.0
            if begun < n_frames and stop == begun * hop_length:
                begun += 1
            if stop == ended * hop_length + win_length:
                ended += 1
    for band in range(n_bands):
        for frame in range(n_frames):
            levels[band, frame] = filters[band, 6] * math.sqrt(levels[band, frame] / win_length)
