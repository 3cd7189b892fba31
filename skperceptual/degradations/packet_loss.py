"""Loss of packets in bursts, and what a receiver plays in their place."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skperceptual.degradations.base import Degradation
from skperceptual.degradations.fades import raised_mask
from skperceptual.degradations.ladders import geometrically
from skperceptual.degradations.randomness import clip_generator, draw_seed
from skperceptual.utils._sklearn import Interval, StrOptions

__all__ = ["PacketLoss"]

_REPEATED_GAIN = 10 ** (-6 / 20)
# Pitch periods that are looked for, in seconds: 400 to 66.7 Hz.
_SHORTEST_PERIOD, _LONGEST_PERIOD = 0.0025, 0.015


class PacketLoss(Degradation):
    """Lose packets of signals, singly or in bursts, as networks do.

    Parameters
    ----------
    severity : float, default=0.5
        From 0 to 1: from 1 % of all packets to 30 % in equal ratios.
    loss_percent : float, default=None
        Share of packets that are lost, in percent, in place of ``severity``. It holds for every
        signal, rounded to whole packets, and to one at least.
    burst : float, default=2.0
        Mean number of packets that are lost in a row. It has to be so large that the losses do
        not keep away from each other: ``1 / (1 - loss_percent / 100)`` or more, where equality
        makes them independent.
    packet_seconds : float, default=0.02
        Duration of a packet.
    concealment : {"silence", "repeat", "pitch"}, default="silence"
        What is played in place of lost packets. ``"silence"``: nothing. ``"repeat"``: the last
        packet that came, 6 dB quieter every time. ``"pitch"``: the last pitch period that came,
        over and over, quieter likewise.
    fade_seconds : float, default=0.0025
        Duration of the cross-fades before and after a gap, at most half a packet. 0 leaves clicks.
    sr : int, default=16000
        Sampling rate of the signals in Hz.
    match : {"none", "rms", "peak"}, default="none"
        Whether to scale the result to the root mean square, or to the peak, of its signal.
    random_state : int, RandomState or None, default=None
        With an int, each signal has losses of its own, which depend on it and on the content of
        the signal alone. What is lost at one severity is lost at all higher ones too. None gives
        other losses in each call.

    Raises
    ------
    ValueError
        When a packet is shorter than two samples or two fades, or the losses would have to keep
        away from each other.

    See Also
    --------
    Dropouts : Gaps of a signal that was never in packets.

    Notes
    -----
    Whether packets come follows a Markov chain of two states (E. Gilbert, Capacity of a burst-noise
    channel, 1960): from good to bad with probability p, from bad to good with r, all packets of
    the bad state being lost. With a share s lost in bursts of mean length b, ``r = 1 / b`` and ``p
    = r s / (1 - s)``. Of each signal that s is taken at which as many packets are lost as asked
    for, so that chance decides where losses are and not how many. Silence in place of more packets
    always means a lower signal-to-noise ratio; but where signals are short, so that two severities
    lose the same number of packets, both give the same result, and repetitions may happen to fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skperceptual.degradations import PacketLoss
    >>> tone = np.sin(np.arange(160000) / 10)[np.newaxis]
    >>> lossy = PacketLoss(loss_percent=10, fade_seconds=0, random_state=0).transform(tone)
    >>> packets = lossy.reshape(-1, 320)
    >>> int(np.sum(~packets.any(axis=1))), len(packets)
    (50, 500)
    """

    physical_parameter = "loss_percent"
    graded_by = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Degradation._parameter_constraints,
        "loss_percent": [Interval(Real, 0, 100, closed="neither"), None],
        "burst": [Interval(Real, 1, None, closed="neither")],
        "packet_seconds": [Interval(Real, 0, None, closed="neither")],
        "concealment": [StrOptions({"silence", "repeat", "pitch"})],
        "fade_seconds": [Interval(Real, 0, None, closed="left")],
        "sr": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        severity: float = 0.5,
        loss_percent: float | None = None,
        burst: float = 2.0,
        packet_seconds: float = 0.02,
        concealment: str = "silence",
        fade_seconds: float = 0.0025,
        sr: int = 16000,
        match: str = "none",
        random_state: Any = None,
    ) -> None:
        self.severity = severity
        self.loss_percent = loss_percent
        self.burst = burst
        self.packet_seconds = packet_seconds
        self.concealment = concealment
        self.fade_seconds = fade_seconds
        self.sr = sr
        self.match = match
        self.random_state = random_state

    def _value_at(self, severity: float) -> float:
        return geometrically(severity, 1.0, 30.0)

    def _check_parameters(self) -> None:
        if round(self.packet_seconds * self.sr) < 2 or 2 * self.fade_seconds > self.packet_seconds:
            raise ValueError(
                f"packet_seconds={self.packet_seconds!r} does not hold two samples at sr={self.sr} "
                f"and two fades of fade_seconds={self.fade_seconds!r}. Use longer packets or "
                "shorter fades."
            )
        least = 1 / (1 - self.physical_value / 100)
        if self.burst < least - 1e-9:
            raise ValueError(
                f"burst={self.burst!r} is too short for loss_percent={self.physical_value:g}: "
                f"independent losses of that share have bursts of {least:.3g} packets on average. "
                "Use longer bursts."
            )

    def _prepare(self) -> Callable[[NDArray], NDArray]:
        seed = draw_seed(self.random_state)
        n_packet = round(self.packet_seconds * self.sr)
        n_fade = round(self.fade_seconds * self.sr)

        def degrade(clip: NDArray) -> NDArray:
            generator = clip_generator(seed, np.atleast_2d(clip))
            draws = generator.random(-(-len(clip) // n_packet))
            n_lost = max(1, round(self.physical_value / 100 * len(draws)))
            lost = lose(draws, n_lost, self.burst)
            gaps = [(start * n_packet, stop * n_packet) for start, stop in _runs(lost)]
            substitute = self._conceal(clip, gaps, n_packet, n_fade)
            mask = raised_mask(gaps, len(clip), n_fade)
            return clip * (1 - mask) + substitute * mask

        return degrade

    def _conceal(
        self, clip: NDArray, gaps: list[tuple[int, int]], n_packet: int, n_fade: int
    ) -> NDArray:
        """Give what to play in gaps and in the fades on both sides of them."""
        substitute = np.zeros_like(clip)
        if self.concealment == "silence":
            return substitute
        heard = clip.copy()
        for start, stop in gaps:
            past = heard[:start] if start else np.zeros(1)  # nothing came before the first packet
            period = min(n_packet, len(past))
            if self.concealment == "pitch":
                period = _pitch_period(past, self.sr, n_packet)
            times = np.arange(max(0, start - n_fade), min(len(clip), stop + n_fade))
            # In the fade before the gap, too, what sounds is one period old.
            source = start - period + (times - start) % period
            gain = _REPEATED_GAIN ** np.maximum(0, (times - start) // n_packet + 1)
            substitute[times] = gain * past[np.clip(source, 0, len(past) - 1)]
            heard[start:stop] = substitute[start:stop]
        return substitute


def lose(draws: NDArray, n_lost: int, burst: float) -> NDArray[np.bool_]:
    """Say which packets are lost, such that more losses are the same ones and further ones.

    Parameters
    ----------
    draws : ndarray of shape (n_packets,)
        Uniform from 0 to 1, one a packet.
    n_lost : int
        How many packets to lose.
    burst : float
        Mean number of packets lost in a row.

    Returns
    -------
    ndarray of shape (n_packets,), bool
        True where a packet is lost.
    """
    recovery = 1 / burst
    # The share of losses from which on a packet is lost after one that came. It has its draw below
    # p = recovery * share / (1 - share); the first packet of all, below the share itself.
    shares = draws / (draws + recovery)
    shares[0] = draws[0]
    # After a lost packet it is lost as well, unless its draw is above 1 - recovery. So the share
    # of a packet is the least since the last one with such a draw.
    stretch = 2.0 * np.cumsum(draws >= 1 - recovery)
    shares = np.minimum.accumulate(shares - stretch) + stretch
    lost = np.zeros(len(draws), dtype=bool)
    lost[np.argsort(shares, kind="stable")[:n_lost]] = True
    return lost


def _runs(lost: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give the first packet of each run of losses, and the one after its last."""
    edges = np.flatnonzero(np.diff(lost, prepend=False, append=False))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _pitch_period(past: NDArray, sr: int, n_packet: int) -> int:
    """Find the lag at which the end of what came is most like what came before it."""
    shortest = max(1, round(_SHORTEST_PERIOD * sr))
    longest = min(round(_LONGEST_PERIOD * sr), len(past) - n_packet)
    if longest <= shortest:
        return min(n_packet, len(past))
    end = past[-n_packet:]
    windows = np.lib.stride_tricks.sliding_window_view(past[-n_packet - longest :], n_packet)
    earlier = windows[longest - shortest :: -1]  # by lag, from the shortest on
    energy = np.sqrt(np.sum(np.square(earlier), axis=1))
    similarity = earlier @ end / np.where(energy > 0, energy, np.inf)
    return shortest + int(np.argmax(similarity))
