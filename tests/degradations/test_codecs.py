"""MP3, Vorbis, Opus: the bit rates asked for, no delay, every version of soundfile."""

from __future__ import annotations

import inspect
import io
import struct

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_array_equal
from scipy.signal import correlate

from skperceptual import load_audio
from skperceptual.degradations import MP3Codec, OpusCodec, VorbisCodec, encoding
from skperceptual.degradations.encoding import MP3, OPUS, VORBIS, decode, encode

CODECS = (MP3Codec, OpusCodec, VorbisCodec)
each_codec = pytest.mark.parametrize("cls", CODECS)
sets_compression = pytest.mark.skipif(
    "compression_level" not in inspect.signature(soundfile.SoundFile).parameters,
    reason="soundfile below 0.13 cannot write the reference",
)


def lag_of(degraded, clip, *, whitening=0.0):
    """Give the lag at which two clips correlate best, strong partials weakened."""
    spectrum = np.fft.rfft(correlate(degraded, clip, method="fft"))
    magnitude = np.maximum(np.abs(spectrum), 1e-9 * np.abs(spectrum).max())
    correlation = np.fft.irfft(spectrum / magnitude**whitening, 2 * len(clip) - 1)
    return int(np.argmax(correlation)) - (len(clip) - 1)


@pytest.fixture(scope="module")
def clips(music):
    """The same music at several rates, by rate."""
    return {
        48000: music[:48000],
        16000: np.interp(np.arange(16000) * 3.0, np.arange(48000.0), music[:48000]),
    }


# --- Against libsndfile's own files ---------------------------------------------------------------


@sets_compression
@pytest.mark.parametrize(
    ("codec", "suffix", "settings"),
    [
        # bit rates from 320 to 32, the compression level of 128 and of 96 between them
        (
            MP3Codec(bitrate_kbps=128, sr=48000),
            "mp3",
            {"compression_level": 191.5 / 288, "bitrate_mode": "AVERAGE"},
        ),
        (
            MP3Codec(bitrate_kbps=24, sr=16000),
            "mp3",
            {"compression_level": 135.5 / 152, "bitrate_mode": "AVERAGE"},
        ),
        (VorbisCodec(bitrate_kbps=96, sr=48000), "ogg", {"compression_level": 0.5}),
        (OpusCodec(bitrate_kbps=31, sr=16000), "opus", {"compression_level": 0.9}),
    ],
    ids=str,
)
def test_results_are_those_of_files(codec, suffix, settings, clips, tmp_path):
    clip = clips[codec.sr]
    file = tmp_path / f"coded.{suffix}"
    forms = {"mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}
    file_format, subtype = forms[suffix]
    soundfile.write(file, clip, codec.sr, subtype, format=file_format, **settings)
    expected, _ = soundfile.read(file)
    assert_array_equal(codec.transform([clip])[0], expected)
    kbps = 8e-3 * file.stat().st_size * codec.sr / len(clip)
    assert codec.encoded_kbps([clip])[0] == pytest.approx(kbps)


def nominal_kbps(data):
    """Read the nominal bit rate out of the identification header of an Ogg Vorbis file."""
    start = data.index(b"\x01vorbis") + 7
    return struct.unpack_from("<IBIiii", data, start)[4] / 1000


@pytest.mark.parametrize("sr", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
def test_nominal_bit_rates_of_vorbis(sr, hiss):
    lowest, highest = VorbisCodec(sr=sr)._bitrates()
    for kbps in np.linspace(lowest, highest, 7):
        codec = VorbisCodec(bitrate_kbps=kbps, sr=sr)
        data, _ = codec._encode(hiss[:4000])
        # libvorbis takes 0.9999 for a quality of 1
        assert nominal_kbps(data) == pytest.approx(kbps, rel=1e-3)


@pytest.mark.parametrize(
    ("cls", "sr", "rates"),
    [
        (MP3Codec, 48000, (128, 64, 40)),
        (MP3Codec, 16000, (64, 24, 12)),
        (MP3Codec, 8000, (48, 24, 12)),
        (OpusCodec, 48000, (96, 48, 24)),
        (OpusCodec, 16000, (48, 24, 16)),
    ],
)
def test_bit_rates_that_signals_get(cls, sr, rates, music):
    # long enough for headers not to count; sr alone says how fast it is played
    clip = np.tile(music, 6)[: 8 * sr]
    for kbps in rates:
        assert cls(bitrate_kbps=kbps, sr=sr).encoded_kbps([clip])[0] == pytest.approx(kbps, rel=0.2)


def test_whole_bit_rates_of_mp3_come_out_of_its_compression_level():
    for sr, (lowest, highest) in {48000: (32, 320), 16000: (8, 160), 8000: (8, 64)}.items():
        for kbps in range(lowest, highest + 1):
            level = MP3Codec(sr=sr)._level(kbps)
            assert 0 <= level <= 0.999  # of 1, LAME makes an error
            if kbps < highest:
                assert int(highest - level * (highest - lowest)) == kbps


# --- Delay, length, rates -------------------------------------------------------------------------


@each_codec
@pytest.mark.parametrize("sr", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
def test_no_delay_at_any_rate(cls, sr, music, hiss):
    for clip in (music[:24000], hiss[:24000]):
        for severity in (0.0, 1.0):
            codec = cls(severity=severity, sr=sr)
            (degraded,) = codec.transform([clip])
            assert degraded.shape == clip.shape
            assert abs(lag_of(degraded, clip)) <= codec.max_lag
    assert MP3Codec(sr=sr).max_lag == VorbisCodec(sr=sr).max_lag == 0


@each_codec
@pytest.mark.parametrize("sr", [16000, 48000])
def test_no_delay_in_recordings(cls, sr, shared):
    files = sorted((shared / "data" / "music").glob("*.flac"))[::15]
    files += sorted((shared / "data" / "speech").glob("*.flac"))[::8]
    clips = [load_audio(file, sr=sr)[0][: 2 * sr].astype(np.float64) for file in files]
    for severity in (0.0, 0.5, 1.0):
        codec = cls(severity=severity, sr=sr)
        for clip, degraded in zip(clips, codec.transform(clips), strict=True):
            assert abs(lag_of(degraded, clip, whitening=0.5)) <= codec.max_lag


@each_codec
@pytest.mark.parametrize("n_times", [1, 2, 3, 10, 100, 575, 1151, 1153, 4000])
@pytest.mark.parametrize("sr", [5000, 16000, 44100, 96000])
def test_clips_shorter_than_a_frame(cls, n_times, sr, hiss):
    (degraded,) = cls(severity=0.0, sr=sr).transform([hiss[:n_times]])
    assert degraded.shape == (n_times,)
    assert np.isfinite(degraded).all()
    if n_times >= 575:
        assert lag_of(degraded, hiss[:n_times]) == 0


@pytest.mark.parametrize(
    ("cls", "rates"),
    [
        (MP3Codec, {4000: 8000, 9000: 11025, 16000: 16000, 44100: 44100, 96000: 48000}),
        (VorbisCodec, {4000: 8000, 9600: 9600, 44100: 44100, 50000: 50000, 96000: 48000}),
        (OpusCodec, {4000: 8000, 11025: 12000, 22050: 24000, 44100: 48000, 96000: 48000}),
    ],
)
def test_rates_that_a_codec_does_not_take(cls, rates, music):
    for sr, expected in rates.items():
        codec = cls(severity=0.0, sr=sr)
        assert codec.codec_sr == expected
        (degraded,) = codec.transform([music[:24000]])
        assert abs(lag_of(degraded, music[:24000])) <= codec.max_lag


def test_44100_through_opus_is_that_of_48000(music):
    from skperceptual.utils.resampling import resample

    clip = music[:44100]
    above = resample(clip, 44100, 48000, quality="VHQ")
    (coded,) = OpusCodec(bitrate_kbps=32, sr=48000).transform([above])
    expected = resample(coded, 48000, 44100, quality="VHQ")[:44100]
    assert_array_equal(OpusCodec(bitrate_kbps=32, sr=44100).transform([clip])[0], expected)


@each_codec
def test_beyond_full_scale_is_clipped_first(cls, music):
    clip = 3 * music[:16000]
    codec = cls(severity=0.2)
    assert_array_equal(codec.transform([clip]), codec.transform([np.clip(clip, -1, 1)]))


@each_codec
def test_silence_stays_quiet(cls):
    (degraded,) = cls(severity=1.0).transform([np.zeros(16000)])
    assert np.abs(degraded).max() < 1e-4


# --- Wrong parameters, missing encoders, other versions -------------------------------------------


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        (MP3Codec(bitrate_kbps=24, sr=48000), "from 32 to 320 kbit/s for mono at 48000"),
        (MP3Codec(bitrate_kbps=161, sr=16000), "from 8 to 160"),
        (MP3Codec(bitrate_kbps=65, sr=11025), "from 8 to 64"),
        (VorbisCodec(bitrate_kbps=32, sr=44100), "from 48 to 240"),
        (VorbisCodec(bitrate_kbps=50, sr=8000), "from 14 to 42"),
        (OpusCodec(bitrate_kbps=5), "from 6 to 256"),
    ],
    ids=str,
)
def test_bit_rates_that_there_are_not(codec, message):
    for call in (codec.fit, codec.transform, codec.encoded_kbps):
        with pytest.raises(ValueError, match=message):
            call(np.zeros((1, 100)))


@pytest.mark.parametrize(("cls", "version"), [(MP3Codec, "1.1.0"), (OpusCodec, "1.0.29")])
def test_a_missing_encoder_names_the_version_that_has_it(cls, version, monkeypatch):
    subtypes = {"MP3": [], "OGG": ["VORBIS"]}
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"OGG": "", "WAV": ""})
    monkeypatch.setattr(soundfile, "available_subtypes", lambda name: subtypes[name])
    for call in (cls().fit, cls().transform):
        with pytest.raises(RuntimeError, match=rf"{cls.__name__} needs libsndfile {version}"):
            call(np.zeros((1, 100)))
    VorbisCodec().fit(np.zeros((1, 100)))


class _OldSoundFile(soundfile.SoundFile):
    """As it was below 0.13: it passes no settings on."""

    def __init__(self, file, mode, samplerate, channels, subtype, format):  # noqa: A002
        super().__init__(file, mode, samplerate, channels, subtype, format=format)


@pytest.mark.parametrize(("encoder", "level"), [(MP3, 0.9), (VORBIS, 0.7), (OPUS, 0.93)])
def test_soundfile_without_settings_gives_the_same(encoder, level, music, monkeypatch):
    expected = decode(encode(music[:16000], 16000, encoder, level), 16000, encoder)
    mild = decode(encode(music[:16000], 16000, encoder, 0.2), 16000, encoder)
    assert not np.array_equal(expected, mild)
    monkeypatch.setattr(soundfile, "SoundFile", _OldSoundFile)
    data = encode(music[:16000], 16000, encoder, level)
    monkeypatch.undo()
    assert_array_equal(decode(data, 16000, encoder), expected)


def test_a_libsndfile_that_refuses_settings(monkeypatch):
    monkeypatch.setattr(soundfile, "SoundFile", _OldSoundFile)
    monkeypatch.setattr(encoding, "_SET_BITRATE_MODE", 0x7777)
    with pytest.raises(RuntimeError, match="cannot set the compression of MPEG_LAYER_III"):
        encode(np.zeros(100), 16000, MP3, 0.5)


def test_the_delay_that_a_simple_decoder_leaves_is_removed(music, monkeypatch):
    clip = music[:5000]

    def read(file, dtype):
        assert isinstance(file, io.BytesIO)
        return np.concatenate([np.zeros(1105), clip, np.zeros(700)]), 16000

    monkeypatch.setattr(encoding.soundfile, "read", read)
    assert_array_equal(decode(b"", 5000, MP3), clip)
