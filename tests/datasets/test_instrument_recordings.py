"""Tables of recordings of instruments: what they hold, and every way to get them wrong."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, strategies as st
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import LoadAudio, Spectrogram, Vectorizer
from skperceptual.datasets import load_instrument_recordings
from skperceptual.io import AudioFileError

INSTRUMENTS = {"Tyrolean": "old", "Cremonese": "old", "No. 7": "new", "No. 8": "new"}
PIECES = ("suite", "scale")


def write(path, *, seconds=0.5, sr=16000, seed=0, n_channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, (round(seconds * sr), n_channels))
    soundfile.write(path, samples, sr)
    return str(path)


@pytest.fixture
def folder(tmp_path):
    """Four instruments with two pieces each, and no table yet."""
    for seed, name in enumerate(INSTRUMENTS):
        for place, piece in enumerate(PIECES):
            write(tmp_path / f"audio/{name}, {piece}.wav", seed=10 * seed + place)
    return tmp_path


def table():
    rows = [
        (f"audio/{name}, {piece}.wav", name, quality, piece)
        for name, quality in INSTRUMENTS.items()
        for piece in PIECES
    ]
    return pd.DataFrame(rows, columns=["file", "instrument", "quality", "piece"])


def refusal(*args, error=ValueError, **options):
    with pytest.raises(error) as caught:
        load_instrument_recordings(*args, **options)
    return str(caught.value)


def test_csv_with_relative_names(folder):
    expected = table()
    expected.to_csv(folder / "cellos.csv", index=False)
    data = load_instrument_recordings(folder / "cellos.csv", piece="piece")
    assert list(data.signals) == ["file"]
    assert data.signals["file"][0] == str(folder / "audio/Tyrolean, suite.wav")
    assert_array_equal(data.target, expected["quality"])
    assert data.target.dtype.kind == "U"
    assert_array_equal(data.groups, expected["instrument"])
    assert_array_equal(data.piece, expected["piece"])
    assert data.sr == 16000
    pd.testing.assert_frame_equal(
        data.frame[list(expected)], expected, check_dtype=False, check_column_type=False
    )
    assert set(data.frame["duration_seconds"]) == {0.5}
    assert set(data.frame["sr"]) == {16000}
    assert set(data.frame["channels"]) == {1}
    assert set(data.frame["format"]) == {"WAV"}
    assert data.DESCR == (
        "Recordings of cellos.csv\n"
        "------------------------\n"
        "8 recordings of 4 instruments (column 'instrument').\n"
        "Pieces: 2 (column 'piece').\n"
        "Classes (column 'quality'): new (4 recordings of 2 instruments), old (4 recordings of 2 "
        "instruments).\n"
        "Recordings: 8 files of 0.500 to 0.500 s, 0.1 min in all; 16000 Hz; mono; WAV.\n"
        "All 8 rows of the table are here.\n"
    )


def test_columns_of_other_names_semicolons_and_decimal_commas(folder):
    rows = [f"{name};{row.file};4,{place}" for place, (name, row) in enumerate(
        zip(table()["instrument"], table().itertuples(), strict=True)
    )]  # fmt: skip
    (folder / "t.csv").write_text("Cello;Datei;Note\n" + "\n".join(rows))
    data = load_instrument_recordings(
        folder / "t.csv", file="Datei", instrument="Cello", quality="Note"
    )
    assert data.target.dtype == np.float64
    np.testing.assert_allclose(data.target, 4 + np.arange(8) / 10)
    assert data.piece is None
    assert "Ratings (column 'Note'): 4 to 4.7." in data.DESCR


@pytest.mark.parametrize(
    ("cells", "kind", "described"),
    [
        (["old", "new"] * 4, "U", "Classes"),
        ([0, 1] * 4, "i", "Classes"),
        (["0", "1.0"] * 4, "i", "Classes"),
        ([True, False] * 4, "i", "Classes"),
        ([0.5, 1.5] * 4, "f", "Classes"),
        ([1, 2, 3, 4] * 2, "i", "Ratings"),
        ([1.5, 2, 3, 4] * 2, "f", "Ratings"),
        (["NA", "None"] * 4, "U", "Classes"),
        (["1", "old"] * 4, "U", "Classes"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*in several classes", "ignore:.*taken for names of classes")
def test_words_are_classes_and_numbers_are_numbers(folder, cells, kind, described):
    own = table().assign(quality=cells)
    own.to_csv(folder / "t.csv", index=False)
    for data in (
        load_instrument_recordings(folder / "t.csv"),
        load_instrument_recordings(own, folder=folder),
    ):
        assert data.target.dtype.kind == kind
        assert described in data.DESCR
        assert_array_equal(
            data.target.astype(str) if kind == "U" else data.target,
            [str(cell) for cell in cells] if kind == "U" else np.array(cells).astype(float),
        )


@pytest.mark.parametrize("missing", ["NA", "n/a", ""])
@pytest.mark.parametrize("numbers", [["4.5", "3.5", "0"], ["4,5", "3,5", "0"], ["0", "0", "0"]])
def test_among_numbers_na_is_a_missing_one(folder, missing, numbers):
    cells = [numbers[0], missing, *numbers[1:]]
    rows = [f"{name};{name};{cell}" for name, cell in zip(table()["file"], cells, strict=False)]
    (folder / "t.csv").write_text("file;instrument;quality\n" + "\n".join(rows))
    with pytest.warns(UserWarning, match="1 of 4 rows left out") as caught:
        data = load_instrument_recordings(folder / "t.csv")
    assert len(caught) == 1
    np.testing.assert_allclose(data.target, [float(n.replace(",", ".")) for n in numbers])


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["4.5", "3.5x", "3", "2"] * 2, r"2 of 8 cells.*\n  row 1: '3.5x'\n"),
        ([4.5, np.inf, 3.0, 2.0] * 2, "2 of 8 cells.*\n  row 1: inf\n"),
        (["4,5", "3,5", "3,0", "2,0"] * 2, "8 of 8 cells.*\n.*'4,5'"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*in several classes")
def test_ratings_that_would_pass_for_words_are_told(folder, cells, told):
    with pytest.warns(UserWarning, match=told) as caught:
        data = load_instrument_recordings(table().assign(quality=cells), folder=folder)
    assert data.target.dtype.kind == "U"
    assert "taken for names of classes" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_labels_of_several_types_can_be_sorted(folder):
    own = table().assign(instrument=["a", "a", 7, "7", "c", "c", 8.5, 8.5])
    data = load_instrument_recordings(own, folder=folder)
    assert np.unique(data.groups).tolist() == ["7", "8.5", "a", "c"]


def test_numbers_too_large_for_int_stay_float(folder):
    data = load_instrument_recordings(table().assign(quality=[1e30, 2, 3, 4] * 2), folder=folder)
    assert data.target.max() == 1e30


def test_a_data_frame_may_stand_in(folder):
    own = table().set_index(pd.Index(list("abcdefgh")))
    data = load_instrument_recordings(own, folder=folder)
    assert data.DESCR.startswith("A table of recordings\n")
    own.loc["c", "file"] = "gone.wav"
    message = refusal(own, folder=folder, error=AudioFileError)
    assert "1 of 8 rows names a file that cannot be used" in message
    assert "row 'c': " in message
    assert "does not exist" in message


def test_columns_of_the_table_do_not_get_in_the_way_of_the_headers(folder):
    own = table().rename(columns={"instrument": "format", "piece": "channels"})
    data = load_instrument_recordings(own, instrument="format", piece="channels", folder=folder)
    assert_array_equal(data.groups, table()["instrument"])
    assert_array_equal(data.piece, table()["piece"])
    assert set(data.frame["format"]) == {"WAV"}


def test_pipelines_take_it_as_it_is(folder):
    data = load_instrument_recordings(table(), folder=folder)
    model = make_pipeline(
        LoadAudio(duration_seconds=0.4),
        Spectrogram(output="db"),
        Vectorizer(),
        LogisticRegression(),
    )
    scores = cross_val_score(model, data.signals, data.target, groups=data.groups, cv=GroupKFold(2))
    assert scores.shape == (2,)


def test_unusable_files_are_listed_or_left_out(folder):
    (folder / "audio/No. 7, suite.wav").write_bytes(b"no audio at all")
    own = table()
    own.loc[0, "file"] = "gone.wav"
    own.loc[7, "file"] = ""
    own.to_csv(folder / "t.csv", index=False)
    with pytest.raises(AudioFileError) as caught:
        load_instrument_recordings(folder / "t.csv")
    message = str(caught.value)
    assert "3 of 8 rows name files that cannot be used" in message
    assert "line 2: " in message
    assert "line 9: no file is named" in message
    assert caught.value.rows == (0, 4, 7)
    with pytest.warns(UserWarning, match="3 of 8 rows name files.*\n.*\n.*\n.*\nThese rows"):
        data = load_instrument_recordings(folder / "t.csv", unusable_files="exclude")
    assert len(data.target) == 5
    assert "Left out of the 8 rows of the table: 3 with files that cannot be used." in data.DESCR


def test_rows_that_name_no_file_are_listed_one_by_one(folder):
    own = table().set_index(pd.Index(list("aabbccdd")))
    own.iloc[[0, 1], 0] = None
    message = refusal(own, folder=folder, error=AudioFileError)
    assert message.count("row 'a': no file is named") == 2


def test_a_wrong_folder_is_named(folder, tmp_path_factory):
    message = refusal(table(), folder=tmp_path_factory.mktemp("empty"), error=AudioFileError)
    assert "None of the files is there. Relative names start from" in message


def test_rows_without_quality_are_left_out(folder):
    own = table()
    own.loc[[1, 6], "quality"] = [np.nan, " "]
    with pytest.warns(UserWarning, match="2 of 8 rows left out, as the column 'quality' is empty"):
        data = load_instrument_recordings(own, folder=folder)
    assert len(data.target) == 6
    assert set(data.target) == {"old", "new"}
    assert "The column 'quality' is empty" in refusal(own.assign(quality=np.nan), folder=folder)


def test_short_recordings_are_left_out(folder):
    write(folder / "audio/Tyrolean, suite.wav", seconds=0.2)
    data = load_instrument_recordings(table(), folder=folder, min_duration_seconds=0.4)
    assert len(data.target) == 7
    assert "1 shorter than 0.4 s" in data.DESCR
    message = refusal(table(), folder=folder, min_duration_seconds=3)
    assert "No recording is left" in message


def test_one_instrument_a_class_is_said(folder):
    own = table()[lambda rows: rows["instrument"].isin(["Tyrolean", "No. 7"])]
    data = load_instrument_recordings(own, folder=folder)
    assert "quality cannot be told from identity" in data.DESCR


def test_an_instrument_of_two_classes_is_told(folder):
    own = table()
    own.loc[0, "quality"] = "new"
    with pytest.warns(UserWarning, match="1 of 4 instruments in several classes") as caught:
        load_instrument_recordings(own, folder=folder)
    assert "'Tyrolean': 'new', 'old'" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_ratings_of_one_instrument_may_differ(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_instrument_recordings(table().assign(quality=range(8)), folder=folder)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sr": 44100}, "sr: 'new': 44100; 'old': 16000"),
        ({"n_channels": 2}, "channels: 'new': 2; 'old': 1"),
    ],
)
def test_classes_recorded_in_ways_of_their_own_are_told(folder, options, told):
    for name in ("No. 7", "No. 8"):
        for piece in PIECES:
            write(folder / f"audio/{name}, {piece}.wav", **options)
    with pytest.warns(UserWarning, match="recorded in ways of their own") as caught:
        load_instrument_recordings(table(), folder=folder)
    assert told in str(caught[0].message)
    write(folder / "audio/Tyrolean, scale.wav", **options)  # shared by both classes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_instrument_recordings(table(), folder=folder)


def test_a_file_in_two_rows_is_refused(folder):
    own = table()
    own.loc[3, "file"] = "audio/../audio/Tyrolean, suite.wav"
    message = refusal(own, folder=folder)
    assert "1 file of 7 stands in several rows" in message
    assert "row 0, row 3" in message


@pytest.mark.parametrize("column", ["instrument", "piece"])
@pytest.mark.parametrize("cell", [np.nan, " "])
def test_empty_labels_are_refused(folder, column, cell):
    own = table()
    own.loc[2, column] = cell
    assert f"The column '{column}' is empty in 1 row" in refusal(own, folder=folder, piece="piece")


def test_missing_columns_are_named(folder):
    own = table().rename(columns={"quality": "Quality class"})
    message = refusal(own, folder=folder)
    assert "no column 'quality' (did you mean 'Quality class'?)" in message
    assert "file=, instrument=, quality=, piece=" in message
    assert "Expected columns that differ" in refusal(own, quality="file", folder=folder)
    assert "no rows" in refusal(table()[:0], folder=folder)


def test_what_is_no_table_says_how_to_load_it(folder):
    (folder / "t.csv").write_bytes("file,instrument,quality\naudio/Zürich.wav,a,b".encode("cp1252"))
    message = refusal(folder / "t.csv")
    assert "or pass load_instrument_recordings, with folder=" in message
    with pytest.raises(FileNotFoundError):
        load_instrument_recordings(folder / "nothing.csv")


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else_happens(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "garbage.csv"
    path.write_bytes(b"file,instrument,quality\n" + data)
    with warnings.catch_warnings(), contextlib.suppress(ValueError):
        warnings.simplefilter("ignore")
        load_instrument_recordings(path)
