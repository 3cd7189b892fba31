"""Simulated cellos: who plays what, what the classes share, and the truth about their bodies."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import Spectrogram, Vectorizer
from skperceptual.datasets import make_synthetic_cellos, synthetic_cellos
from skperceptual.datasets.cello_synthesis import compose_etude, perform_etude

SMALL = {
    "n_train": 2,
    "n_validation": 1,
    "n_test": 1,
    "excerpts_per_instrument": 3,
    "n_pieces": 6,
    "duration_seconds": 0.8,
    "random_state": 5,
}


@pytest.fixture(scope="module")
def cellos():
    return make_synthetic_cellos(**SMALL)


def test_fields(cellos):
    n_signals = 2 * 4 * 3
    assert cellos.signals.shape == (n_signals, 12800)
    assert cellos.signals.dtype == np.float32
    for name in ("target", "groups", "piece", "split"):
        assert cellos[name].shape == (n_signals,)
    assert cellos.sr == 16000
    assert cellos.groups[::3].tolist() == ["A 1", "B 1", "A 2", "B 2", "A 3", "B 3", "A 4", "B 4"]
    assert_array_equal(cellos.target, [name[0] for name in cellos.groups])
    for name in ("instrument", "class", "split", "piece", "start_seconds", "key", "mood", "tempo"):
        assert name in cellos.frame
    assert_array_equal(cellos.frame["instrument"], cellos.groups)
    assert list(cellos.instruments["instrument"]) == cellos.groups[::3].tolist()
    assert cellos.frequencies.shape == (8000,)
    assert cellos.log_responses.shape == (8, 8000)
    assert np.isfinite(cellos.log_responses).all()
    assert cellos.states.shape == (n_signals, 81)
    assert cellos.state_names == ["rest", "transition", "steady", "vibrato"]


def test_the_default_is_large_enough_to_learn_from():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(make_synthetic_cellos).parameters.items()
    }
    assert defaults["n_train"] >= 32
    assert defaults["n_validation"] >= 8
    assert defaults["n_test"] >= 12
    assert (defaults["duration_seconds"], defaults["sr"]) == (3.0, 16000)
    assert defaults["contrast"] == "both"


def test_no_instrument_and_no_piece_is_in_two_splits(cellos):
    for name in ("instrument", "piece"):
        assert (cellos.frame.groupby(name)["split"].nunique() == 1).all()
    assert set(cellos.split) == {"train", "validation", "test"}


def test_both_classes_play_the_same(cellos):
    played = cellos.frame[["piece", "start_seconds", "key", "mood", "split"]]
    by_instrument = [part.reset_index(drop=True) for _, part in played.groupby(cellos.groups)]
    for a, b in zip(by_instrument[:4], by_instrument[4:], strict=True):
        assert a.equals(b)
    assert not by_instrument[0].equals(by_instrument[1])


def test_excerpts_are_of_one_level_and_within_full_scale(cellos):
    levels = 10 * np.log10(np.mean(cellos.signals.astype(float) ** 2, axis=1))
    assert_allclose(levels, -26, atol=0.01)
    assert np.abs(cellos.signals).max() < 0.9


def test_frames_of_the_default_spectrogram_have_a_state_each(cellos):
    assert Spectrogram().transform(cellos.signals).shape[-1] == cellos.states.shape[1]


def test_states_are_seen_in_the_sound():
    """Rests are quiet, and pitch moves most in vibrato."""
    cellos = make_synthetic_cellos(
        n_train=4, n_validation=0, n_test=0, duration_seconds=3.0, room=None, random_state=2
    )
    shares = np.bincount(cellos.states.ravel(), minlength=4) / cellos.states.size
    assert (shares[1:] > 0.1).all()
    images = Spectrogram(output="db").transform(cellos.signals)
    levels = images.max(axis=1)
    is_rest = cellos.states == 0
    assert np.median(levels[is_rest]) < np.median(levels[~is_rest]) - 15
    # A partial that moves up and down changes the bins around it.
    moves = np.abs(np.diff(images[:, 20:80], axis=-1)).mean(axis=1)
    moves = np.concatenate([moves[:, :1], moves], axis=1)
    steady, vibrato, transition = (np.median(moves[cellos.states == s]) for s in (2, 3, 1))
    assert vibrato > 1.1 * steady
    assert transition > 1.2 * steady


@pytest.mark.parametrize("contrast", ["none", "eq", "damping"])
def test_a_contrast_changes_bodies_and_nothing_else(cellos, contrast):
    other = make_synthetic_cellos(**SMALL, contrast=contrast)
    assert other.frame.equals(cellos.frame)
    assert_array_equal(other.states, cellos.states)
    is_a = cellos.target == "A"
    assert_array_equal(other.signals[is_a], cellos.signals[is_a])
    assert np.abs(other.signals[~is_a] - cellos.signals[~is_a]).max(axis=1).min() > 1e-3
    damped = contrast in ("damping", "both")
    medians = other.instruments.groupby("class")["median_q"].mean()
    assert medians["B"] == pytest.approx(20 if damped else 35, rel=0.06)
    assert medians["A"] == pytest.approx(35, rel=0.06)


def test_log_responses_are_what_shared_takes_differ_by():
    cellos = make_synthetic_cellos(**{**SMALL, "duration_seconds": 2.0}, takes="shared", room=None)
    spectra = np.abs(np.fft.rfft(cellos.signals * np.blackman(32000)))
    for number in range(4):
        a, b = 6 * number, 6 * number + 3
        assert cellos.piece[a] == cellos.piece[b]
        assert_array_equal(cellos.states[a], cellos.states[b])
        # Where there is sound, away from the hiss. One bin is half a hertz.
        bins = 2 * np.arange(70, 2500)
        loud = spectra[a][bins] > 0.03 * spectra[a][bins].max()
        found = np.log(spectra[b][bins] / spectra[a][bins])[loud]
        truth = cellos.log_responses[2 * number + 1] - cellos.log_responses[2 * number]
        expected = truth[bins // 2 - 1][loud]
        assert loud.sum() > 10
        assert np.corrcoef(found, expected)[0, 1] > 0.97
        assert np.median(np.abs(found - np.median(found - expected) - expected)) < 0.1


def test_separate_takes_are_played_separately(cellos):
    """The same passage, not the same moments."""
    a, b = cellos.states[:3], cellos.states[3:6]
    assert (a != b).any()
    tempi = cellos.frame["tempo"].to_numpy()
    assert (tempi[:3] != tempi[3:6]).all()
    assert_allclose(tempi[:3], tempi[3:6], rtol=0.25)


def test_result_does_not_depend_on_n_jobs(cellos):
    again = make_synthetic_cellos(**SMALL, n_jobs=2)
    for name, value in cellos.items():
        if isinstance(value, pd.DataFrame):
            assert again[name].equals(value)
        else:
            assert_array_equal(again[name], value)


def test_random_state(cellos):
    one = {**SMALL, "n_train": 1, "n_validation": 0, "n_test": 0}

    def make(random_state):
        return make_synthetic_cellos(**{**one, "random_state": random_state}).signals

    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert_array_equal(make(5), make(np.random.RandomState(5)))
    assert not np.array_equal(make(5), make(6))
    assert not np.array_equal(make(None), make(None))
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_body_does_not_depend_on_how_many_instruments_there_are(cellos):
    fewer = make_synthetic_cellos(**{**SMALL, "n_train": 1, "n_validation": 0, "n_test": 1})
    assert_array_equal(fewer.log_responses, cellos.log_responses[:4])


def test_every_rate_gives_the_same_music():
    tiny = {**SMALL, "n_train": 1, "n_validation": 0, "n_test": 0}
    low, high = (make_synthetic_cellos(**tiny, sr=sr) for sr in (8000, 22050))
    assert low.signals.shape == (6, 6400)
    assert high.signals.shape == (6, round(0.8 * 22050))
    assert_array_equal(low.states, high.states)
    assert_allclose(low.log_responses, high.log_responses[:, :4000], atol=1e-5)
    bands = np.arange(100, 3000, 100)
    for a, b in zip(low.signals, high.signals, strict=True):
        spectra = [
            np.array(
                [
                    np.sum(np.abs(np.fft.rfft(x))[int(f * 0.8) : int((f + 100) * 0.8)] ** 2)
                    for f in bands
                ]
            )
            for x in (a / 8000, b / 22050)
        ]
        strong = spectra[0] > 1e-3 * spectra[0].max()
        assert_allclose(10 * np.log10(spectra[1] / spectra[0])[strong], 0, atol=1.0)


def test_without_a_room_it_is_dry():
    dry, wet = (
        make_synthetic_cellos(**{**SMALL, "n_validation": 0, "n_test": 0}, room=room)
        for room in (None, "hall")
    )
    assert_array_equal(dry.states, wet.states)
    assert not np.allclose(dry.signals, wet.signals, atol=1e-3)


def test_description_is_honest(cellos):
    assert "NO INSTRUMENT WAS RECORDED AND NOBODY LISTENED" in cellos.DESCR
    words = " ".join(cellos.DESCR.split())
    assert "nothing about the quality of cellos" in words
    assert "median Q of 35 in A and of 20 in B" in words
    assert "-6 dB around 92 Hz, +3 dB around 340 Hz and -8 dB above 800 Hz" in words
    for contrast, told in [
        ("none", "no model can do better than chance"),
        ("eq", "differ in their mean spectrum"),
        ("damping", "differ in damping"),
    ]:
        tiny = {**SMALL, "n_train": 1, "n_validation": 0, "n_test": 0, "contrast": contrast}
        assert told in " ".join(make_synthetic_cellos(**tiny).DESCR.split())
    assert max(map(len, cellos.DESCR.splitlines())) <= 100


def test_pipelines_take_it_as_it_is(cellos):
    model = make_pipeline(Spectrogram(output="db"), Vectorizer(), LogisticRegression(max_iter=50))
    scores = cross_val_score(
        model, cellos.signals, cellos.target, groups=cellos.groups, cv=GroupKFold(2)
    )
    assert scores.shape == (2,)


def test_excerpts_in_the_last_note_are_different_ones():
    """However long the last note of an etude is, time goes on in it."""
    written = compose_etude(np.random.default_rng(2))
    played = perform_etude(written, np.random.default_rng(0))
    places = [*(note.start_seconds for note in written.notes), written.end_seconds]
    expected = [*(note.start_seconds for note in played.notes), played.end_seconds]
    found = [synthetic_cellos._when_played(written, played, place) for place in places]
    assert_allclose(found, expected, rtol=1e-12)
    middle = synthetic_cellos._when_played(written, played, np.mean(places[-2:]))
    assert middle == pytest.approx(np.mean(expected[-2:]))


def test_verbose_shows_a_bar(capsys):
    make_synthetic_cellos(**{**SMALL, "n_train": 1, "n_validation": 0, "n_test": 0}, verbose=1)
    assert "make_synthetic_cellos" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"contrast": "price"}, "contrast"),
        ({"n_train": 0}, "n_train"),
        ({"n_pieces": 2}, r"n_pieces=2 is not enough for 3 splits \(train, validation, test\)"),
        ({"excerpts_per_instrument": 40, "n_pieces": 3}, "fit into 1 piece of 30 s"),
        ({"duration_seconds": 31}, "duration_seconds"),
        ({"sr": 4000}, "sr"),
        ({"room": "bathroom"}, "room"),
        ({"takes": "two"}, "takes"),
    ],
)
def test_what_cannot_be_made_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_synthetic_cellos(**{**SMALL, **parameters})
