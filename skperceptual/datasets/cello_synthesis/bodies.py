"""The bodies of cellos: banks of resonances, from the force at the bridge to the sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Gain in dB over frequency in Hz of a cello's body, from the harmonics of recorded notes: the SHARC
# data base (G. Sandell; the cello of the McGill University Master Samples).
_ENVELOPE = {
    60: -40,
    93: -15,
    165: 0,
    208: 0,
    294: -14,
    392: -11,
    466: -17,
    588: -20,
    700: -17,
    933: -18,
    1250: -25,
    1400: -22,
    1700: -17,
    2000: -18,
    2218: -20,
    2640: -27,
    3521: -36,
    3950: -40,
    8000: -55,
}
# The air mode and the first modes of the wood, which every cello has near these frequencies.
_AIR_HZ = 93.0
_AIR_Q = 14.0
_SIGNATURE_HZ = (_AIR_HZ, 130.0, 165.0, 208.0)
_SIGNATURE_SPREAD = 0.03
# Above them the modes of the plates, too many to name.
_DENSE_FROM_HZ = 240.0
_DENSE_TO_HZ = 7800.0
_DENSE_SPACING_HZ = 18.0
_Q_SPREAD = 0.25


class Character(NamedTuple):
    """What sets the bodies of a class apart from others.

    Parameters
    ----------
    q : float
        Median quality factor of the modes.
    air_db : float
        Gain around the air mode, 92 Hz, a quarter of ``ln f`` wide.
    boxy_db : float
        Gain around 340 Hz, 0.35 of ``ln f`` wide.
    shelf_db : float
        Gain above 800 Hz.
    """

    q: float
    air_db: float
    boxy_db: float
    shelf_db: float

    def gain_db(self, frequencies: Floats) -> Floats:
        """Give the gain of the class on top of the envelope that all cellos share.

        Parameters
        ----------
        frequencies : ndarray
            In Hz, above 0.

        Returns
        -------
        ndarray
            Decibels.
        """
        air = np.exp(-0.5 * (np.log(frequencies / 92) / 0.25) ** 2)
        boxy = np.exp(-0.5 * (np.log(frequencies / 340) / 0.35) ** 2)
        shelf = 1 / (1 + (800 / frequencies) ** 4)
        return self.air_db * air + self.boxy_db * boxy + self.shelf_db * shelf


# Class A rings longer, and is stronger at the lowest and highest frequencies. After what is
# published of old and of factory violins, scaled to the cello, and after a cello with a mute.
CHARACTERS = {"A": Character(35.0, 0.0, 0.0, 0.0), "B": Character(20.0, -6.0, 3.0, -8.0)}


def character_of(label: str, contrast: str) -> Character:
    """Give the character of a class where the classes differ in some ways only.

    Parameters
    ----------
    label : {"A", "B"}
        The class.
    contrast : {"none", "eq", "damping", "both"}
        In what the classes differ.

    Returns
    -------
    Character
        That of A, but for what the contrast says.
    """
    base, own = CHARACTERS["A"], CHARACTERS[label]
    if contrast in ("damping", "both"):
        base = base._replace(q=own.q)
    if contrast in ("eq", "both"):
        base = own._replace(q=base.q)
    return base


@dataclass(frozen=True)
class Body:
    """A body: its modes.

    Parameters
    ----------
    frequencies : ndarray of shape (n_modes,)
        In Hz, the air mode first.
    q : ndarray of shape (n_modes,)
        Quality factors.
    strengths : ndarray of shape (n_modes,)
        Gain at the peak of each, with its sign.
    """

    frequencies: Floats
    q: Floats
    strengths: Floats

    def response(self, frequencies: Floats) -> NDArray[np.complex128]:
        """Give the ratio of the sound to the force at the bridge.

        Parameters
        ----------
        frequencies : ndarray of shape (n_frequencies,)
            In Hz.

        Returns
        -------
        ndarray of shape (n_frequencies,)
            The sum over modes of ``strength * (j r / q) / (1 - r**2 + j r / q)`` with ``r`` the
            frequency relative to the mode's.
        """
        total = np.zeros(len(frequencies), dtype=np.complex128)
        # In blocks that the processor's cache holds.
        for block in np.array_split(np.arange(len(self.q)), max(1, len(self.q) // 16)):
            ratio = frequencies / self.frequencies[block, np.newaxis]
            damping = ratio / self.q[block, np.newaxis]
            stiffness = 1 - ratio**2
            # z / (s + z) for z = j * damping, written in real numbers, which is twice as fast.
            share = self.strengths[block, np.newaxis] * damping / (stiffness**2 + damping**2)
            total.real += (share * damping).sum(axis=0)
            total.imag += (share * stiffness).sum(axis=0)
        return total


def draw_body(character: Character, rng: np.random.Generator) -> Body:
    """Draw a body of a class.

    The same generator gives the same body for every character but for what the character says: how
    long its modes ring, and their gains.

    Parameters
    ----------
    character : Character
        What is common to the bodies of the class.
    rng : Generator
        Where the body comes from.

    Returns
    -------
    Body
        Some 400 modes up to 7.8 kHz.
    """
    signature = np.array(_SIGNATURE_HZ) * np.exp(
        _SIGNATURE_SPREAD * rng.standard_normal(len(_SIGNATURE_HZ))
    )
    n_spacings = round(1.3 * (_DENSE_TO_HZ - _DENSE_FROM_HZ) / _DENSE_SPACING_HZ)
    spacings = rng.rayleigh(_DENSE_SPACING_HZ / np.sqrt(np.pi / 2), n_spacings)
    dense = _DENSE_FROM_HZ + np.cumsum(spacings)
    dense = dense[dense < _DENSE_TO_HZ]
    frequencies = np.concatenate([signature, dense])

    q = character.q * np.exp(_Q_SPREAD * rng.standard_normal(len(frequencies)))
    q[0] = _AIR_Q * q[0] / character.q  # the damping of the air is not that of the wood
    table = np.array(list(_ENVELOPE.items()), dtype=float)
    envelope = np.interp(np.log(frequencies), np.log(table[:, 0]), table[:, 1])
    strengths = 10 ** ((envelope + character.gain_db(frequencies)) / 20)
    # Where modes overlap several of them answer at once: together they keep to the envelope. The
    # overlap is that of class A, so that damping alone stays damping alone.
    overlap = np.pi / 2 * dense / CHARACTERS["A"].q / _DENSE_SPACING_HZ
    strengths[len(signature) :] *= rng.standard_normal(len(dense)) / np.sqrt(np.maximum(1, overlap))
    return Body(frequencies, q, strengths)
