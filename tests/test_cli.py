"""The command: what it says, what it writes, how it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

import skperceptual.demo
from skperceptual import NLPD, MelSpectrogram, __version__, load_audio
from skperceptual.cli import main
from skperceptual.demo import run, run_demo, write_rated_songs
from skperceptual.demo.comparison import ALL, SCORE, correlate, format_table, make_metrics
from skperceptual.demo.rated_songs import CONDITIONS, N_TIMES, SEVERITIES, SR
from skperceptual.demo.songs import make_song

TINY = run.Settings(3, (0.5, 1.0), n_mels=176, hop_length=376, n_folds=3, max_epochs=2)


# ---- the command line ---------------------------------------------------------------------


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"skperceptual {__version__}\n"


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "demo" in capsys.readouterr().out


def test_without_a_command_there_is_help(capsys):
    assert main([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("usage: skperceptual")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["dmeo"], "invalid choice: 'dmeo'"),
        (["demo", "--seed", "-1"], "'-1' is no whole number"),
        (["demo", "--seed", "one"], "'one' is no whole number"),
        (["demo", "--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_mistyped_arguments(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_output_that_is_a_file(tmp_path, capsys):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    assert main(["demo", "--quick", "-o", str(tmp_path / "taken")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("skperceptual: error: ")
    assert str(tmp_path / "taken") in error
    assert len(error.splitlines()) == 1
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/there"), "/there: Permission denied"),
        (FileNotFoundError("The folder of 'x' does not exist."), "The folder of 'x' does not"),
    ],
)
def test_what_the_user_can_put_right_is_told_without_a_traceback(
    error, message, monkeypatch, capsys
):
    monkeypatch.setattr(skperceptual.demo, "run_demo", raising(error))
    assert main(["demo"]) == 2
    assert f"skperceptual: error: {message}" in capsys.readouterr().err


def test_a_bug_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(skperceptual.demo, "run_demo", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["demo"])


def test_interruption(monkeypatch, capsys):
    monkeypatch.setattr(skperceptual.demo, "run_demo", raising(KeyboardInterrupt()))
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "\nskperceptual: interrupted\n"


def raising(error):
    def run_demo(*args, **kwargs):
        raise error

    return run_demo


def test_reader_of_the_output_that_leaves():
    code = (
        "import sys, types\n"
        "from skperceptual.cli import main\n"
        "demo = sys.modules['skperceptual.demo'] = types.ModuleType('demo')\n"
        "def run_demo(*args, say, **kwargs):\n"
        "    while True: say('x' * 1000, flush=True)\n"
        "demo.run_demo = run_demo\n"
        "sys.exit(main(['demo']))\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == ""


def test_arguments_reach_the_demo(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        skperceptual.demo, "run_demo", lambda folder, **kwargs: seen.update(folder=folder, **kwargs)
    )
    assert main(["demo"]) == 0
    assert seen == {
        "folder": "skperceptual-demo", "random_state": 0, "quick": False, "say": print
    }  # fmt: skip
    main(["demo", "-o", "there", "--seed", "7", "--quick"])
    assert (seen["folder"], seen["random_state"], seen["quick"]) == ("there", 7, True)


def test_help_needs_nothing_heavy():
    code = (
        "import sys\nfrom skperceptual.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print({'torch', 'sklearn', 'matplotlib'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert printed.stdout == f"skperceptual {__version__}\nset()\n"


# ---- the songs ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rated(tmp_path_factory) -> Bunch:
    return write_rated_songs(tmp_path_factory.mktemp("songs"), n_songs=2, severities=(0.25, 1.0))


def test_songs_are_what_the_table_says(rated):
    assert len(rated.pairs) == len(rated.target) == 2 * len(CONDITIONS) * 2
    assert set(rated.groups) == {"song01", "song02"}
    assert list(dict.fromkeys(rated.condition)) == list(CONDITIONS)
    for name in np.unique(rated.pairs):
        signal, sr = load_audio(name)
        assert (sr, len(signal)) == (SR, N_TIMES)
        assert 0.05 < np.abs(signal).max() <= 1


def test_table_is_readable_and_says_that_ratings_are_simulated(rated):
    folder = Path(rated.pairs["reference"][0]).parents[1]
    table = pd.read_csv(folder / "simulated_ratings.csv")
    pd.testing.assert_frame_equal(table, rated.frame, check_dtype=False)
    assert [name for name in table if "rating" in name] == ["simulated_rating"]
    assert (folder / table["degraded"][0]).exists()
    assert "simulated" in rated.DESCR
    assert "NOBODY LISTENED" in rated.DESCR


def test_simulated_ratings_are_half_points_from_1_to_5(tmp_path):
    ratings = write_rated_songs(tmp_path, n_songs=4, severities=(0.1, 1.0)).target
    assert np.all(2 * ratings == np.round(2 * ratings))
    assert 1 <= ratings.min() < ratings.max() <= 5


@pytest.mark.parametrize("condition", CONDITIONS)
def test_degradations_grow_with_severity(condition, rng):
    song = make_song(rng, sr=SR, n_times=2 * SR)
    degraded = [CONDITIONS[condition].degrade(song, severity, rng) for severity in SEVERITIES]
    metric = make_pipeline(MelSpectrogram(sr=SR), NLPD())
    distances = metric.transform(np.array([[song, version] for version in [song, *degraded]]))
    assert np.all(np.diff(distances[:, 0]) > 0.01)


def test_levels_agree_within_a_pair(rated):
    for reference, degraded in rated.pairs.to_numpy():
        rms = [np.sqrt(np.mean(load_audio(name)[0] ** 2)) for name in (reference, degraded)]
        assert rms[1] == pytest.approx(rms[0], rel=0.01)


def test_seed_decides_everything(tmp_path, rated):
    again = write_rated_songs(tmp_path / "again", n_songs=1, severities=(0.25, 1.0))
    other = write_rated_songs(tmp_path / "other", n_songs=1, severities=(0.25, 1.0), random_state=1)
    # a song does not depend on how many there are
    pd.testing.assert_frame_equal(again.frame, rated.frame[: len(again.frame)])
    for first, second, third in zip(
        np.unique(rated.pairs[rated.groups == "song01"]),
        np.unique(again.pairs),
        np.unique(other.pairs),
        strict=True,
    ):
        content = Path(first).read_bytes()
        assert Path(second).read_bytes() == content
        assert Path(third).read_bytes() != content


# ---- the tables ---------------------------------------------------------------------------


def test_correlations_are_means_over_folds():
    rated = Bunch(
        target=np.array([1.0, 2, 3, 4, 1, 2, 3, 4]), condition=np.array(["a", "a", "b", "b"] * 2)
    )
    predictions = pd.DataFrame(
        # fold 1 is predicted in reverse, on a scale of its own
        {"fold": [0] * 4 + [1] * 4, "up": [1, 2, 3, 4, 90, 80, 70, 60], "flat": [1.0] * 8}
    )
    table = correlate(predictions, rated).set_index(["metric", "condition"])
    assert table.loc[("up", ALL), SCORE] == 0
    assert table.loc[("up", ALL), "std_over_folds"] == 1
    assert list(table.loc["up"]["n_pairs"]) == [4, 4, 8]
    better = correlate(predictions.assign(up=[1, 2, 3, 4, 60, 70, 80, 90]), rated)
    assert list(better[SCORE][:3]) == [1, 1, 1]
    assert better.loc[3:, [SCORE, "std_over_folds"]].isna().all(axis=None)


def test_tables_have_a_row_a_metric_and_a_column_a_condition():
    rows = [(m, c, 4, s, 0.05) for m, s in (("MSE", -0.25), ("SSIM", 0.5)) for c in ("noise", ALL)]
    columns = ["metric", "condition", "n_pairs", SCORE, "std_over_folds"]
    lines = format_table(pd.DataFrame(rows, columns=columns), ["SSIM", "MSE"]).splitlines()
    assert [line.split() for line in lines] == [
        ["noise", "all", "±", "folds"],
        ["SSIM", "0.50", "0.50", "±", "0.05"],
        ["MSE", "-0.25", "-0.25", "±", "0.05"],
    ]


# ---- the demonstration --------------------------------------------------------------------


class Transcript:
    def __init__(self) -> None:
        self.text = ""

    def __call__(self, text: str = "", end: str = "\n", flush: bool = False) -> None:
        self.text += text + end


@pytest.fixture(scope="module")
def tiny_demo(tmp_path_factory):
    folder, say = tmp_path_factory.mktemp("demo"), Transcript()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_QUICK", TINY)
        result = run_demo(folder, quick=True, say=say)
    return folder, say.text, result


def test_demo_writes_what_it_lists(tiny_demo):
    folder, text, _ = tiny_demo
    listed = text.split(f"{folder}/:\n")[1].split("\n\n")[0].splitlines()
    assert {line.split()[0] for line in listed} == {path.name for path in folder.iterdir()}
    assert len(list(folder.glob("audio/*.wav"))) == 3 * (1 + 4 * 2)
    assert all((folder / name).stat().st_size > 10_000 for name in ("ratings.png", "filters.png"))


def test_demo_says_that_ratings_are_simulated(tiny_demo):
    folder, text, _ = tiny_demo
    tables = [line for line in text.splitlines() if line.startswith("Table")]
    assert len(tables) == 2
    assert all("SIMULATED" in line for line in [*tables, text.splitlines()[1]])
    assert "real" not in text
    for file in ("predictions.csv", "simulated_ratings.csv", "correlations.csv"):
        names = list(pd.read_csv(folder / file))
        assert all("simulated" in name for name in names if "rating" in name or "spear" in name)


def test_demo_compares_every_metric(tiny_demo):
    folder, text, result = tiny_demo
    names = list(make_metrics())
    assert list(result.predictions) == ["fold", *names]
    assert all(text.count(f"  {name} ") >= 2 for name in names)
    saved = pd.read_csv(folder / "predictions.csv")
    np.testing.assert_allclose(saved[names], result.predictions[names])
    # a fold never splits a song
    assert (saved.groupby("song")["fold"].nunique() == 1).all()
    over_all = result.correlations[result.correlations["condition"] == ALL]
    assert over_all.set_index("metric")[SCORE].idxmax() == result.best
    assert over_all[SCORE].min() > 0.3


def test_saved_metric_works_as_the_demo_says(tiny_demo):
    folder, text, result = tiny_demo
    lines = [line.strip() for line in text.splitlines()[-3:]]
    assert [line.split("(")[0] for line in lines] == [
        "import joblib",
        "metric = joblib.load",
        "metric.predict",
    ]
    clean, noisy = (folder / "audio" / f"song01{end}.wav" for end in ("", "_noise_100"))
    names = {}
    exec("\n".join(lines[:2]), names)
    same, degraded = names["metric"].predict([(clean, clean), (clean, noisy)])
    assert same > degraded
    again = joblib.load(folder / "metric.joblib").predict(result.rated.pairs)
    assert np.corrcoef(again, result.rated.target)[0, 1] > 0.5


def test_demo_is_the_same_for_the_same_seed(tiny_demo, tmp_path, monkeypatch):
    folder, _, result = tiny_demo
    monkeypatch.setattr(run, "_QUICK", TINY)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    say = Transcript()
    again = run_demo(tmp_path, quick=True, say=say)
    pd.testing.assert_frame_equal(again.predictions, result.predictions)
    for name in ("predictions.csv", "correlations.csv", "audio/song03_limiter_050.wav"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    # and without matplotlib it leaves out the pictures, and says how to get them
    assert "pip install 'skperceptual[plot]'" in say.text
    assert not list(tmp_path.glob("*.png"))
    assert "ratings.png" not in say.text


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("arguments", [["--quick"], []], ids=["quick", "full"])
def test_whole_demo(arguments, tmp_path):
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", "skperceptual.cli", "demo", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    table = pd.read_csv(tmp_path / "skperceptual-demo" / "correlations.csv")
    assert (table[SCORE] > 0.3).all()
