"""A recording through autoencoders: what is written, heard and seen, and what is refused."""

from __future__ import annotations

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, NLPD, CompressiveAutoencoder, MelSpectrogram, load_audio, save_audio
from skperceptual.autoencoder.batches import NoiseBatches
from skperceptual.cli import reconstruction

SR = 16000
SMALL = {"n_filters": 4, "kernel_size": 3, "n_layers": 2, "batch_size": 2, "crop_size": 16}


@pytest.fixture(autouse=True)
def small_networks(monkeypatch):
    monkeypatch.setitem(reconstruction._SIZES, False, SMALL)
    yield
    plt.close("all")


@pytest.fixture
def song(sounds, make_sound):
    path = sounds / "song.wav"
    save_audio(path, make_sound(2.0), SR)
    return path


def failing_at(monkeypatch, at, error):
    """Let a batch of noise raise an error, or be no numbers."""
    make = NoiseBatches.__call__

    def fail(self, step):
        if step != at:
            return make(self, step)
        if error is None:
            return tuple(part * np.nan for part in make(self, step))
        raise error

    monkeypatch.setattr(NoiseBatches, "__call__", fail)


def results_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("seconds", [1.5, 9.0])
def test_everything_is_written(run, tmp_path, song, seconds):
    out = tmp_path / "out"
    arguments = ["--loss", "mse", "--loss", "nlpd", "--iterations", 2, "--quiet"]
    status, printed, err = run(
        "reconstruct", song, "-o", out, "--offset", 0.25, "--duration", seconds, *arguments
    )
    assert (status, err) == (0, "")
    assert results_in(out) == [
        "after-noise-mse.wav",
        "after-noise-nlpd.wav",
        "before.wav",
        "model-noise-mse.joblib",
        "model-noise-nlpd.joblib",
        "original.wav",
        "reconstruction.csv",
        "reconstruction.png",
    ]
    table = pd.read_csv(out / "reconstruction.csv")
    assert table["model"].tolist() == ["noise-mse", "noise-nlpd"]
    assert all(name in printed for name in table.columns)
    original, sr = load_audio(out / "original.wav")
    expected, _ = load_audio(song, offset_seconds=0.25, duration_seconds=min(seconds, 1.75))
    assert sr == SR
    np.testing.assert_allclose(original, expected, atol=1e-4)
    # The numbers are those of the models that were saved, piece by piece of their length.
    model = joblib.load(out / "model-noise-mse.joblib")
    image = model[0].transform(expected[np.newaxis])
    width = model[1].image_shape_[1]
    filled = np.zeros((1, image.shape[1], width), dtype=np.float32)
    filled[..., : image.shape[2]] = image
    through = model[1].reconstruct(filled)[..., : image.shape[2]]
    pair = np.stack([image, through], axis=1)
    for name, metric in (("mse", MSE()), ("nlpd", NLPD())):
        assert table[name][0] == pytest.approx(metric.transform(pair)[0, 0], rel=1e-4)
    bits = 4 * 64 * 64
    assert model[1].entropy_bound_ == bits
    assert table["kbit_a_second"][0] == pytest.approx(bits / 4.208 / 1000, rel=1e-3)
    for name in ("before.wav", "after-noise-nlpd.wav"):
        signal, _ = load_audio(out / name)
        assert 0 <= len(original) - len(signal) < 260
        assert np.abs(signal).max() > 0


def test_before_is_what_the_estimated_phase_costs_alone(run, tmp_path, song):
    out = tmp_path / "out"
    run("reconstruct", song, "-o", out, "--loss", "mse", "--iterations", 1, "--quiet")
    front_end = MelSpectrogram()
    original, before, after = (
        front_end.transform(load_audio(out / name)[0][np.newaxis])[0][:, 2:-3]
        for name in ("original.wav", "before.wav", "after-noise-mse.wav")
    )
    error = np.abs(before - original).mean()
    assert error < 0.05 < np.abs(after - original).mean()


def test_music_to_train_on_and_models_to_use_again(run, tmp_path, song, sounds, make_sound):
    music = tmp_path / "music"
    music.mkdir()
    for name in "ab":
        save_audio(music / f"{name}.wav", make_sound(4.3), SR)
    first = ["--loss", "mse", "--iterations", 1, "--quiet", "--train", music]
    out = tmp_path / "out"
    status, _, err = run("reconstruct", song, "-o", out, *first)
    assert (status, err) == (0, "")
    assert {"after-noise-mse.wav", "after-music-mse.wav"} <= set(results_in(out))
    again = tmp_path / "again"
    model = out / "model-music-mse.joblib"
    status, _, err = run("reconstruct", song, "-o", again, "--model", model)
    assert (status, err) == (0, "")
    one, other = (pd.read_csv(folder / "reconstruction.csv") for folder in (out, again))
    assert other["model"].tolist() == ["model-music-mse"]
    assert one["mse"][1] == other["mse"][0]
    status, _, err = run("reconstruct", song, "-o", tmp_path / "no", *first[:-1], sounds / "none")
    assert status == 2
    assert "none" in err
    short = run("reconstruct", song, "-o", tmp_path / "no", *first[:-1], sounds)
    assert short[0] == 2


def test_an_interrupted_training_goes_on(run, tmp_path, song, monkeypatch):
    arguments = ["--loss", "mse", "--iterations", 4, "--quiet"]
    whole = tmp_path / "whole"
    run("reconstruct", song, "-o", whole, *arguments)
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        failing_at(patch, 2, KeyboardInterrupt)
        status, printed, err = run("reconstruct", song, "-o", out, *arguments)
    assert (status, printed) == (130, "")
    assert "interrupted. noise-mse has 2 of 4 iterations; the same command goes on" in err
    assert results_in(out) == [".training-noise-mse.npz"]
    assert run("reconstruct", song, "-o", out, *arguments)[0] == 0
    assert results_in(out) == results_in(whole)
    one, other = ((folder / "reconstruction.csv").read_text() for folder in (out, whole))
    assert one == other


def test_an_unfinished_training_with_other_options(run, tmp_path, song, monkeypatch):
    out = tmp_path / "out"
    arguments = ["reconstruct", song, "-o", out, "--loss", "mse", "--quiet", "--iterations", 3]
    with monkeypatch.context() as patch:
        failing_at(patch, 2, KeyboardInterrupt)
        assert run(*arguments, "--overwrite")[0] == 130
    unfinished = out / ".training-noise-mse.npz"
    kept = unfinished.read_bytes()
    for other in (["--seed", 1], ["--iterations", 1]):
        status, _, err = run(*arguments, *other)
        assert status == 2
        assert f"{str(unfinished)!r} keeps an unfinished training" in err
        assert "use --overwrite" in err
        assert unfinished.read_bytes() == kept
    with monkeypatch.context() as patch:  # the same options go on, also when they replace
        failing_at(patch, 1, AssertionError("begun anew"))
        assert run(*arguments, "--overwrite")[0] == 0
    with monkeypatch.context() as patch:
        failing_at(patch, 2, KeyboardInterrupt)
        assert run(*arguments, "--overwrite")[0] == 130
    assert run(*arguments, "--seed", 1, "--overwrite")[0] == 0
    assert not unfinished.exists()
    assert joblib.load(out / "model-noise-mse.joblib")[1].random_state == 1


@pytest.mark.parametrize(
    ("error", "complaint"),
    [(None, "the loss became nan in step 2 of 3"), (MemoryError(), "ran out of memory in step 2")],
)
def test_trainings_that_fail(run, tmp_path, song, monkeypatch, error, complaint):
    failing_at(monkeypatch, 1, error)
    status, printed, err = run(
        "reconstruct", song, "-o", tmp_path / "out", "--iterations", 3, "--quiet"
    )
    assert (status, printed) == (2, "")
    assert complaint in err
    assert "Traceback" not in err


def test_nothing_of_the_former_run_is_left(run, tmp_path, song):
    out = tmp_path / "out"
    arguments = ["reconstruct", song, "-o", out, "--quiet", "--overwrite", "--iterations", 1]
    run(*arguments, "--loss", "mse", "--loss", "nlpd")
    (out / "after-party.wav").write_text("mine", encoding="utf-8")
    others = {"after-party.wav", "before.wav", "original.wav"}
    others |= {"reconstruction.csv", "reconstruction.png"}
    run(*arguments, "--loss", "mse")
    noise = {"after-noise-mse.wav", "model-noise-mse.joblib"}
    assert set(results_in(out)) == others | noise
    # A model that is used again stays, and so do those beside it.
    status, _, err = run(*arguments[:-2], "--model", out / "model-noise-mse.joblib")
    assert (status, err) == (0, "")
    used = {"after-model-noise-mse.wav", "model-noise-mse.joblib"}
    assert set(results_in(out)) == others | used


def test_results_are_replaced_only_when_asked(run, tmp_path, song):
    arguments = ["reconstruct", song, "-o", tmp_path / "out", "--loss", "mse", "--quiet"]
    assert run(*arguments, "--iterations", 1)[0] == 0
    status, _, err = run(*arguments, "--iterations", 1)
    assert status == 2
    assert "holds reconstruction.csv already" in err
    assert run(*arguments, "--iterations", 2, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("none.wav", "none.wav"),
        ("text.wav", "text.wav"),
        ("silent.wav", "is silent there"),
    ],
)
def test_recordings_of_no_use(run, sounds, tmp_path, file, complaint):
    status, _, err = run("reconstruct", sounds / file, "-o", tmp_path / "out")
    assert status == 2
    assert complaint in err
    assert not (tmp_path / "out").exists()


def test_parts_of_no_use(run, song, tmp_path):
    for options, complaint in (
        (["--offset", 9], "lasts 2 s"),
        (["--offset", 1.99], "less than one frame of 0.064 s"),
        (["--duration", "inf"], "is no length in seconds"),
    ):
        status, _, err = run("reconstruct", song, "-o", tmp_path / "out", *options)
        assert status == 2
        assert complaint in err


def test_folders_of_no_use(run, song, tmp_path):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    assert "is a file" in run("reconstruct", song, "-o", tmp_path / "taken")[2]
    assert "does not exist" in run("reconstruct", song, "-o", tmp_path / "no" / "out")[2]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("a/model", "b/model"), "are called alike"),
        (("a/model", "b/Model"), "are called alike"),
        (("a/input",), "is called as the original is"),
    ],
)
def test_models_whose_results_would_have_one_name(run, song, tmp_path, names, complaint):
    paths = [tmp_path / f"{name}.joblib" for name in names]  # not opened, as there are none
    options = [option for path in paths for option in ("--model", path)]
    status, _, err = run("reconstruct", song, "-o", tmp_path / "out", *options)
    assert status == 2
    assert complaint in err
    assert all(repr(str(path)) in err for path in paths)
    assert not (tmp_path / "out").exists()


def test_models_of_no_use(run, song, tmp_path):
    path = tmp_path / "model.joblib"

    def complaint(model, *more):
        joblib.dump(model, path)
        arguments = ["reconstruct", song, "-o", tmp_path / "out", "--model", path, *more]
        status, _, err = run(*arguments)
        assert status == 2
        return err

    coder = CompressiveAutoencoder(**SMALL, training="noise", max_iter=1)
    assert "holds no pipeline of MelSpectrogram and" in complaint(make_pipeline(MSE()))
    assert "is not fitted" in complaint(make_pipeline(MelSpectrogram(), coder))
    coder.fit(np.zeros((1, 64, 64)))
    fitted = make_pipeline(MelSpectrogram(n_mels=64), coder)
    joblib.dump(make_pipeline(MelSpectrogram(n_mels=32), coder), tmp_path / "other.joblib")
    assert "different kinds" in complaint(fitted, "--model", tmp_path / "other.joblib")
    path.write_text("nothing", encoding="utf-8")
    err = run("reconstruct", song, "-o", tmp_path / "out", "--model", path)[2]
    assert "cannot be opened as a model saved with joblib" in err
