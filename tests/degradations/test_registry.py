"""Degradations by name."""

from __future__ import annotations

import pytest

from skperceptual import degradations
from skperceptual.degradations import (
    Degradation,
    MP3Codec,
    PMQDLowpass,
    degradation_names,
    get_degradation,
)


def test_every_public_degradation_has_one_name():
    public = {
        value
        for value in vars(degradations).values()
        if isinstance(value, type) and issubclass(value, Degradation) and value is not Degradation
    }
    names = degradation_names()
    assert names == sorted(set(names))
    assert {type(get_degradation(name)) for name in names} == public
    assert {"mp3_codec", "pmqd_lowpass", "mu_law", "a_law", "adpcm", "wow"} <= set(names)


def test_parameters_reach_the_class():
    step = get_degradation("mp3_codec", bitrate_kbps=64, sr=44100)
    assert isinstance(step, MP3Codec)
    assert (step.bitrate_kbps, step.sr, step.severity) == (64, 44100, 0.5)
    assert isinstance(get_degradation("pmqd_lowpass"), PMQDLowpass)


def test_unknown_names_and_parameters_say_what_there_is():
    with pytest.raises(
        ValueError, match=r"'mp3_codek'. Did you mean 'mp3_codec'.*There are a_law,"
    ):
        get_degradation("mp3_codek")
    with pytest.raises(ValueError, match=r"called 'zzz'. There are a_law"):
        get_degradation("zzz")
    with pytest.raises(ValueError, match="called 3"):
        get_degradation(3)
    with pytest.raises(TypeError, match=r"MuLaw has no parameter 'sr'. It takes severity, n_bits"):
        get_degradation("mu_law", sr=16000)
