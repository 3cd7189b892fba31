"""From the strings to a microphone: slips of the strings, noise of the bow, body, room."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter

from skperceptual.datasets.cello_synthesis.bodies import Body
from skperceptual.datasets.cello_synthesis.bowing import CONTROL_RATE, Bowing
from skperceptual.datasets.procedural_music.mastering import reverberate, room_seconds
from skperceptual.datasets.procedural_music.noise import coloured_noise

Spectrum = NDArray[np.complex64]

ROOM_NAMES = ("studio", "chamber", "hall")
LEVEL_DB = -26.0
FLOOR_DB = -84.0

_STRING_LOSS_HZ = 3500.0
_BOW_NOISE_HZ = 4000.0
_MICROPHONE_HZ = 30.0
_SLIP_SECONDS = 0.0012
# Reverberation against the sound that comes straight from the instrument.
_ROOM_GAIN = 0.35
_BODY_SECONDS = 1.0
_LEAD_SECONDS = 0.3 + max(room_seconds(name) for name in ROOM_NAMES)
# Of the band-limited impulse that stands for a slip, in samples.
_HALF_WIDTH = 16
_CUTOFF = 0.9


class Hall:
    """A place to record in: its room, its microphone, and the length of what is recorded.

    Parameters
    ----------
    room : {"studio", "chamber", "hall"} or None
        The room; None for no reverberation at all.
    duration_seconds : float
        Length of a recording.
    sr : int
        Sampling rate in Hz.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.datasets.cello_synthesis import (
    ...     CHARACTERS,
    ...     Hall,
    ...     bow_notes,
    ...     compose_etude,
    ...     draw_body,
    ... )
    >>> rng = np.random.default_rng(0)
    >>> hall = Hall("studio", 3.0, 16000)
    >>> etude, body = compose_etude(rng), draw_body(CHARACTERS["A"], rng)
    >>> bowing = bow_notes(etude.notes, -hall.lead_seconds, hall.bowed_seconds, rng)
    >>> hall.record(bowing, hall.place(body), rng).shape
    (48000,)
    """

    def __init__(self, room: str | None, duration_seconds: float, sr: int) -> None:
        self.room = room
        self.sr = sr
        self.n_times = round(duration_seconds * sr)
        # What sounded before the recording began still sounds in the body and the room; as long for
        # all rooms, so that the room makes no other difference.
        self.lead_seconds = _LEAD_SECONDS
        self._n_lead = round(self.lead_seconds * sr)
        self._n_fft = next_fast_len(self._n_lead + self.n_times, real=True)

    @property
    def bowed_seconds(self) -> float:
        """How long to play for one recording, from ``lead_seconds`` before it begins."""
        return (self._n_lead + self.n_times) / self.sr

    @cached_property
    def _frequencies(self) -> NDArray[np.float64]:
        return np.arange(self._n_fft // 2 + 1, dtype=np.float64) * (self.sr / self._n_fft)

    @cached_property
    def _pickup(self) -> NDArray[np.complex128]:
        """Room and microphone."""
        ratio = 1j * self._frequencies / _MICROPHONE_HZ
        response = ratio**2 / (1 + np.sqrt(2) * ratio + ratio**2)
        if self.room is None:
            return response
        impulse = np.zeros(self._n_lead + self.n_times, dtype=np.float32)
        impulse[0] = 1
        reflected = reverberate(impulse, self.room, self.sr)[0]
        return response * (1 + _ROOM_GAIN * rfft(reflected, self._n_fft))

    @cached_property
    def _to_force(self) -> Spectrum:
        """From slips to a sawtooth of force, rounded by what a string loses."""
        frequencies = self._frequencies
        integral = np.zeros(len(frequencies), dtype=np.complex128)
        integral[1:] = self.sr / (2j * np.pi * frequencies[1:])
        return (integral / (1 + 1j * frequencies / _STRING_LOSS_HZ)).astype(np.complex64)

    def place(self, body: Body) -> Spectrum:
        """Put an instrument in front of the microphone.

        Parameters
        ----------
        body : Body
            The instrument.

        Returns
        -------
        ndarray
            What :meth:`record` takes: the response from the bridge to the microphone.
        """
        n_times = round(_BODY_SECONDS * self.sr)
        frequencies = np.arange(n_times // 2 + 1, dtype=np.float64) * (self.sr / n_times)
        impulse_response = irfft(body.response(frequencies), n_times)[: self._n_fft]
        return (rfft(impulse_response, self._n_fft) * self._pickup).astype(np.complex64)

    def record(
        self, bowing: Bowing, instrument: Spectrum, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Record an instrument.

        Parameters
        ----------
        bowing : Bowing
            How it is played, from ``lead_seconds`` before the recording for ``bowed_seconds``.
        instrument : ndarray
            What :meth:`place` gave.
        rng : Generator
            Where the noises come from.

        Returns
        -------
        ndarray of shape (n_times,)
            At -26 dB, with the hiss of a recording at -84 dB whatever the level was before.
        """
        slips, noise = self._play(bowing, rng)
        spectrum = instrument * (rfft(slips) * self._to_force + rfft(noise))
        sound = irfft(spectrum, self._n_fft)[self._n_lead :][: self.n_times]
        level = np.sqrt(np.mean(np.square(sound, dtype=np.float64)))
        sound *= 10 ** (LEVEL_DB / 20) / max(level, 1e-12)
        hiss = rng.standard_normal(self.n_times) * 10 ** (FLOOR_DB / 20)
        return (sound + hiss).astype(np.float32)

    def _play(
        self, bowing: Bowing, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the slips of all strings as impulses, and the noise that the bow makes as they slip.

        Helmholtz motion: the string sticks to the bow but for one slip a period, at which the force
        on the bridge jumps back. Its integral is a sawtooth.
        """
        moments = np.arange(bowing.pitch.shape[1]) / CONTROL_RATE
        times, jumps, scrapes = [], [], []
        for pitch, force, noise, roughness in zip(*bowing[:4], strict=True):
            if force.max() < 1e-4:
                continue
            hertz = 440 * 2 ** ((pitch - 69) / 12)
            periods = np.concatenate([[0], np.cumsum((hertz[1:] + hertz[:-1]) / 2) / CONTROL_RATE])
            slips = np.interp(np.arange(1, periods[-1]) - rng.random(), periods, moments)
            frequency = np.interp(slips, moments, hertz)
            slips += rng.standard_normal(len(slips)) * (
                np.interp(slips, moments, roughness) / frequency
            )
            times.append(slips)
            jumps.append(np.interp(slips, moments, force))
            # The mean square of decays from `height` is height**2 * rate * decay / 2.
            scrapes.append(
                np.interp(slips, moments, noise) / np.sqrt(frequency * _SLIP_SECONDS / 2)
            )
        if not times:
            silence = np.zeros(self._n_fft, dtype=np.float32)
            return silence, silence
        places = np.concatenate(times) * self.sr
        nearest = np.clip(np.rint(places).astype(int), 0, self._n_fft - 1)
        gate = np.bincount(nearest, np.concatenate(scrapes), minlength=self._n_fft)
        gate = lfilter([1.0], [1.0, -np.exp(-1 / (_SLIP_SECONDS * self.sr))], gate)
        hiss = coloured_noise(
            rng, self._n_fft, self.sr, lambda hertz: 1 / np.sqrt(1 + (hertz / _BOW_NOISE_HZ) ** 4)
        )
        force = _impulses(places, np.concatenate(jumps), self._n_fft)
        return force, (gate * hiss).astype(np.float32)


def _impulses(
    places: NDArray[np.float64], heights: NDArray[np.float64], n_times: int
) -> NDArray[np.float32]:
    """Put impulses between samples, without anything above half the sampling rate."""
    first = np.floor(places).astype(int) - _HALF_WIDTH + 1
    offsets = np.arange(2 * _HALF_WIDTH)
    away = (first - places)[:, np.newaxis] + offsets
    shapes = _CUTOFF * np.sinc(_CUTOFF * away) * np.cos(np.pi / 2 / _HALF_WIDTH * away) ** 2
    samples = (first[:, np.newaxis] + offsets).ravel()
    inside = (samples >= 0) & (samples < n_times)
    weights = (heights[:, np.newaxis] * shapes).ravel()
    return np.bincount(samples[inside], weights[inside], minlength=n_times).astype(np.float32)
