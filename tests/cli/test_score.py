"""``skperceptual score``."""

from __future__ import annotations

import os
import stat
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import skperceptual
from skperceptual import (
    MSE,
    NLPD,
    SSIM,
    AlignPairs,
    LoadAudio,
    MelSpectrogram,
)
from skperceptual.cli import score_table, scoring
from skperceptual.cli.score_table import plan_chunks

PACKAGE = Path(skperceptual.__file__).parent
FRONT_END = ["--n-mels", "64"]


@pytest.fixture
def files(table) -> pd.DataFrame:
    names = pd.read_csv(table)[["reference", "degraded"]]
    return str(table.parent) + "/" + names


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def direct(metric, files) -> np.ndarray:
    pipeline = make_pipeline(LoadAudio(), MelSpectrogram(n_mels=64), metric)
    return pipeline.fit(files).transform(files)[:, 0]


# ---- the scores ---------------------------------------------------------------------------


def test_numbers_are_those_of_the_estimators_to_the_last_bit(
    run, read_scores, table, files, tmp_path
):
    names = {"mse": MSE(), "ssim": SSIM(), "nlpd": NLPD(), "nlpd-ones": NLPD(normalization="ones")}
    metrics = [argument for name in names for argument in ("--metric", name)]
    output = tmp_path / "scores.csv"
    status, out, err = run("score", table, *metrics, *FRONT_END, "-o", output)
    assert (status, out) == (0, "")
    assert err == f"{output}: 6 pairs, mse, ssim, nlpd, nlpd-ones\n"
    scores = read_scores(output)
    for name, metric in names.items():
        expected = direct(metric, files)
        assert expected.dtype == np.float32
        np.testing.assert_array_equal(scores[name], expected.astype(np.float64))
        assert len(set(expected)) == 6


def test_table_is_kept_as_it_is(run, table, tmp_path):
    # numbers with zeros, dates and missing values are no business of this command
    lines = table.read_text(encoding="utf-8").splitlines()
    header, *rows = [
        f"{line},{cell}"
        for line, cell in zip(lines, ["x", "007", "NA", "", "1e3", " ", "é"], strict=True)
    ]
    path = write(tmp_path / "kept.csv", header, *rows)
    status, out, _ = run("score", path, "--metric", "mse")
    assert status == 0
    printed = out.splitlines()
    assert printed[0] == f"{header},mse"
    assert [line.rpartition(",")[0] for line in printed[1:]] == rows


def test_same_on_standard_output_and_in_a_file(run, table, tmp_path):
    _, out, err = run("score", table, "--metric", "mse")
    assert err == ""
    run("score", table, "--metric", "mse", "-o", tmp_path / "scores.csv", "--quiet")
    assert (tmp_path / "scores.csv").read_text(encoding="utf-8") == out


def test_chunks_and_processes_change_nothing(run, table, monkeypatch):
    arguments = ["score", table, "--metric", "nlpd-ones", "--metric", "ssim", *FRONT_END]
    whole = run(*arguments)
    monkeypatch.setattr(score_table, "_MAX_ROWS", 4)
    assert run(*arguments) == whole
    monkeypatch.setattr(score_table, "_MAX_SECONDS", 0.1)
    assert run(*arguments) == whole
    assert run(*arguments, "-j", "2") == whole


def test_chunks_hold_every_row_once():
    seconds = np.random.default_rng(0).uniform(1, 700, 500).tolist()
    chunks = list(plan_chunks(seconds))
    assert [row for chunk in chunks for row in range(chunk.start, chunk.stop)] == list(range(500))
    totals = [sum(seconds[chunk]) for chunk in chunks]
    assert all(
        total <= 600 or chunk.stop - chunk.start == 1
        for total, chunk in zip(totals, chunks, strict=True)
    )
    assert {chunk.stop - chunk.start for chunk in plan_chunks([1.0] * 96)} == {32}


def test_files_are_decoded_and_images_made_once_for_all_metrics(run, table, monkeypatch):
    decoded, transformed = [], []
    read_clip = skperceptual.io.table.read_clip
    transform = MelSpectrogram.transform
    monkeypatch.setattr(
        "skperceptual.io.table.read_clip",
        lambda file, **kwargs: decoded.append(file) or read_clip(file, **kwargs),
    )
    monkeypatch.setattr(
        MelSpectrogram,
        "transform",
        lambda self, X: transformed.append(len(X)) or transform(self, X),
    )
    metrics = [argument for name in ("mse", "ssim", "nlpd") for argument in ("--metric", name)]
    assert run("score", table, *metrics)[0] == 0
    assert len(decoded) == len(set(decoded)) == 8
    assert sum(transformed) == 6


def test_align_mends_a_delayed_pair(run, sounds):
    path = write(sounds / "late.csv", "reference,degraded", "two.wav,two_late.wav")
    late = pd.read_csv(StringIO(run("score", path, "--metric", "nlpd")[1]))
    aligned = pd.read_csv(StringIO(run("score", path, "--metric=nlpd", "--align")[1]))
    assert late["nlpd"][0] > 0.1
    assert aligned["nlpd"][0] == 0


def test_part_of_the_files(run, read_scores, table, files, tmp_path):
    arguments = ["--offset", "0.1", "--duration", "0.5", "--align", "-o", tmp_path / "scores.csv"]
    assert run("score", table, "--metric", "mse", *arguments)[0] == 0
    steps = LoadAudio(offset_seconds=0.1, duration_seconds=0.5), AlignPairs(), MelSpectrogram()
    expected = make_pipeline(*steps, MSE()).transform(files)[:, 0]
    np.testing.assert_array_equal(read_scores(tmp_path / "scores.csv")["mse"], expected)


def test_names_start_in_the_folder_of_the_table_or_another(run, table, tmp_path, monkeypatch):
    expected = run("score", table, "--metric", "mse")[1]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert run("score", table, "--metric", "mse")[1] == expected
    moved = table.rename(elsewhere / "moved.csv")
    assert run("score", moved, "--metric", "mse", "--folder", "..")[1] == expected
    text = moved.read_text(encoding="utf-8").replace(",one", f",{tmp_path}/one")
    absolute = write(elsewhere / "absolute.csv", text.replace(",two", f",{tmp_path}/two"))
    status, out, _ = run("score", absolute, "--metric", "mse")
    assert status == 0
    assert [line.rpartition(",")[2] for line in out.splitlines()] == [
        line.rpartition(",")[2] for line in expected.splitlines()
    ]


def test_table_of_a_spreadsheet(run, table, tmp_path):
    expected = run("score", table, "--metric", "mse")[1]
    text = table.read_text(encoding="utf-8")
    saved = tmp_path / "excel.csv"
    saved.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n\r\n").encode())
    assert run("score", saved, "--metric", "mse") == (0, expected, "")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separator_is_kept(separator, run, sounds):
    rows = [["note, if any", "reference", "degraded"], ["1,5", "one.wav", "one_1.wav"]]
    path = write(sounds / "other.csv", *map(separator.join, rows))
    status, out, _ = run("score", path, "--metric", "mse")
    assert status == 0
    printed = [line.split(separator) for line in out.splitlines()]
    assert [line[:-1] for line in printed] == rows
    assert printed[0][-1] == "mse"


# ---- tables that cannot be read -----------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty. Its first line names the columns."),
        ("reference,degraded\n", "has no rows below its header"),
        ("a,degraded\nx,y\n", "has no column 'reference'"),
        ("reference:degraded\nx:y\n", "it holds 'reference:degraded'"),
        ("reference,reference,degraded\nx,y,z\n", "has 2 columns 'reference'"),
        ("reference,degraded\na,b\nc\n", "line 3 holds 1 cells, the header 2"),
        ('reference,degraded\n"a,b\n', "is no CSV file: line 2"),
        ('"reference,degraded\na,b\n', "is no CSV file: line 2"),
        (b"reference,degraded\n\xe9,b\n", "is no text in UTF-8"),
        ("reference,degraded,mse\na,b,1\n", "has a column 'mse' already. Rename it"),
    ],
)
def test_unusable_tables(content, complaint, run, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    status, out, err = run("score", path, "--metric", "mse", "-o", tmp_path / "out.csv")
    assert (status, out) == (2, "")
    assert err.startswith("skperceptual: error: ")
    assert complaint in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()


def test_missing_table(run, tmp_path):
    message = f"skperceptual: error: {tmp_path}/no.csv: No such file or directory\n"
    assert run("score", tmp_path / "no.csv", "--metric", "mse") == (2, "", message)


# ---- files and pairs that cannot be scored ------------------------------------------------


@pytest.fixture
def mixed(sounds) -> Path:
    """A table where rows 2 to 6 cannot be scored: the files, or what they hold."""
    return write(
        sounds / "mixed.csv",
        "reference,degraded",
        "one.wav,one_1.wav",
        "one.wav,gone.wav",
        "one.wav,cut.wav",
        "gone.wav,text.wav",
        "two.wav,",
        "two.wav,two_short.wav",
        "two.wav,two_1.wav",
    )


def test_unusable_files_are_told_before_anything_is_scored(run, mixed, tmp_path, monkeypatch):
    monkeypatch.setattr(scoring, "score_pairs", lambda *args: pytest.fail("it scored"))
    output = tmp_path / "out.csv"
    status, out, err = run("score", mixed, "--metric", "mse", "-o", output)
    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert lines[0] == "skperceptual: error: 4 of 9 files cannot be used:"
    assert lines[1] == "  line 3, degraded (and 1 more): 'gone.wav' does not exist"
    assert lines[2].startswith("  line 4, degraded: 'cut.wav' is truncated")
    assert lines[3].startswith("  line 5, degraded: 'text.wav' is no audio file")
    assert lines[4] == "  line 6, degraded: '' is no file name"
    assert f"'{tmp_path}'; --folder" in lines[5]
    assert "--on-error nan" in lines[5]
    assert not output.exists()


def test_pairs_that_cannot_be_scored_stop_it(run, sounds, tmp_path):
    path = write(
        sounds / "short.csv", "reference,degraded", "one.wav,one_1.wav", "two.wav,two_short.wav"
    )
    status, _, err = run("score", path, "--metric", "mse", "--metric", "nlpd", "-o", tmp_path / "o")
    assert status == 2
    assert "  nlpd: The image has 256 bands and 4 frames, but this step needs" in err
    assert "[line 3]" in err
    assert not [file for file in tmp_path.iterdir() if file.name.lstrip(".").startswith("o.")]
    assert not (tmp_path / "o").exists()


def test_empty_cells_for_what_cannot_be_scored(run, read_scores, mixed, files):
    arguments = ["--metric", "mse", "--metric", "nlpd", "--on-error", "nan", *FRONT_END]
    status, out, err = run("score", mixed, *arguments)
    assert status == 0
    scores = read_scores(StringIO(out))
    scored = [0, 6]
    usable = files.iloc[[0, 3]]
    np.testing.assert_array_equal(scores["mse"][scored], direct(MSE(), usable))
    np.testing.assert_array_equal(scores["nlpd"][scored], direct(NLPD(), usable))
    assert scores["mse"].notna().tolist() == [True, False, False, False, False, True, True]
    assert scores["nlpd"].notna().tolist() == [True, False, False, False, False, False, True]
    assert err.startswith("note: 4 of 9 files cannot be used:\n  line 3")
    assert "note: left empty: nlpd: The image has 64 bands and 4 frames" in err
    assert "[line 7]" in err


def test_learning_leaves_unusable_pairs_out(run, read_scores, mixed, files):
    _, out, _ = run("score", mixed, "--metric", "nlpd-ones", "--on-error", "nan", *FRONT_END)
    scores = read_scores(StringIO(out))["nlpd-ones"]
    expected = direct(NLPD(normalization="ones"), files.iloc[[0, 3]])
    np.testing.assert_array_equal(scores[[0, 6]], expected)


@pytest.mark.parametrize("metric", ["mse", "nlpd-ones"])
def test_no_pair_at_all(metric, run, sounds, tmp_path):
    path = write(sounds / "none.csv", "reference,degraded", "gone.wav,one.wav")
    arguments = ["--metric", metric, "--on-error", "nan", "-o", tmp_path / "out.csv"]
    status, _, err = run("score", path, *arguments)
    assert status == 2
    assert "skperceptual: error: no pair of the table can be scored." in err
    path = write(sounds / "none.csv", "reference,degraded", "two.wav,two_short.wav")
    status, _, err = run("score", path, *arguments, "--n-fft", "4096")
    assert status == 2
    assert "2000 samples, but this step needs at least 4096" in err
    assert not (tmp_path / "out.csv").exists()


def test_file_that_breaks_where_the_header_does_not_tell(run, shared, sounds):
    path = next(iter(sorted((shared / "data" / "speech").glob("*.flac"))))
    content = path.read_bytes()
    (sounds / "broken.flac").write_bytes(content[: len(content) // 2])
    table = write(
        sounds / "b.csv", "reference,degraded", "one.wav,one_1.wav", f"{path},broken.flac"
    )
    status, _, err = run("score", table, "--metric", "mse")
    assert status == 2
    assert "broken.flac" in err
    assert "[line 3]" in err
    status, out, err = run("score", table, "--metric", "mse", "--on-error", "nan")
    assert status == 0
    assert [bool(line.rpartition(",")[2]) for line in out.splitlines()] == [True, True, False]


def test_warnings_name_lines_and_are_told_once(run, sounds):
    rows = [
        "one.wav,one_1.wav",
        "silent.wav,one_1.wav",
        "two.wav,two_1.wav",
        "silent.wav,one_2.wav",
    ]
    path = write(sounds / "silent.csv", "reference,degraded", *rows)
    status, _, err = run("score", path, "--metric", "mse", "--metric", "ssim")
    assert status == 0
    (note,) = err.splitlines()
    assert note.startswith("note: The reference image is constant in 2 of 4 pairs (line 3 is the")
    assert note.endswith("[lines 3, 5]")


def test_pairs_of_different_length_are_told(run, sounds):
    rows = ["one.wav,one_1.wav", "two.wav,two_short.wav", "two_short.wav,two.wav"]
    path = write(sounds / "unequal.csv", "reference,degraded", *rows)
    _, _, err = run("score", path, "--metric", "mse")
    assert "2 of 3 pairs differ in length by more than 50 ms" in err
    assert "(lines 3, 4)" in err


def test_a_bug_keeps_its_traceback(run, table, tmp_path, monkeypatch):
    monkeypatch.setattr(MSE, "transform", lambda self, X: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("score", table, "--metric", "mse", "-o", tmp_path / "out.csv")
    assert not [path for path in tmp_path.iterdir() if "out.csv" in path.name]


# ---- the output ---------------------------------------------------------------------------


def test_output_is_there_whole_or_not_at_all(run, table, tmp_path, monkeypatch):
    output = write(tmp_path / "out.csv", "of another day")
    folder = set(tmp_path.iterdir())
    seen = []

    def interrupt(*args):
        seen.extend(set(tmp_path.iterdir()) - folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scoring, "score_pairs", interrupt)
        assert run("score", table, "--metric", "mse", "-o", output)[0] == 130
    # it was known beforehand that there is a place for the result
    assert sorted(path.name for path in seen) == [".out.csv.lock", "out.csv.part"]
    assert set(tmp_path.iterdir()) == folder
    assert output.read_text(encoding="utf-8") == "of another day\n"
    assert run("score", table, "--metric", "mse", "-o", output)[0] == 0
    assert len(pd.read_csv(output)) == 6
    assert set(tmp_path.iterdir()) == folder


def test_output_has_the_permissions_of_any_new_file(run, table, tmp_path):
    run("score", table, "--metric", "mse", "-o", tmp_path / "out.csv")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (table, tmp_path / "out.csv")]
    assert modes[0] == modes[1]


def test_link_is_followed(run, table, tmp_path):
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert run("score", table, "--metric", "mse", "-o", tmp_path / "link.csv")[0] == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len(pd.read_csv(tmp_path / "real.csv")) == 6


def test_what_is_no_file_is_written_to_and_not_replaced(run, table):
    assert run("score", table, "--metric", "mse", "-o", os.devnull)[0] == 0
    assert not Path(os.devnull).is_file()


def test_output_that_cannot_be(run, table, tmp_path):
    before = table.read_bytes()
    (tmp_path / "link.csv").symlink_to(table)
    for output, complaint in (
        (table, "would replace the table"),
        (tmp_path / "link.csv", "would replace the table"),
        (tmp_path / "no" / "out.csv", "/no/out.csv' does not exist. Make it first."),
        (tmp_path, "Is a directory"),
    ):
        status, _, err = run("score", table, "--metric", "mse", "-o", output)
        assert status == 2
        assert complaint in err
        assert len(err.splitlines()) == 1
    assert table.read_bytes() == before
    status, _, err = run("score", table, "--metric", "mse", "--folder", tmp_path / "no")
    assert (status, err) == (
        2, f"skperceptual: error: there is no folder '{tmp_path}/no', which --folder names.\n"
    )  # fmt: skip


# ---- as a program -------------------------------------------------------------------------


def test_progress_on_a_terminal_alone(run, table, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    output = tmp_path / "out.csv"
    assert "6/6" in run("score", table, "--metric", "mse", "-o", output)[2]
    assert run("score", table, "--metric", "mse", "-o", output, "--quiet")[2] == ""


def test_messages_are_pickled_for_other_processes(table, files):
    # an error in a worker must not become an error of its own on the way back
    import pickle

    metrics = score_table.make_metrics(["mse"], score_table.Reading())
    pairs = [tuple(files.iloc[0]), ("gone.wav", "gone.wav")]
    scores = scoring.score_pairs(pickle.loads(pickle.dumps(metrics)), pairs)
    assert pickle.loads(pickle.dumps(scores)).messages == scores.messages
    assert [message.row for message in scores.messages] == [1]
