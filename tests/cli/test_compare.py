"""``skperceptual compare``."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.pipeline import make_pipeline

import skperceptual
from skperceptual import MSE, NLPD, AlignPairs, LoadAudio, MelSpectrogram, load_audio, save_audio
from skperceptual.cli.ready_metrics import READY_METRICS

SR = 16000
PACKAGE = Path(skperceptual.__file__).parent

pytestmark = pytest.mark.usefixtures("inside")


@pytest.fixture
def inside(sounds, monkeypatch):
    monkeypatch.chdir(sounds)


@pytest.fixture
def compare(run):
    def compare_files(*arguments):
        status, out, err = run("compare", *arguments, "--json")
        assert err == ""
        return status, json.loads(out)

    return compare_files


def values_of(text: str) -> dict[str, list[str]]:
    """Give the cells of the printed table by metric."""
    table = text.split("\n\n")[1].splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in table}


def test_numbers_are_those_of_the_estimators(compare):
    status, printed = compare("one.wav", "one_2.wav")
    assert status == 0
    assert list(printed["metrics"]) == list(READY_METRICS)
    front_end = make_pipeline(LoadAudio(), MelSpectrogram())
    files = [("one.wav", "one_2.wav"), ("one.wav", "one.wav")]
    images = front_end.transform(files)
    for name, entry in READY_METRICS.items():
        metric = entry.make()
        shown = printed["metrics"][name]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *args, **kwargs: None)
            if name == "visqol":
                expected = metric.predict(LoadAudio(sr=48000, unequal="keep").transform(files))
            else:
                expected = metric.fit(images[:1]).transform(images)[:, 0]
        assert [shown["value"], shown["identical"]] == expected.tolist()
        assert shown["higher_is_better"] == metric.higher_is_better
        finite = [None if math.isinf(bound) else bound for bound in metric.bounds]
        assert shown["range"] == finite
        assert shown["error"] is None


def test_text_and_json_say_the_same(run, compare):
    status, out, err = run("compare", "one.wav", "one_2.wav")
    assert (status, err) == (0, "")
    printed = compare("one.wav", "one_2.wav")[1]
    cells = values_of(out)
    assert list(cells) == list(READY_METRICS)
    for name, entry in printed["metrics"].items():
        value, better, low, _, high, identical = cells[name][:6]
        assert float(value) == pytest.approx(entry["value"], rel=5e-4)
        assert float(identical) == pytest.approx(entry["identical"], rel=5e-4)
        assert better == ("higher" if entry["higher_is_better"] else "lower")
        assert [float(low), float(high)] == [
            math.inf if bound is None else bound for bound in entry["range"]
        ]
    squeezed = " ".join(out.split())
    assert all(note in squeezed for note in printed["notes"])


def test_text_fits_a_terminal(run):
    for arguments in (["two.wav", "two_late.wav"], ["two.wav", "two_short.wav", "--align"]):
        out = run("compare", *arguments)[1]
        assert max(map(len, out.splitlines())) <= 80
        assert out.isascii()


def test_files_are_described(compare):
    signal, _ = load_audio("one.wav")
    soundfile.write("stereo.wav", np.stack([signal, signal], axis=1), 8000, subtype="FLOAT")
    printed = compare("one.wav", "stereo.wav")[1]
    level = 10 * math.log10(np.mean(signal.astype(float) ** 2))
    expected = {"file": "one.wav", "seconds": len(signal) / SR, "sr": SR, "n_channels": 1}
    assert printed["reference"] == {**expected, "level_dbfs": pytest.approx(level)}
    expected = {"file": "stereo.wav", "seconds": len(signal) / 8000, "sr": 8000, "n_channels": 2}
    assert printed["degraded"] == {**expected, "level_dbfs": pytest.approx(level)}
    notes = " ".join(printed["notes"])
    assert "Channels were averaged to one." in notes
    assert "The degraded file holds nothing above 4000 Hz." in notes


def test_what_differs_besides_content_is_told(compare):
    signal, _ = load_audio("one.wav")
    save_audio("quiet.wav", 0.5 * signal[:-800], SR)
    notes = compare("one.wav", "quiet.wav")[1]["notes"]
    assert any("0.050 s shorter" in note and "cut to the shorter" in note for note in notes)
    (quieter,) = [note for note in notes if "dB quieter" in note]
    assert quieter == "The degraded file is 6.0 dB quieter, which every metric but visqol counts."
    assert not any("align" in note for note in notes)


def test_level_is_compared_where_the_files_are(compare):
    # the rest of the longer file has another level, which is no difference of the two
    signal, _ = load_audio("one.wav")
    save_audio("more.wav", np.concatenate([signal, np.zeros(2 * SR)]), SR)
    printed = compare("one.wav", "more.wav")[1]
    assert printed["degraded"]["level_dbfs"] < printed["reference"]["level_dbfs"] - 3
    assert not any("dB" in note for note in printed["notes"])


def test_nothing_to_tell_of_a_pair_that_differs_in_noise_alone(compare):
    notes = compare("one.wav", "one_1.wav")[1]["notes"]
    # a second of sound gives fewer frames than the five scales of MS-SSIM need
    assert len(notes) == 1
    assert notes[0].startswith("ms-ssim: Some images are too small")


def test_identical_files(compare):
    printed = compare("one.wav", "one.wav")[1]
    assert "The two files hold the same samples." in printed["notes"]
    assert all(entry["value"] == entry["identical"] for entry in printed["metrics"].values())


def test_delay_is_told_and_align_removes_it(compare):
    late = compare("two.wav", "two_late.wav")[1]
    assert any("30 ms late" in note and "--align" in note for note in late["notes"])
    early = compare("two_late.wav", "two.wav")[1]
    assert any("30 ms early" in note for note in early["notes"])
    aligned = compare("two.wav", "two_late.wav", "--align")[1]
    assert any("was 30 ms late; --align removed that" in note for note in aligned["notes"])
    assert late["metrics"]["nlpd"]["value"] > 0.1
    assert aligned["metrics"]["nlpd"]["value"] == 0
    assert aligned["metrics"]["visqol"] == late["metrics"]["visqol"]
    steps = LoadAudio(unequal="keep"), AlignPairs(), MelSpectrogram(), NLPD()
    assert make_pipeline(*steps).transform([("two.wav", "two_late.wav")]) == [[0]]


def test_delay_longer_than_align_looks_for(compare, make_sound):
    sound = make_sound(2.0)
    save_audio("long.wav", sound, SR)
    save_audio("far.wav", np.concatenate([np.zeros(SR // 2), sound]), SR)
    notes = compare("long.wav", "far.wav")[1]["notes"]
    assert any("500 ms late" in note and "start of the degraded file" in note for note in notes)


def test_delay_found_by_chance_is_not_trusted(compare, rng):
    save_audio("other.wav", 0.1 * rng.normal(size=2 * SR).clip(-3, 3), SR)
    assert not any("align" in note for note in compare("one.wav", "other.wav")[1]["notes"])
    notes = compare("one.wav", "other.wav", "--align")[1]["notes"]
    assert sum("may be chance" in note for note in notes) == 1
    assert not any("row" in note or "pairs" in note for note in notes)


def test_align_without_a_delay(compare):
    printed = compare("one.wav", "one_1.wav", "--align")[1]
    assert "--align found no delay." in printed["notes"]
    without = compare("one.wav", "one_1.wav")[1]
    assert printed["metrics"] == without["metrics"]


def test_part_of_the_files(compare):
    printed = compare("one.wav", "one_2.wav", "--offset", "0.1", "--duration", "0.75")[1]
    assert printed["compared"]["seconds"] == 0.75
    load = LoadAudio(offset_seconds=0.1, duration_seconds=0.75)
    expected = make_pipeline(load, MelSpectrogram(), MSE()).transform([("one.wav", "one_2.wav")])
    assert printed["metrics"]["mse"]["value"] == expected[0, 0]


def test_files_of_a_higher_rate_show_how_to_compare_all_of_it(compare):
    for name in ("one", "one_2"):
        signal, _ = load_audio(f"{name}.wav")
        save_audio(f"{name}_44.wav", signal, 44100)
    files = ["one_44.wav", "one_2_44.wav"]
    (note,) = [note for note in compare(*files)[1]["notes"] if "anything above 8000 Hz" in note]
    options = note.partition(": ")[2].split()
    assert options == ["--sr", "44100", "--n-fft", "2822", "--hop-length", "717"]
    notes = compare(*files, *options)[1]["notes"]
    assert not any("anything above" in note or "filters" in note for note in notes)


def test_metric_that_cannot_run_leaves_the_others_alone(run, compare):
    status, out, err = run("compare", "two.wav", "two_short.wav")
    assert (status, err) == (0, "")
    cells = values_of(out)
    assert [cells["nlpd"][0], cells["nlpd-ones"][0]] == ["-", "-"]
    assert float(cells["mse"][0]) < 1e-6
    below = " ".join(out.split("Not computed:")[1].split())
    assert "nlpd, nlpd-none, nlpd-ones" in below
    assert "The image has 256 bands and 4 frames, but this step needs at least 8" in below
    printed = compare("two.wav", "two_short.wav")[1]["metrics"]
    assert printed["nlpd"]["value"] is None
    assert "The image has 256 bands" in printed["nlpd-hepburn"]["error"]


def test_no_metric_can_run(run):
    status, out, err = run("compare", "one.wav", "one_1.wav", "--duration", "0.05")
    assert (status, err) == (2, "")
    assert {cells[0] for cells in values_of(out).values()} == {"-"}
    squeezed = " ".join(out.split())
    assert "The clip has 800 samples, but this step needs at least 1024. Use longer" in squeezed
    assert "FixDuration" not in out


def test_missing_extra_is_a_reason(compare, monkeypatch):
    def fail(self, X):
        raise ImportError("MSE needs sums. Install it with: pip install 'skperceptual[sums]'")

    monkeypatch.setattr(MSE, "transform", fail)
    status, printed = compare("one.wav", "one_1.wav")
    assert status == 0
    assert "skperceptual[sums]" in printed["metrics"]["mse"]["error"]


def test_a_bug_keeps_its_traceback(run, monkeypatch):
    monkeypatch.setattr(MSE, "transform", lambda self, X: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("compare", "one.wav", "one_1.wav")


def test_silent_degraded_file(run, compare):
    status, printed = compare("one.wav", "silent.wav")
    assert status == 0
    assert printed["degraded"]["level_dbfs"] is None
    assert "The degraded file is silent." in printed["notes"]
    assert "mono, silent\n" in run("compare", "one.wav", "silent.wav")[1]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["silent.wav", "one.wav"], "the reference 'silent.wav' is silent"),
        (["gone.wav", "one.wav"], "'gone.wav' (that is '{}/gone.wav') does not exist"),
        (["one.wav", "cut.wav"], "is truncated"),
        (["one.wav", "text.wav"], "is no audio file"),
        (["one.wav", "."], "is a directory"),
        (["one.wav", ""], "is no file name"),
        (["one.wav", "one.wav", "--offset", "9"], "lasts 1.12 s, too short for --offset 9"),
        (["one.wav", "one.wav", "--duration", "9"], "too short for 9 s from 0 s on"),
        (["one.wav", "one.wav", "--duration", "1e-9"], "less than one sample"),
    ],
)
def test_unusable_files(files, complaint, run, sounds):
    status, out, err = run("compare", *files)
    assert (status, out) == (2, "")
    assert err.startswith("skperceptual: error: ")
    assert complaint.format(sounds) in err
    assert len(err.splitlines()) == 1


def test_two_unusable_files_are_told_at_once(run):
    status, _, err = run("compare", "gone.wav", "text.wav")
    assert status == 2
    assert len(err.splitlines()) == 3
    assert "does not exist" in err.splitlines()[1]
    assert "is no audio file" in err.splitlines()[2]


def test_file_that_breaks_where_the_header_does_not_tell(run, shared):
    path = next(iter(sorted((shared / "data" / "speech").glob("*.flac"))))
    content = path.read_bytes()
    name = "broken.flac"
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(content[: len(content) // 2])
    status, _, err = run("compare", path, name)
    assert status == 2
    assert "'broken.flac'" in err
    assert len(err.splitlines()) == 1


def test_name_that_would_move_the_cursor(run):
    signal, _ = load_audio("one.wav")
    save_audio("a\x1b[2Jb.wav", signal, SR)
    status, out, _ = run("compare", "one.wav", "a\x1b[2Jb.wav")
    assert status == 0
    assert "\x1b" not in out
    assert "'a\\x1b[2Jb.wav'" in out


def test_as_a_program(sounds):
    command = [sys.executable, "-W", "error", "-m", "skperceptual.cli", "compare"]
    finished = subprocess.run(
        [*command, sounds / "one.wav", sounds / "one_3.wav"],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.startswith(f"reference  {sounds}/one.wav\n")
