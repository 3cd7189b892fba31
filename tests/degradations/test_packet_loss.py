"""How many packets are lost, in which bursts, and what is played instead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skperceptual.degradations import PacketLoss, packet_loss
from skperceptual.degradations.packet_loss import lose

PACKET = 320


def lossy(clip, **parameters):
    parameters = {"random_state": 0, "fade_seconds": 0.0} | parameters
    return PacketLoss(**parameters).transform([clip])[0]


def lost_packets(clip, **parameters):
    return ~lossy(clip, **parameters).reshape(-1, PACKET).any(axis=1)


@pytest.fixture
def tone():
    """600 packets in which nothing is 0 for long."""
    return np.sin(0.1 + np.arange(600 * PACKET) / 10)


@pytest.mark.parametrize("percent", [1, 3, 5, 10, 20, 45])
def test_share_of_losses(percent, tone):
    assert lost_packets(tone, loss_percent=percent).sum() == round(6 * percent)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.4])
@pytest.mark.parametrize("burst", [1.0, 2.0, 3.0])
def test_bursts(share, burst):
    burst = max(burst, 1 / (1 - share))
    draws = np.random.default_rng(0).random(100000)
    lost = lose(draws, round(share * 100000), burst)
    assert lost.mean() == pytest.approx(share)
    starts = np.sum(lost[1:] & ~lost[:-1]) + lost[0]
    assert lost.sum() / starts == pytest.approx(burst, rel=0.05)


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_losses_are_those_of_the_markov_chain(share):
    # step by step, at the share at which as many are lost
    burst = 2.0
    draws = np.random.default_rng(1).random(3000)
    failure = share / (1 - share) / burst
    expected, bad = [], False
    for packet, draw in enumerate(draws):
        bad = draw < (share if packet == 0 else 1 - 1 / burst if bad else failure)
        expected.append(bad)
    assert_array_equal(lose(draws, sum(expected), burst), expected)


@given(
    seed=st.integers(0, 1000),
    n_packets=st.integers(1, 60),
    burst=st.floats(1.05, 5),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_more_losses_are_the_same_ones_and_others(seed, n_packets, burst, shares):
    draws = np.random.default_rng(seed).random(n_packets)
    few, many = sorted(round(share * n_packets) for share in shares)
    lost_few, lost_many = lose(draws, few, burst), lose(draws, many, burst)
    assert (lost_few.sum(), lost_many.sum()) == (few, many)
    assert lost_many[lost_few].all()


def test_long_signals_are_worse_from_rung_to_rung(music):
    long = np.tile(music, 3)
    errors = [
        np.sum(np.square(PacketLoss(severity=s, sr=48000, random_state=0).transform([long]) - long))
        for s in np.linspace(0, 1, 8)
    ]
    assert (np.diff(errors) > 0).all()


def test_a_packet_is_lost_of_any_signal(rng):
    for n_times in (1, 2, 319, 320, 321, 3200):
        clip = rng.uniform(0.1, 0.5, size=n_times)
        assert not np.array_equal(lossy(clip, severity=0.0), clip)


def test_packets_that_come_are_left_alone(tone):
    lost = lost_packets(tone, loss_percent=20)
    kept = lossy(tone, loss_percent=20).reshape(-1, PACKET)[~lost]
    assert_array_equal(kept, tone.reshape(-1, PACKET)[~lost])


def test_fades_lie_in_the_packets_beside_a_gap(tone):
    lost = np.repeat(lost_packets(tone, loss_percent=5), PACKET)
    faded = lossy(tone, loss_percent=5, fade_seconds=0.0025)
    assert not faded[lost].any()
    inner = np.convolve(lost, np.ones(81), mode="same") == 0  # further than 40 samples from a gap
    assert_array_equal(faded[inner], tone[inner])
    changed = ~lost & ~inner
    assert (np.abs(faded[changed]) < np.abs(tone[changed])).mean() > 0.95
    hard = lossy(tone, loss_percent=5)
    edges = np.flatnonzero(np.diff(lost.astype(int)))
    assert np.abs(np.diff(faded))[edges].max() < 0.01 < np.abs(np.diff(hard))[edges].max()


def test_repetition(rng):
    clip = rng.uniform(-1, 1, size=40 * PACKET)
    lost = lost_packets(clip, loss_percent=30)
    found = lossy(clip, loss_percent=30, concealment="repeat").reshape(-1, PACKET)
    last, gain = np.zeros(PACKET), 1.0
    for packet, is_lost in enumerate(lost):
        if is_lost:
            gain *= 10 ** (-6 / 20)
            assert_allclose(found[packet], gain * last)
        else:
            last, gain = clip[packet * PACKET : (packet + 1) * PACKET], 1.0
            assert_array_equal(found[packet], last)


def test_pitch_goes_on_where_there_is_one():
    # a period of 100 samples, 160 Hz: only its level tells the substitute from what was lost
    period = np.random.default_rng(0).uniform(-1, 1, size=100)
    clip = np.tile(period, 64)
    lost = lost_packets(clip, loss_percent=10)
    assert not lost[:2].any()
    found = lossy(clip, loss_percent=10, concealment="pitch").reshape(-1, PACKET)
    expected = clip.reshape(-1, PACKET)
    first = lost & ~np.roll(lost, 1)
    assert first.any()
    assert_allclose(found[first], 10 ** (-6 / 20) * expected[first])
    plain = lossy(clip, loss_percent=10, concealment="repeat").reshape(-1, PACKET)
    assert not np.allclose(plain[first], 10 ** (-6 / 20) * expected[first])


@pytest.mark.parametrize("concealment", ["repeat", "pitch"])
def test_what_was_lost_is_not_known(concealment, rng, monkeypatch):
    # every second packet is lost, whatever is in it
    lost = np.arange(40) % 2 == 1
    monkeypatch.setattr(packet_loss, "lose", lambda draws, n_lost, burst: lost)
    clip = rng.uniform(-1, 1, size=40 * PACKET)
    other = np.where(np.repeat(lost, PACKET), rng.uniform(-1, 1, size=clip.size), clip)
    expected = lossy(clip, concealment=concealment, fade_seconds=0.0)
    assert_array_equal(lossy(other, concealment=concealment, fade_seconds=0.0), expected)


@pytest.mark.parametrize("concealment", ["silence", "repeat", "pitch"])
@pytest.mark.parametrize("n_times", [1, 2, 7, 319, 321, 700])
def test_short_signals_are_concealed(concealment, n_times, rng):
    clip = rng.uniform(-1, 1, size=n_times)
    for severity in (0.0, 1.0):
        found = lossy(clip, severity=severity, concealment=concealment, fade_seconds=0.0025)
        assert found.shape == clip.shape
        assert np.abs(found).max() <= 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"burst": 1.2, "loss_percent": 20}, "bursts of 1.25 packets"),
        ({"packet_seconds": 0.0001}, "does not hold two samples"),
        ({"fade_seconds": 0.011}, "two fades of fade_seconds=0.011"),
        ({"burst": 0.5}, "'burst' parameter"),
        ({"loss_percent": 100}, "'loss_percent' parameter"),
    ],
)
def test_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        PacketLoss(**parameters).fit(np.zeros((1, 1000)))
