"""``skperceptual study``: what it computes, keeps, shows and refuses."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skperceptual import MSSSIM, NLPD, MelSpectrogram, load_audio, save_audio
from skperceptual.cli import study_metrics, study_scores
from skperceptual.cli.study_degradations import VERSIONS, degrade
from skperceptual.embeddings import EmbeddingSimilarity, FrechetAudioDistance, LogMelEmbedding
from skperceptual.full_reference import PESQ, STOI

SR = 16000
FILES = ["all_metrics.csv", "correlations.csv", "ranges.csv", "study.html"]
QUICK = ["--metrics", "log-mel", "ms-ssim"]


@pytest.fixture
def recordings(tmp_path, make_sound) -> Path:
    """Two recordings of speech, two of music, at several rates."""
    for content, sr in (("speech", 16000), ("music", 48000)):
        folder = tmp_path / "recordings" / content
        folder.mkdir(parents=True)
        for name in ("a", "b"):
            save_audio(folder / f"{content}_{name}.wav", make_sound(4.5 if sr > SR else 1.5), sr)
    return tmp_path / "recordings"


@pytest.fixture
def study(run, report):
    """Give a function that runs a study and gives its table."""

    def run_study(*arguments):
        status, out, err = run("study", *arguments, "-o", report)
        assert (status, out) == (0, ""), err
        assert sorted(path.name for path in report.iterdir() if path.is_file()) == FILES
        return pd.read_csv(report / "all_metrics.csv")

    return run_study


@pytest.fixture
def shipped_is_log_mel(monkeypatch):
    """Put an encoder that needs no weights in the place of the shipped one."""
    monkeypatch.setitem(study_metrics._EMBEDDINGS, "shipped", LogMelEmbedding)
    study_metrics.make_embedding.cache_clear()
    yield
    study_metrics.make_embedding.cache_clear()


# ---- numbers ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Some images are too small:UserWarning")
def test_values_are_those_of_the_metrics(study, recordings, shipped_is_log_mel):
    pytest.importorskip("pesq", reason="needs the extra speech")
    pytest.importorskip("pystoi", reason="needs the extra speech")
    names = ["shipped", "log-mel", "fad", "pesq", "pesq-nb", "stoi", "estoi", "nlpd", "ms-ssim"]
    file = str(recordings / "speech" / "speech_b.wav")
    table = study(file, "--metrics", *names[:-2], "--also", *names[-2:])
    assert list(table.columns) == ["file", "content", "degradation", "level", *names]
    assert list(zip(table["degradation"], table["level"], strict=True)) == [
        (one.degradation, one.level) for one in VERSIONS
    ]
    reference, _ = load_audio(file, sr=SR)
    pairs = [(reference, degrade(reference, one, sr=SR, seed=42)) for one in VERSIONS]
    images = MelSpectrogram(sr=SR).transform(pairs)
    with pytest.warns(UserWarning, match="fewer than twice as many"):
        fad = _frechet(reference, [pair[1] for pair in pairs])
    expected = {
        "shipped": EmbeddingSimilarity(LogMelEmbedding()).transform(pairs),
        "log-mel": EmbeddingSimilarity(LogMelEmbedding()).transform(pairs),
        "fad": fad,
        "pesq": PESQ().transform(pairs),
        "pesq-nb": PESQ(mode="nb").transform(pairs),
        "stoi": STOI().transform(pairs),
        "estoi": STOI(extended=True).transform(pairs),
        "nlpd": NLPD().transform(images),
        "ms-ssim": MSSSIM().transform(images),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(table[name], values[:, 0], rtol=1e-6, err_msg=name)


def _frechet(reference: np.ndarray, versions: list[np.ndarray]) -> np.ndarray:
    return FrechetAudioDistance(LogMelEmbedding()).fit([reference]).transform(versions)


def test_recordings_are_brought_to_16_khz(study, recordings):
    table = study(recordings, *QUICK)
    file = recordings / "music" / "music_a.wav"
    reference, _ = load_audio(file, sr=SR)
    pairs = [(reference, degrade(reference, one, sr=SR, seed=42)) for one in VERSIONS]
    rows = table[table["file"] == str(file)]
    expected = EmbeddingSimilarity(LogMelEmbedding()).transform(pairs)[:, 0]
    np.testing.assert_allclose(rows["log-mel"], expected, rtol=1e-6)


def test_seed_and_duration_count(study, recordings):
    file = recordings / "speech" / "speech_a.wav"
    whole = study(file, *QUICK)
    other_seed = study(file, *QUICK, "--seed", "1", "--overwrite")
    is_noise = whole["degradation"] == "noise"
    assert (whole["log-mel"] != other_seed["log-mel"]).tolist() == is_noise.tolist()
    short = study(file, *QUICK, "--duration", "1.2", "--overwrite")
    assert (short["log-mel"] != whole["log-mel"]).all()
    longer = study(file, *QUICK, "--duration", "60", "--overwrite")
    pd.testing.assert_frame_equal(longer, whole)


@pytest.mark.slow
def test_processes_give_the_same(study, recordings):
    alone = study(recordings, *QUICK)
    pd.testing.assert_frame_equal(study(recordings, *QUICK, "-j", "2", "--overwrite"), alone)


def test_audio_is_kept_where_asked(study, recordings, report):
    study(recordings / "speech", *QUICK, "--keep-audio")
    kept = sorted(path.name for path in (report / "audio").iterdir())
    assert len(kept) == 2 * 10
    first = "0001_speech_a"
    assert kept[:2] == [f"{first}.flac", f"{first}_bitrate_extreme.flac"]
    signal, sr = load_audio(report / "audio" / "0002_speech_b_noise_low.flac")
    assert (sr, float(np.abs(signal).max())) == (SR, pytest.approx(1, abs=1e-4))


def test_audio_that_was_kept_is_no_recording(run, recordings):
    output = recordings / "out"
    for _ in range(2):
        arguments = [recordings, *QUICK, "--keep-audio", "--overwrite", "-o", output]
        assert run("study", *arguments)[0] == 0
        assert len(list((output / "audio").iterdir())) == 4 * 10
        assert len(pd.read_csv(output / "all_metrics.csv")) == 4 * 9
    status, _, err = run("study", output / "audio", *QUICK, "-o", output, "--overwrite")
    assert (status, "nothing to study but what an earlier study left" in err) == (2, True)


# ---- contents -----------------------------------------------------------------------------


def test_contents_are_called_by_folders(study, recordings):
    assert set(study(recordings, *QUICK)["content"]) == {"music", "speech"}
    table = study(
        recordings / "music", recordings / "speech" / "speech_a.wav", *QUICK, "--overwrite"
    )
    assert dict(table.groupby("content")["file"].nunique()) == {"music": 2, "speech": 1}
    table = study(recordings / "speech", *QUICK, "--overwrite")
    assert set(table["content"]) == {"speech"}


def test_contents_can_be_named(study, recordings, report):
    speech, music = recordings / "speech", recordings / "music"
    table = study("--content", "talk", speech, "--content", "songs", music, music, *QUICK)
    assert list(dict.fromkeys(table["content"])) == ["talk", "songs"]
    assert len(table) == 4 * 9
    found = pd.read_csv(report / "correlations.csv")
    assert found["content"].tolist() == ["talk", "songs", "all"]


def test_recording_of_two_contents_is_refused(run, recordings, report):
    file = recordings / "speech" / "speech_a.wav"
    status, _, err = run("study", recordings, "--content", "songs", file, *QUICK, "-o", report)
    assert status == 2
    assert "is named as 'speech' and as 'songs'" in err
    assert not report.exists()


# ---- the page -----------------------------------------------------------------------------


def test_page_shows_everything_and_loads_nothing(study, recordings, page):
    study(recordings, *QUICK)
    shown = page("study.html")
    assert "http" not in shown.source
    assert [head["id"] for head in shown.all("h2")] == [
        "answer", "mind", "correlations", "alike", "ranges", "degradations", "run", "files"
    ]  # fmt: skip
    # a scatter, heatmaps of two contents and of all, bars of two metrics for two contents
    assert len(shown.all("svg")) == 1 + 3 + 4
    for link in shown.all("a"):
        assert link["href"].startswith("#") or link["href"] in FILES
    assert {f"#{name}" for name in ("ranges", "run")} <= {link["href"] for link in shown.all("a")}
    assert "Log-mel: Pearson" in shown.answer
    assert "Nobody listened" in shown.answer
    assert "fewer than 10 of music, speech" in shown.text
    assert "PESQ and STOI were made and validated for speech" not in shown.text  # not computed
    assert all(svg["aria-label"] for svg in shown.all("svg"))


@pytest.mark.parametrize("metrics", [["ms-ssim"], ["log-mel"], ["ms-ssim", "nlpd"]])
def test_page_of_few_metrics(study, recordings, page, metrics):
    study(recordings / "speech", "--metrics", *metrics)
    shown = page("study.html")
    assert ("correlations" in {head["id"] for head in shown.all("h2")}) == (len(metrics) > 1)


def test_names_are_text_and_no_markup(study, recordings, page, tmp_path):
    folder = tmp_path / "<b>$x_1$"
    (recordings / "speech").rename(folder)
    study(folder, recordings / "music", *QUICK)
    shown = page("study.html")
    assert "<b>$x_1$" in shown.text
    assert shown.all("b") == []


# ---- what is missing ----------------------------------------------------------------------


def test_missing_weights_are_told_and_left_out(
    study, run, recordings, page, monkeypatch, tmp_path, shipped_is_log_mel
):
    monkeypatch.setenv("SKPERCEPTUAL_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setattr(study_metrics, "USUAL_METRICS", ("shipped", "vggish", "openl3", "ms-ssim"))
    status, _, err = run("study", recordings / "speech", "-o", tmp_path / "report")
    assert status == 0
    assert "note: VGGish is left out." in err
    assert "note: OpenL3 is left out." in err
    table = pd.read_csv(tmp_path / "report" / "all_metrics.csv")
    assert list(table.columns[4:]) == ["shipped", "ms-ssim"]
    text = page("study.html").text
    assert "VGGish is missing:" in text
    assert "vggish-10086976.pth" in text
    status, _, err = run("study", recordings, "--metrics", "openl3", "-o", tmp_path / "other")
    assert status == 2
    assert "the metric 'openl3' cannot be computed here." in err


def test_missing_packages_are_told(run, recordings, report, monkeypatch):
    monkeypatch.setitem(sys.modules, "pesq", None)
    status, _, err = run("study", recordings, "--metrics", "pesq", "-o", report)
    assert status == 2
    assert re.search(r"PESQ needs pesq.*skperceptual\[speech\]", err)
    monkeypatch.setattr(study_metrics, "USUAL_METRICS", ("log-mel", "pesq"))
    status, _, err = run("study", recordings / "speech", "-o", report)
    assert (status, "note: PESQ is left out." in err) == (0, True)


def test_versions_without_a_value_are_empty_and_told(study, run, recordings, report, page):
    pytest.importorskip("pystoi", reason="needs the extra speech")
    save_audio(recordings / "speech" / "silent.wav", np.zeros(2 * SR), SR)
    arguments = ["study", recordings / "speech", "--metrics", "stoi", "log-mel", "-o", report]
    status, _, err = run(*arguments)
    assert status == 0
    assert "STOI, 9 versions of 1 recording: no value (the reference is silent)" in " ".join(
        err.split()
    )
    table = pd.read_csv(report / "all_metrics.csv")
    is_silent = table["file"].str.endswith("silent.wav")
    assert table["stoi"].isna().tolist() == is_silent.tolist()
    assert "the reference is silent" in page("study.html").text


def test_damaged_recording_costs_its_own_values(study, recordings, run, report):
    whole = (recordings / "music" / "music_a.wav").read_bytes()
    (recordings / "music" / "music_a.wav").write_bytes(whole[: len(whole) // 2])
    status, _, err = run("study", recordings / "music", *QUICK, "-o", report)
    if status == 0:  # found while it is decoded
        table = pd.read_csv(report / "all_metrics.csv")
        assert table["log-mel"].isna().sum() == 9
    assert "music_a.wav" in err


def test_nothing_scored_is_an_error(run, tmp_path, report):
    save_audio(tmp_path / "silent.wav", np.zeros(SR), SR)
    pytest.importorskip("pystoi", reason="needs the extra speech")
    status, _, err = run("study", tmp_path / "silent.wav", "--metrics", "stoi", "-o", report)
    assert status == 2
    assert "no version of any recording could be scored" in err
    assert not (report / "study.html").exists()


# ---- interruptions ------------------------------------------------------------------------


@pytest.fixture
def count(monkeypatch):
    """Give a function that counts the recordings that are scored, and interrupts after some."""
    score_versions = study_scores.score_versions
    state = {"scored": 0, "left": np.inf}

    def score(names, reference, versions):
        if state["left"] < 1:
            raise KeyboardInterrupt
        state["left"] -= 1
        state["scored"] += 1
        return score_versions(names, reference, versions)

    monkeypatch.setattr(study_scores, "score_versions", score)

    def start(after=np.inf):
        state.update(scored=0, left=after)
        return state

    return start


def test_goes_on_after_an_interruption(study, run, recordings, report, count):
    expected = study(recordings, *QUICK)
    pages = [path.unlink() for path in report.iterdir()]
    assert len(pages) == 4
    count(after=3)
    status, _, err = run("study", recordings, *QUICK, "-o", report)
    assert status == 130
    assert "3 of 4 recordings are done, and kept in" in err
    assert [path.name for path in report.iterdir() if path.suffix == ".part"] == [
        "all_metrics.csv.part"
    ]
    state = count()
    pd.testing.assert_frame_equal(study(recordings, *QUICK), expected)
    assert state["scored"] == 1
    assert not list(report.glob("*.part"))


@pytest.mark.parametrize(
    ("change", "needle"),
    [
        (["--metrics", "log-mel"], "another set of metrics and options"),
        ([*QUICK, "--seed", "1"], "another set of metrics and options"),
        ([*QUICK, "--duration", "1.1"], "the unfinished scores are of other recordings"),
    ],
)
def test_unfinished_scores_of_something_else_are_not_mixed_in(
    run, recordings, report, count, change, needle
):
    count(after=1)
    assert run("study", recordings, *QUICK, "-o", report)[0] == 130
    count()
    status, _, err = run("study", recordings, *change, "-o", report)
    assert status == 2
    assert needle in err


def test_unfinished_scores_of_a_file_that_changed_are_not_mixed_in(
    run, recordings, report, count, make_sound
):
    count(after=3)
    assert run("study", recordings, *QUICK, "-o", report)[0] == 130
    save_audio(recordings / "music" / "music_a.wav", make_sound(4.5), 48000)
    count()
    status, _, err = run("study", recordings, *QUICK, "-o", report)
    assert status == 2
    assert "or the files have changed since" in err


def test_nothing_is_left_of_an_interruption_before_the_first_recording(
    run, recordings, report, count
):
    count(after=0)
    assert run("study", recordings, *QUICK, "-o", report)[0] == 130
    assert not report.exists()


# ---- what is refused ----------------------------------------------------------------------


def test_a_study_is_not_replaced_unasked(study, run, recordings, report):
    study(recordings / "speech", *QUICK)
    before = (report / "all_metrics.csv").read_bytes()
    status, _, err = run("study", recordings / "music", *QUICK, "-o", report)
    assert status == 2
    assert "holds study.html" in err
    assert (report / "all_metrics.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "needle"),
    [
        ([], "there is nothing to study"),
        (["nowhere"], "nowhere does not exist"),
        (["empty"], "empty"),
        (["text.wav"], "text.wav"),
        (["--content", "speech"], "--content speech names no recordings"),
        (["one.wav", "--metrics", "pesk"], "invalid choice: 'pesk'"),
        (["one.wav", "--also", "pesk"], "invalid choice: 'pesk'"),
        (["one.wav", "--duration", "0"], "leaves nothing to read"),
        (["one.wav", "--seed", "-1"], "is no whole number"),
        (["one.wav", "-o", "gone/out"], "does not exist. Make it first."),
        (["one.wav", "-o", "one.wav"], "is a file"),
    ],
)
def test_what_cannot_be_studied_is_named(run, sounds, monkeypatch, arguments, needle):
    monkeypatch.chdir(sounds)
    Path("empty").mkdir()
    output = [] if "-o" in arguments else ["-o", "out"]
    quick = [] if "--metrics" in arguments else QUICK
    status, _, err = run("study", *arguments, *quick, *output)
    assert status == 2
    assert needle in err
    assert "Traceback" not in err
    assert not Path("out").exists()


def test_help_names_every_metric(run):
    status, out, _ = run("study", "--help")
    assert status == 0
    for name in ("shipped", "vggish", "openl3", "log-mel", "fad", "pesq-nb", "estoi", "ms-ssim"):
        assert re.search(rf"^  {name} +\S", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 100
