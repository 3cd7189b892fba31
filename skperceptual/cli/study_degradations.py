"""The nine degradations of the study, under the names that it gave them."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import NDArray

__all__ = ["LEVELS", "VERSIONS", "Version", "degrade"]

#: From the mildest on; the severities of the study's levels.
LEVELS = {"low": 0.0, "high": 0.5, "extreme": 1.0}


class Version(NamedTuple):
    """One of the nine, and what it is in plain words.

    Examples
    --------
    >>> from skperceptual.cli.study_degradations import VERSIONS
    >>> VERSIONS[8].name, VERSIONS[8].meaning
    ('compression (extreme)', '4 bits, low-pass at 4 kHz')
    """

    degradation: str
    level: str
    meaning: str

    @property
    def name(self) -> str:
        """Degradation and level."""
        return f"{self.degradation} ({self.level})"


VERSIONS = (
    Version("noise", "low", "white noise of standard deviation 0.002"),
    Version("noise", "high", "white noise of standard deviation 0.01"),
    Version("noise", "extreme", "white noise of standard deviation 0.02"),
    Version("bitrate", "low", "resampled to 8 kHz and back"),
    Version("bitrate", "high", "resampled to 4 kHz and back"),
    Version("bitrate", "extreme", "resampled to 2.7 kHz and back"),
    Version("compression", "low", "12 bits, low-pass at 5.6 kHz"),
    Version("compression", "high", "8 bits"),
    Version("compression", "extreme", "4 bits, low-pass at 4 kHz"),
)


def degrade(signal: NDArray, version: Version, *, sr: int, seed: int) -> NDArray:
    """Make one version of a signal; its peak is 1.

    Parameters
    ----------
    signal : ndarray of shape (n_times,)
        The recording.
    version : Version
        Which.
    sr : int
        Its sampling rate in Hz.
    seed : int
        Seed of the noise.

    Returns
    -------
    ndarray of shape (n_times,)
        The degraded version.
    """
    from skperceptual.degradations import GhoshNoise, GhoshQuantization, GhoshResampling

    severity = LEVELS[version.level]
    make = {
        "noise": lambda: GhoshNoise(severity=severity, random_state=seed),
        "bitrate": lambda: GhoshResampling(severity=severity, sr=sr),
        "compression": lambda: GhoshQuantization(severity=severity),
    }
    return make[version.degradation]().transform(signal[None])[0]
