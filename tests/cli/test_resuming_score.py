"""``skperceptual score`` interrupted: what is done is kept, and never mixed with anything else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import skperceptual
from skperceptual import load_audio, save_audio
from skperceptual.cli import score_table, scoring

PACKAGE = Path(skperceptual.__file__).parent
METRICS = ["--metric", "nlpd", "--metric", "ssim", "--n-mels", "64"]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(score_table, "_MAX_ROWS", 2)


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "out.csv"


@pytest.fixture
def part(tmp_path) -> Path:
    return tmp_path / "out.csv.part"


@pytest.fixture
def count(monkeypatch):
    """Give a function that counts the pairs that are scored, and interrupts after some."""
    score_pairs = scoring.score_pairs
    state = {"scored": 0, "left": np.inf}

    def score(metrics, pairs):
        if len(pairs) > state["left"]:
            raise KeyboardInterrupt
        state["left"] -= len(pairs)
        state["scored"] += len(pairs)
        return score_pairs(metrics, pairs)

    monkeypatch.setattr(scoring, "score_pairs", score)

    def start(after=np.inf):
        state.update(scored=0, left=after)
        return state

    return start


@pytest.fixture
def mixed(sounds) -> Path:
    """A table of pairs that can be scored, that cannot, and that give rise to warnings."""
    rows = [
        "silent.wav,one_1.wav",
        "one.wav,one_1.wav",
        "gone.wav,one_1.wav",
        "one.wav,one_2.wav",
        "two.wav,two_short.wav",
        "two.wav,two_1.wav",
        "silent.wav,two_1.wav",
        "two.wav,two_2.wav",
    ]
    path = sounds / "mixed.csv"
    path.write_text("\n".join(["reference,degraded", *rows, ""]), encoding="utf-8")
    return path


# ---- going on -----------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("after", [2, 4, 6])
def test_output_is_that_of_a_run_without_interruption(
    after, jobs, run, mixed, output, part, count, tmp_path
):
    arguments = ["score", mixed, *METRICS, "--on-error", "nan"]
    _, _, told = run(*arguments, "-o", tmp_path / "whole.csv")
    output.write_text("of another day", encoding="utf-8")
    count(after=after)
    status, out, err = run(*arguments, "-o", output)
    assert (status, out) == (130, "")
    assert err.endswith(
        f"\nskperceptual: interrupted. {after} of 7 pairs are scored, and their scores kept in "
        f"'{part}'. The same command goes on from there.\n"
    )
    assert output.read_text(encoding="utf-8") == "of another day"
    assert part.exists()
    counted = count()
    status, out, err = run(*arguments, "-o", output, "-j", jobs)
    assert (status, out) == (0, "")
    if jobs == 1:
        assert counted["scored"] == 7 - after
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    going_on = f"note: going on after {after} pairs, whose scores are in '{part}'\n"
    assert going_on in err
    # what was found out about pairs before the interruption is told at the end, as always
    assert err.replace(going_on, "") == told.replace("whole.csv", "out.csv")
    assert "note: left empty: nlpd: The image has 64 bands and 4 frames" in err
    assert "note: The reference image is constant in 2 of 7 pairs (line 2 is the first)." in err
    assert not part.exists()


def test_interruption_upon_interruption(run, table, output, part, count):
    arguments = ["score", table, *METRICS, "-o", output]
    run(*arguments)
    expected = output.read_bytes()
    output.unlink()
    for _ in range(2):
        count(after=2)
        assert run(*arguments)[0] == 130
    counted = count()
    assert run(*arguments, "--quiet") == (0, "", "")
    assert counted["scored"] == 2
    assert output.read_bytes() == expected


def test_nothing_is_left_of_a_run_that_scored_nothing(run, table, output, count, tmp_path):
    before = set(tmp_path.iterdir())
    count(after=0)
    assert run("score", table, *METRICS, "-o", output) == (130, "", "\nskperceptual: interrupted\n")
    assert set(tmp_path.iterdir()) == before


def test_without_a_file_nothing_is_kept(run, table, count, tmp_path):
    before = set(tmp_path.iterdir())
    for arguments in ([], ["-o", os.devnull]):
        count(after=2)
        status, _, err = run("score", table, *METRICS, *arguments)
        assert (status, err) == (130, "\nskperceptual: interrupted\n")
    assert set(tmp_path.iterdir()) == before


def test_the_folder_that_one_works_in_does_not_matter(
    run, table, output, count, tmp_path, monkeypatch
):
    count(after=4)
    run("score", table, *METRICS, "-o", output)
    monkeypatch.chdir(tmp_path)
    counted = count()
    assert run("score", table.name, *METRICS, "-o", output.name)[0] == 0
    assert counted["scored"] == 2


@pytest.mark.parametrize("name", ["-o", "--folder"])
def test_a_link_is_the_file_that_it_leads_to(name, run, table, output, part, count, tmp_path):
    (tmp_path / "link").symlink_to(output if name == "-o" else tmp_path)
    count(after=4)
    run("score", table, *METRICS, "-o", output, name, tmp_path / "link")
    counted = count()
    if name == "-o":
        assert run("score", table, *METRICS, "-o", output)[0] == 0
        assert counted["scored"] == 2
    else:  # names count by their text
        status, _, err = run("score", table, *METRICS, "-o", output)
        assert status == 2
        assert "have changed since" in err


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_interruption_of_the_program(jobs, run, sounds, output, part):
    sound, sr = load_audio(sounds / "one.wav")
    save_audio(sounds / "long.wav", np.tile(sound, 60), sr)
    path = sounds / "long.csv"
    rows = ["long.wav,long.wav", "long.wav,one.wav"] * 40
    path.write_text("\n".join(["reference,degraded", *rows]), encoding="utf-8")
    # Under a shell that runs tests in the background, children would ignore interruptions.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "import sys; from skperceptual.cli import main; sys.exit(main())"
    arguments = ["score", path, "--metric", "ssim", "-o", output, "-j", jobs]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stderr=subprocess.PIPE,
        cwd=PACKAGE.parent,
        start_new_session=True,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not (part.exists() and part.read_bytes().count(b"\n") > 2):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGINT)
            told = process.stderr.read()
        finally:
            process.kill()
    assert process.returncode == 130
    note, empty, interrupted = told.splitlines()
    assert note.startswith("note: 40 of 80 pairs differ in length")
    assert empty == ""
    assert interrupted.startswith("skperceptual: interrupted. ")
    assert interrupted.endswith("The same command goes on from there.")
    assert sorted(path.name for path in sounds.iterdir() if "out.csv" in path.name) == [part.name]
    assert not output.exists()
    status, _, err = run(*arguments[:-2])
    assert status == 0
    assert f"note: going on after {interrupted.split()[2]} pairs" in err
    assert run(*arguments[:4], "-o", sounds / "whole.csv", "--quiet")[0] == 0
    assert output.read_bytes() == (sounds / "whole.csv").read_bytes()


# ---- the same pairs, the same metrics -----------------------------------------------------


@pytest.fixture
def interrupted(run, table, output, count):
    """A run that is interrupted after four of six pairs; gives its arguments."""
    arguments = ["score", table, *METRICS, "-o", output]
    count(after=4)
    assert run(*arguments)[0] == 130
    count()
    return arguments


def swap_rows(table):
    header, first, second, *rest = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([header, second, first, *rest]), encoding="utf-8")


def drop_row(table):
    header, _, *rest = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([header, *rest]), encoding="utf-8")


def cut_table(table):
    lines = table.read_text(encoding="utf-8").splitlines()[:2]
    table.write_text("\n".join(lines), encoding="utf-8")


def replace_file(table):
    sound, sr = load_audio(table.with_name("one_2.wav"))
    save_audio(table.with_name("one_2.wav"), sound / 2, sr)


@pytest.mark.parametrize("change", [swap_rows, drop_row, cut_table, replace_file])
def test_other_pairs_are_refused(change, run, interrupted, table, output, part):
    before = part.read_bytes()
    change(table)
    status, out, err = run(*interrupted, "--quiet")
    assert (status, out) == (2, "")
    last = 2 if change is cut_table else 3
    assert err.startswith(
        f"skperceptual: error: the unfinished scores are of other pairs: lines 2 to {last} of the "
        "table, or the files that they name, have changed since."
    )
    assert "delete the unfinished file (.part) to begin anew" in err
    assert part.read_bytes() == before
    assert not output.exists()
    part.unlink()
    assert run(*interrupted)[0] == 0


@pytest.mark.parametrize(
    "other",
    [
        ["--metric", "mse"],
        ["--sr", "8000"],
        ["--n-mels", "32"],
        ["--align"],
        ["--offset", "0.01"],
        ["--duration", "1.115"],
    ],
)
def test_other_metrics_and_options_are_refused(other, run, interrupted, output, part):
    before = part.read_bytes()
    status, _, err = run(*interrupted, *other)
    assert status == 2
    assert f"error: '{part}' holds unfinished results of another set of metrics and options." in err
    assert part.read_bytes() == before
    assert not output.exists()


def test_order_of_metrics_and_version_count(run, interrupted, table, output, part, monkeypatch):
    order = ["--metric", "ssim", "--metric", "nlpd", "--n-mels", "64"]
    assert "another set of metrics" in run("score", table, *order, "-o", output)[2]
    monkeypatch.setattr(score_table, "__version__", "99")
    assert "results of another version of skperceptual." in run(*interrupted)[2]
    monkeypatch.undo()
    part.write_text("my own", encoding="utf-8")
    status, _, err = run(*interrupted)
    assert status == 2
    assert f"'{part}' holds no unfinished results of this kind" in err
    assert part.read_text(encoding="utf-8") == "my own"


def test_what_a_metric_learned_from_the_table_counts(run, table, output, part, count):
    arguments = ["score", table, "--metric", "nlpd-ones", "--n-mels", "64"]
    count()
    run(*arguments, "-o", table.with_name("whole.csv"))
    count(after=4)
    assert run(*arguments, "-o", output)[0] == 130
    text = table.read_text(encoding="utf-8")
    table.write_text(f"{text}4,one.wav,one_3.wav,x\n", encoding="utf-8")  # a new reference
    status, _, err = run(*arguments, "-o", output)
    assert status == 2
    assert "unfinished results of another table, from which a metric learns." in err
    table.write_text(text, encoding="utf-8")
    counted = count()
    assert run(*arguments, "-o", output)[0] == 0
    assert counted["scored"] == 2
    assert output.read_bytes() == table.with_name("whole.csv").read_bytes()


def test_other_columns_may_change_and_rows_be_added(
    run, interrupted, table, output, part, read_scores, count
):
    scores = run("score", table, *METRICS)[1].splitlines()
    text = table.read_text(encoding="utf-8").replace('"a, ""b"""', "new")
    table.write_text(f"{text}7,one_1.wav,two.wav,new\n", encoding="utf-8")
    counted = count()
    assert run(*interrupted)[0] == 0
    assert counted["scored"] == 3
    lines = output.read_text(encoding="utf-8").splitlines()
    assert lines[1:7] == [line.replace('"a, ""b"""', "new") for line in scores[1:]]
    assert lines[7].startswith("7,one_1.wav,two.wav,new,")


# ---- pairs that cannot be scored ----------------------------------------------------------


def test_what_was_scored_before_a_failure_is_kept(run, table, output, part, count, make_sound):
    whole = table.with_name("two_1.wav").read_bytes()
    save_audio(table.with_name("two_1.wav"), make_sound(0.1), 16000)
    arguments = ["score", table, *METRICS, "-o", output]
    for scored in (4, 2):  # the failure is tried again, and only that
        counted = count()
        status, _, err = run(*arguments)
        assert status == 2
        assert counted["scored"] == scored
        assert "  nlpd: The image has 64 bands and" in err
        assert "[line 5]" in err
        assert "--on-error nan, which goes on after the 2 pairs whose scores are kept in" in err
    kept = part.read_bytes()
    counted = count()
    assert run(*arguments, "--on-error", "nan")[0] == 0
    assert counted["scored"] == 4
    assert ",," in output.read_text(encoding="utf-8").splitlines()[4]
    # or the file is repaired
    part.write_bytes(kept)
    table.with_name("two_1.wav").write_bytes(whole)
    assert run(*arguments)[0] == 0
    assert output.read_text(encoding="utf-8") == run("score", table, *METRICS)[1]


def test_failures_that_were_tolerated_are_tried_again_where_they_are_not(
    run, table, output, count, make_sound
):
    sounds = {name: table.with_name(name).read_bytes() for name in ("one_1.wav", "two_1.wav")}
    for name in sounds:
        save_audio(table.with_name(name), make_sound(0.1), 16000)
    arguments = ["score", table, *METRICS, "-o", output]
    count(after=4)
    run(*arguments, "--on-error", "nan")
    count()
    for name, content in sounds.items():
        table.with_name(name).write_bytes(content)
    status, _, err = run(*arguments, "--on-error", "nan")
    assert status == 2
    assert "lines 2 to 3 of the table, or the files that they name, have changed since" in err
    assert run(*arguments)[0] == 0
    assert output.read_text(encoding="utf-8") == run("score", table, *METRICS)[1]


# ---- memory -------------------------------------------------------------------------------

MEMORY = """
import sys, tracemalloc
from pathlib import Path
import numpy as np
from skperceptual import save_audio
from skperceptual.cli import main

folder = Path(sys.argv[1])
save_audio(folder / "clean.wav", 0.1 * np.random.default_rng(0).standard_normal(4000), 16000)
for row in range(600):
    (folder / f"{row}.wav").symlink_to(folder / "clean.wav")
    (folder / f"copy{row}.wav").hardlink_to(folder / "clean.wav")

def score(n_rows):
    table = folder / f"{n_rows}.csv"
    rows = (f"{row}.wav,copy{row}.wav" for row in range(n_rows))
    table.write_text("\\n".join(["reference,degraded", *rows]))
    options = ["--metric", "mse", "--n-mels", "8", "--n-fft", "256", "--hop-length", "256"]
    assert main(["score", str(table), "-o", f"{table}.scores", "--quiet", *options]) == 0

def peak(n_rows):
    tracemalloc.start()
    score(n_rows)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most

score(40)
print((peak(600) - peak(100)) / 500)
"""


def test_memory_hardly_grows_with_the_number_of_pairs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path],
        check=True,
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
    )
    # What the table says, the header of a file, and a score; the audio of a pair is 32 kB.
    assert float(done.stdout) < 500
