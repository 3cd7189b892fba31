"""Tables of rated pairs: every way in which people write them, and get them wrong."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import os
import shutil
import threading
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, strategies as st
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skperceptual import MSE, LoadAudio, MelSpectrogram, NLPDRegressor, RatingMapping
from skperceptual.datasets import csv_table, load_rated_pairs
from skperceptual.datasets.csv_table import read_csv_table
from skperceptual.io import AudioFileError
from skperceptual.metrics import spearman_scorer

N_SONGS, N_SEVERITIES = 3, 3
PLAIN = "reference,degraded,rating\n"


def write(path, seconds=0.1, sr=16000, *, seed=0, n_channels=1, level=0.3):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    soundfile.write(path, rng.uniform(-level, level, (round(seconds * sr), n_channels)), sr)
    return str(path)


@pytest.fixture
def folder(tmp_path):
    """Three songs, each degraded at three severities, and no table yet."""
    for song in range(N_SONGS):
        clean = np.random.default_rng(song).uniform(-0.3, 0.3, 3200)
        (tmp_path / "audio").mkdir(exist_ok=True)
        soundfile.write(tmp_path / f"audio/song{song}.wav", clean, 16000)
        for severity in range(1, N_SEVERITIES + 1):
            noise = np.random.default_rng(10 * song + severity).uniform(-0.3, 0.3, 3200)
            degraded = clean + 0.2 * severity * noise
            soundfile.write(tmp_path / f"audio/song{song}_{severity}.wav", degraded, 16000)
    return tmp_path


def table(*, hidden=False):
    rows = [
        (f"audio/song{song}.wav", f"audio/song{song}_{severity}.wav", 5.5 - severity, song)
        for song in range(N_SONGS)
        for severity in range(1, N_SEVERITIES + 1)
    ]
    if hidden:
        rows += [(f"audio/song{song}.wav", f"audio/song{song}.wav", 5, song) for song in range(3)]
    return pd.DataFrame(rows, columns=["reference", "degraded", "rating", "song"])


def save(folder, text, *, encoding="utf-8"):
    path = folder / "ratings.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def refusal(*args, error=ValueError, **options):
    with pytest.raises(error) as caught:
        load_rated_pairs(*args, **options)
    return str(caught.value)


# --- what comes out ------------------------------------------------------------------------


def test_csv_with_relative_names(folder):
    expected = table()
    expected.to_csv(folder / "ratings.csv", index=False)
    data = load_rated_pairs(folder / "ratings.csv", group="song", scale=(1, 5))
    assert list(data.pairs) == ["reference", "degraded"]
    assert data.pairs.iloc[4].tolist() == [
        str(folder / "audio/song1.wav"),
        str(folder / "audio/song1_2.wav"),
    ]
    assert all(type(name) is str for name in data.pairs.to_numpy().ravel())
    assert data.target.dtype == np.float64
    assert_array_equal(data.target, expected["rating"])
    assert_array_equal(data.groups, expected["song"])
    assert data.condition is None
    assert data.sr == 16000
    pd.testing.assert_frame_equal(
        data.frame[list(expected)], expected, check_dtype=False, check_column_type=False
    )
    for side in ("reference", "degraded"):
        assert set(data.frame[f"{side}_duration_seconds"]) == {0.2}
        assert set(data.frame[f"{side}_sr"]) == {16000}
        assert set(data.frame[f"{side}_channels"]) == {1}


def test_description_says_what_there_is_and_what_was_left_out(folder):
    rated = table(hidden=True)
    rated.loc[[1, 5], "rating"] = np.nan
    rated["kind"] = ["mild", "medium", "strong"] * 4
    rated.to_csv(folder / "ratings.csv", index=False)
    with pytest.warns(UserWarning, match="no|empty") as caught:
        data = load_rated_pairs(folder / "ratings.csv", condition="kind", scale=(1, 5))
    assert len(caught) == 1
    assert data.DESCR == (
        "Rated pairs of ratings.csv\n"
        "--------------------------\n"
        "7 pairs of 3 references.\n"
        "Groups: 3 (the references).\n"
        "Conditions: 3 (column 'kind').\n"
        "Ratings (column 'rating'): 2.5 to 4.5, mean 3.643, on a scale from 1 to 5.\n"
        "Recordings: 10 files of 0.200 to 0.200 s, 0.0 min in all; 16000 Hz; mono; WAV.\n"
        "Left out of the 12 rows of the table: 2 without a rating; 3 with a hidden reference (the "
        "degraded file is the reference).\n"
    )
    assert_array_equal(
        data.condition, ["mild", "strong", "mild", "medium", "mild", "medium", "strong"]
    )
    data = load_rated_pairs(table(), folder=folder)
    assert data.DESCR.startswith("A table of rated pairs\n----------------------\n9 pairs of 3 ref")
    assert data.DESCR.endswith("All 9 rows of the table are here.\n")


def test_dataframe_starts_from_the_current_folder_and_stays_as_it_is(folder, monkeypatch):
    rated = table().set_index(pd.Index(list("abcdefghi")))
    rated["reference"] = [Path(name) for name in rated["reference"]]
    before = rated.copy()
    monkeypatch.chdir(folder)
    data = load_rated_pairs(rated)
    assert data.pairs.loc[0, "degraded"] == str(folder / "audio/song0_1.wav")
    assert data.groups[0] == "audio/song0.wav"
    assert list(data.frame.index) == list(range(9))
    pd.testing.assert_frame_equal(rated, before)
    monkeypatch.chdir("/")
    assert data.pairs.equals(load_rated_pairs(rated, folder=folder).pairs)
    assert "row 'b', degraded: " in refusal(rated, folder=folder / "audio", error=AudioFileError)


def test_folder_may_be_relative_and_names_absolute(folder, monkeypatch):
    rated = table()
    rated.loc[0, "degraded"] = str(folder / "audio/song0_1.wav")
    rated.loc[1, "degraded"] = "audio/../audio/song0_2.wav"
    monkeypatch.chdir(folder.parent)
    data = load_rated_pairs(rated, folder=folder.name)
    assert data.pairs["degraded"].tolist()[:3] == [
        str(folder / "audio/song0_1.wav"),
        str(folder / "audio/../audio/song0_2.wav"),
        str(folder / "audio/song0_3.wav"),
    ]


def test_frame_written_and_read_again_gives_the_same(folder):
    data = load_rated_pairs(table(), folder=folder)
    data.frame.to_csv(folder / "again.csv", index=False)
    again = load_rated_pairs(folder / "again.csv")
    assert again.pairs.equals(data.pairs)
    assert_array_equal(again.target, data.target)
    pd.testing.assert_frame_equal(again.frame, data.frame, check_dtype=False)


def test_without_a_group_column_the_reference_is_the_group(folder):
    rated = table()
    rated.loc[1, "reference"] = "./audio/song0.wav"
    rated.loc[2, "reference"] = str(folder / "audio/song0.wav")
    (folder / "link.wav").symlink_to(folder / "audio/song0.wav")
    rated.loc[3, "reference"] = "link.wav"
    data = load_rated_pairs(rated, folder=folder)
    assert_array_equal(data.groups[:4], ["audio/song0.wav"] * 4)
    assert_array_equal(data.groups[4:6], ["audio/song1.wav"] * 2)
    assert data.groups.dtype == object


def test_files_of_several_kinds(folder):
    write(folder / "stereo.flac", 0.2, 44100, n_channels=2)
    rated = table().head(2)
    rated.loc[1, "degraded"] = "stereo.flac"
    data = load_rated_pairs(rated, folder=folder)
    assert data.sr is None
    assert data.frame["degraded_sr"].tolist() == [16000, 44100]
    assert data.frame["degraded_channels"].tolist() == [1, 2]
    assert "16000 Hz (2), 44100 Hz (1); mono (2), stereo (1); WAV (2), FLAC (1)." in data.DESCR


def test_only_headers_are_read_each_once(folder, monkeypatch):
    counts = {}
    original = csv_table_headers().read_header

    def counting(path):
        counts[Path(path).name] = counts.get(Path(path).name, 0) + 1
        return original(path)

    monkeypatch.setattr(csv_table_headers(), "read_header", counting)
    monkeypatch.setattr(soundfile.SoundFile, "read", None)
    for n_jobs in (None, 2):
        counts.clear()
        load_rated_pairs(table(hidden=True), folder=folder, n_jobs=n_jobs)
        assert set(counts.values()) == {1}
        assert len(counts) == N_SONGS * (1 + N_SEVERITIES)


def csv_table_headers():
    from skperceptual.datasets import file_headers

    return file_headers


def test_headers_are_read_at_the_same_time(folder, monkeypatch):
    both_here = threading.Barrier(2, timeout=20)
    original = csv_table_headers().read_header

    def waiting(path):
        both_here.wait()
        return original(path)

    monkeypatch.setattr(csv_table_headers(), "read_header", waiting)
    assert len(load_rated_pairs(table().head(1), folder=folder, n_jobs=2).pairs) == 1


def test_verbose_shows_progress(folder, capsys):
    load_rated_pairs(table(), folder=folder)
    assert capsys.readouterr().err == ""
    load_rated_pairs(table(), folder=folder, verbose=1)
    assert "12/12" in capsys.readouterr().err


# --- CSV as people write it ----------------------------------------------------------------


def excel(separator, decimal, line_end, bom):
    lines = [["Ref. File ", "Datei", " MOS", "Bemerkung"]]
    lines += [
        [row.reference, row.degraded, f"{row.rating:.1f}", 'sagt "gut"; na, ja']
        for row in table().itertuples()
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=line_end).writerows(
        [
            cell.replace(".", decimal) if place == 2 and row else cell
            for place, cell in enumerate(cells)
        ]
        for row, cells in enumerate(lines)
    )
    return bom + text.getvalue()


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("separator", "decimal"),
    [(",", "."), (";", ","), (";", "."), ("\t", ","), ("|", "."), (",", ",")],
)
def test_separators_decimals_and_line_ends(folder, separator, decimal, line_end, bom):
    path = save(folder, excel(separator, decimal, line_end, bom))
    data = load_rated_pairs(path, reference="Ref. File", degraded="Datei", rating="MOS")
    assert_array_equal(data.target, table()["rating"])
    assert data.frame["Bemerkung"].iloc[0] == 'sagt "gut"; na, ja'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings_with_a_mark(folder, encoding):
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    shutil.copy(folder / "audio/song0_1.wav", folder / "Müllers Stück.wav")
    text = "reference\tdegraded\trating\r\naudio/song0.wav\tMüllers Stück.wav\t3,5\r\n"
    path = save(folder, marks.get(encoding, b"") + text.encode(encoding))
    data = load_rated_pairs(path)
    assert data.target.tolist() == [3.5]
    assert Path(data.pairs.loc[0, "degraded"]).name == "Müllers Stück.wav"


def test_separator_named_in_the_first_line(folder):
    for first in ("sep=;", '"sep=;"'):
        path = save(folder, f"{first}\r\nreference;degraded;rating\r\naudio/song0.wav;a.wav;3\r\n")
        assert "line 3, degraded: " in refusal(path)


def test_separator_is_the_one_that_finds_the_columns(folder):
    header = "reference;degraded;rating;level, peak, dB\n"
    path = save(folder, header + "audio/song0.wav;audio/song0_1.wav;3;1, 2, 3\n")
    assert load_rated_pairs(path).target.tolist() == [3.0]


def test_blank_lines_cells_and_columns_of_spreadsheets(folder):
    text = (
        "\n"
        "reference, degraded, rating, cond,,\n"
        " audio/song0.wav , audio/song0_1.wav, 3.5 ,1,,\n"
        ",,,,,\n"
        "\n"
        'audio/song0.wav,"audio/song0_2.wav", 2,2\n'
        ",,,,,\n"
    )
    data = load_rated_pairs(save(folder, text), condition="cond")
    assert data.target.tolist() == [3.5, 2]
    assert data.condition.tolist() == [1, 2]
    assert np.issubdtype(data.condition.dtype, np.integer)
    assert "line 3, degraded" in refusal(save(folder, text.replace("_1", "_7")))
    assert "line 6, degraded" in refusal(save(folder, text.replace("_2", "_7")))


def test_quoted_cells_may_hold_line_ends(folder):
    text = (
        'reference,degraded,rating,"what\nwas said"\n'
        'audio/song0.wav,audio/song0_1.wav,3,"first\nsecond"\naudio/song0.wav,none.wav,3,\n'
    )
    assert "line 5, degraded" in refusal(save(folder, text))
    data = load_rated_pairs(save(folder, text.replace("none", "audio/song0_2")))
    assert data.frame["what\nwas said"].iloc[0] == "first\nsecond"


def test_labels_are_what_is_written(folder):
    text = PLAIN.replace("rating", "rating,cond,extra")
    for row, label in enumerate(("None", "NA", "null"), start=1):
        text += f"audio/song0.wav,audio/song0_{row}.wav,3,{label},{label}\n"
    data = load_rated_pairs(save(folder, text), condition="cond")
    assert data.condition.tolist() == ["None", "NA", "null"]
    assert data.frame["extra"].isna().all()


def test_file_names_that_look_like_numbers_or_nothing(folder):
    for name in ("007", "NA"):
        shutil.copy(folder / "audio/song0_1.wav", folder / name)
    text = PLAIN + "audio/song0.wav,007,3\naudio/song0.wav,NA,2\n"
    data = load_rated_pairs(save(folder, text))
    assert data.pairs["degraded"].tolist() == [str(folder / "007"), str(folder / "NA")]


def test_names_of_another_system(folder):
    text = PLAIN + "audio\\song0.wav,.\\audio\\song0_1.wav,3\n"
    data = load_rated_pairs(save(folder, text))
    assert data.pairs.iloc[0].tolist() == [
        str(folder / "audio/song0.wav"),
        str(folder / "audio/song0_1.wav"),
    ]
    shutil.copy(folder / "audio/song0_2.wav", folder / "audio\\song0.wav")
    data = load_rated_pairs(save(folder, text))
    assert data.pairs.loc[0, "reference"] == str(folder / "audio\\song0.wav")


def test_missing_ratings_in_the_words_of_many_programs(folder):
    words = ["", "NA", "n/a", "NaN", "NULL", "#N/A", "3"]
    rows = [
        f"audio/song{i % 3}.wav,audio/song{i % 3}_{i // 3 + 1}.wav,{w}\n"
        for i, w in enumerate(words)
    ]
    with pytest.warns(UserWarning, match=r"6 of 7 rows left out.*'rating'.*\n  line 2\n  line 3"):
        data = load_rated_pairs(save(folder, PLAIN + "".join(rows)))
    assert data.target.tolist() == [3.0]


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(',;\t|"\n'), max_size=6
).map(lambda cell: cell.strip().replace("\r", ""))
RATINGS = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(
    rows=st.lists(st.tuples(CELLS.filter(bool), CELLS.filter(bool), RATINGS, CELLS), min_size=1),
    separator=st.sampled_from(",;\t|"),
    decimal=st.sampled_from(".,"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_tables_written_by_pandas_come_back(
    tmp_path_factory, rows, separator, decimal, line_end, encoding, quoting
):
    names = ["a file", "another", "MOS (1-5)", "label"]
    frame = pd.DataFrame(rows, columns=names)
    path = tmp_path_factory.getbasetemp() / "round_trip.csv"
    frame.to_csv(
        path,
        index=False,
        sep=separator,
        decimal=decimal,
        lineterminator=line_end,
        encoding=encoding,
        quoting=quoting,
    )
    read, lines = read_csv_table(path, names=names[:2], labels=names[3:], rating=names[2])
    assert lines == sorted(lines)
    assert len(lines) == len(rows)
    for name in names[:2]:
        assert read[name].tolist() == frame[name].tolist()
    # Old versions of pandas miss the last bit.
    np.testing.assert_allclose(read[names[2]], frame[names[2]], rtol=1e-15)
    missing = read["label"].isna()
    assert missing.tolist() == [label == "" for label in frame["label"]]


def test_random_bytes_are_read_or_refused(tmp_path):
    @given(st.binary(max_size=60), st.sampled_from([b"", PLAIN.encode(), codecs.BOM_UTF16_LE]))
    def check(data, start):
        path = tmp_path / "random.csv"
        path.write_bytes(start + data)
        with contextlib.suppress(ValueError):
            table, lines = read_csv_table(
                path, names=["reference", "degraded"], labels=[], rating="rating"
            )
            assert len(table) == len(lines)

    check()


# --- hidden references, repeated pairs, groups, lengths -------------------------------------


def test_hidden_references_are_left_out_unless_included(folder):
    rated = table(hidden=True)
    shutil.copy(folder / "audio/song0.wav", folder / "copy.wav")
    rated.loc[9, "degraded"] = "copy.wav"
    rated.loc[10, "degraded"] = "audio/../audio/song1.wav"
    data = load_rated_pairs(rated, folder=folder)
    assert len(data.pairs) == len(data.target) == len(data.groups) == len(data.frame) == 9
    assert "3 with a hidden reference" in data.DESCR
    data = load_rated_pairs(rated, folder=folder, hidden_references="include")
    assert len(data.pairs) == 12
    assert "12 pairs of 3 references, 3 of them hidden references.\n" in data.DESCR


def test_files_of_the_same_size_are_no_copies(folder):
    sizes = {path.stat().st_size for path in (folder / "audio").iterdir()}
    assert len(sizes) == 1
    assert len(load_rated_pairs(table(), folder=folder).pairs) == 9


def test_nothing_but_hidden_references(folder):
    message = refusal(table(hidden=True).tail(3), folder=folder)
    assert message == (
        "No pair is left. Left out of the 3 rows of the table: 3 with a hidden reference (the "
        "degraded file is the reference)."
    )


def votes():
    rated = pd.concat([table().head(2).assign(listener=number) for number in range(7)])
    return rated.assign(rating=rated["rating"] - rated["listener"] / 10).reset_index(drop=True)


def test_votes_of_single_listeners_are_refused_with_the_way_to_average_them(folder):
    message = refusal(votes(), folder=folder, group="song")
    name = str(folder / "audio/song0_1.wav")
    assert message.startswith(
        f"2 pairs of 2 stand in several rows:\n  {name!r}: row 0, row 2, row 4, row 6, row 8, ...\n"
    )
    code = "votes.groupby(['reference', 'degraded', 'song'], as_index=False)['rating'].mean()"
    assert code in message
    averaged = eval(code, {"votes": votes()})
    data = load_rated_pairs(averaged, folder=folder, group="song")
    np.testing.assert_allclose(data.target, [4.2, 3.2])


def test_repeated_pairs_can_be_kept(folder):
    data = load_rated_pairs(votes(), folder=folder, repeated_pairs="keep")
    assert_array_equal(data.target, votes()["rating"])


def test_reference_in_several_groups_is_reported(folder):
    rated = table().assign(half=["a"] * 5 + ["b"] * 4)
    with pytest.warns(UserWarning, match="1 of 3 references in several groups") as caught:
        load_rated_pairs(rated, folder=folder, group="half")
    assert f"{str(folder / 'audio/song1.wav')!r}: 'a', 'b'" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_rows_without_a_label_are_refused(folder):
    rated = table(hidden=True).assign(kind="noise")
    rated.loc[9:, "kind"] = None  # hidden references need none
    assert len(load_rated_pairs(rated, folder=folder, condition="kind").pairs) == 9
    rated.loc[[2, 4], "kind"] = [None, np.nan]
    message = refusal(rated, folder=folder, condition="kind")
    assert message.startswith("The column 'kind' is empty in 2 rows:\n  row 2\n  row 4\nFill")


def test_pairs_of_different_length_are_reported(folder):
    for name, seconds in {"long": 0.3, "little_longer": 0.24}.items():
        write(folder / f"{name}.wav", seconds)
    rated = table().head(2)
    rated["degraded"] = ["little_longer.wav", "long.wav"]
    with pytest.warns(UserWarning, match="length") as caught:
        load_rated_pairs(rated, folder=folder)
    assert str(caught[0].message).startswith(
        "1 of 2 pairs differ in length by more than 50 ms:\n"
        "  row 1: the reference lasts 0.200 s, the degraded file 0.300 s\n"
    )
    assert caught[0].filename == __file__


# --- what is refused -----------------------------------------------------------------------


def make_bad_files(folder):
    (folder / "folder.wav").mkdir()
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no audio, but text " * 50)
    soundfile.write(folder / "silent.wav", np.empty(0), 16000)
    whole = (folder / "audio/song0.wav").read_bytes()
    (folder / "cut.wav").write_bytes(whole[:1000])
    os.mkfifo(folder / "pipe.wav")
    return {
        "missing.wav": "does not exist",
        "folder.wav": "is a directory",
        "empty.wav": "is empty (0 bytes)",
        "text.wav": "is no audio file that libsndfile can read (Format not recognised)",
        "silent.wav": "holds no samples",
        "cut.wav": "is truncated: its last 5444 bytes are missing",
        "pipe.wav": "is not a regular file",
        "x" * 300 + ".wav": "cannot be opened (File name too long)",
    }


def test_all_files_that_cannot_be_used_are_named_at_once(folder):
    bad = make_bad_files(folder)
    rows = "".join(f"audio/song0.wav,{name},3\n" for name in bad)
    rows += "audio/song0.wav,audio/song0_1.wav,3\naudio/song0.wav,,3\n,audio/song0_2.wav,3\n"
    rows += "missing.wav,audio/song0_3.wav,2\n"
    path = save(folder, PLAIN + rows)
    with pytest.raises(AudioFileError) as caught:
        load_rated_pairs(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "11 of 12 rated rows name files that cannot be used:"
    assert (
        lines[1]
        == f"  line 2, degraded (and 1 more): {str(folder / 'missing.wav')!r} does not exist"
    )
    for number, (name, reason) in enumerate(list(bad.items())[1:], start=3):
        assert lines[number - 1] == f"  line {number}, degraded: {str(folder / name)!r} {reason}"
    assert lines[9:11] == [
        "  line 11, degraded: no file is named",
        "  line 12, reference: no file is named",
    ]
    assert "unusable_files='exclude'" in lines[11]
    assert len(lines) == 12
    assert caught.value.rows == (*range(8), 9, 10, 11)
    with pytest.warns(UserWarning, match="cannot be used") as warned:
        data = load_rated_pairs(path, unusable_files="exclude")
    assert str(warned[0].message).splitlines()[:11] == lines[:11]
    assert warned[0].filename == __file__
    assert data.pairs["degraded"].tolist() == [str(folder / "audio/song0_1.wav")]
    assert "11 with files that cannot be used" in data.DESCR
    kept = pd.read_csv(path).drop(index=list(caught.value.rows))
    assert load_rated_pairs(kept, folder=folder).pairs.equals(data.pairs)


def test_only_the_first_twenty_are_listed(folder):
    rows = "".join(f"audio/song0.wav,{number}.wav,3\n" for number in range(30))
    message = refusal(save(folder, PLAIN + rows))
    assert message.count("does not exist") == 20
    assert "\n  and 10 more files\n" in message


def test_wrong_folder_is_recognised(folder):
    path = save(folder, table().to_csv(index=False))
    advice = (
        f"None of the files is there. Relative names start from {str(folder / 'audio')!r}; `folder`"
    )
    assert advice in refusal(path, folder=folder / "audio")
    with pytest.raises(ValueError, match=r"No pair is left\. .*: 9 with files that cannot"):
        load_rated_pairs(path, folder=folder / "audio", unusable_files="exclude")
    rows = PLAIN + "audio/song0.wav,audio/song0_9.wav,3\n"
    assert "None of the files" not in refusal(save(folder, rows))


@pytest.mark.parametrize("cell", ["a\0.wav", 5, 2.5, ["a.wav"], b"a.wav"])
def test_cells_that_are_no_file_names(folder, cell):
    rated = table().head(3)
    rated["degraded"] = pd.Series(["audio/song0_1.wav", cell, cell], dtype=object)
    with pytest.raises(AudioFileError, match="2 of 3 rated rows") as caught:
        load_rated_pairs(rated, folder=folder)
    assert f"row 2, degraded: {cell!r} is no file name" in str(caught.value)


@pytest.mark.parametrize("cell", [None, np.nan, pd.NA, ""])
def test_empty_cells_in_dataframes(folder, cell):
    rated = table().head(2)
    rated["reference"] = pd.Series(["audio/song0.wav", cell], dtype=object)
    assert "row 1, reference: no file is named" in refusal(rated, folder=folder)


def test_unknown_columns_are_named_with_near_misses(folder):
    path = save(folder, "Reference,degraded,MOS_OVRL,MOS_SIG\na,b,3,3\n")
    message = refusal(path, rating="MOS")
    assert message == (
        "The table has no column 'reference' (did you mean 'Reference'?), 'MOS' (did you mean "
        "'MOS_SIG' or 'MOS_OVRL'?). Its columns are 'Reference', 'degraded', 'MOS_OVRL', "
        "'MOS_SIG'. Name those that hold the file names, ratings and labels: reference=, "
        "degraded=, rating=, group=, condition=."
    )
    options = {"reference": "Reference", "rating": "MOS_SIG"}
    assert "no column 'degrade' (did you mean 'degraded'?)." in refusal(
        path, **options, group="degrade"
    )
    assert "no column 'song'. Its" in refusal(path, **options, condition="song")
    assert "no column 'rating'. Its columns are 0, 1." in refusal(pd.DataFrame([[1, 2]])).replace(
        "'reference', 'degraded', ", ""
    )


def test_columns_of_the_same_name_are_refused_if_they_matter(folder):
    text = "reference,degraded,rating,rating,x,x\naudio/song0.wav,audio/song0_1.wav,3,4,5,6\n"
    message = refusal(save(folder, text))
    assert message == "The table has several columns called 'rating'. Rename all but one."
    data = load_rated_pairs(save(folder, text.replace("rating,rating", "rating,other")))
    assert data.frame[["x", "x.1"]].to_numpy().tolist() == [[5, 6]]
    assert "several columns called 'rating'" in refusal(
        pd.DataFrame([["a", "b", 1, 2]], columns=["reference", "degraded", "rating", "rating"])
    )


def test_ratings_that_are_no_numbers(folder):
    ratings = ["3", "good", "4,5", "2.5.1", "inf", "-", "3"]
    rows = [
        f"audio/song{i % 3}.wav;audio/song{i % 3}_{i // 3 + 1}.wav;{r}\n"
        for i, r in enumerate(ratings)
    ]
    message = refusal(save(folder, PLAIN.replace(",", ";") + "".join(rows)))
    assert message.startswith(
        "4 ratings in the column 'rating' are no finite numbers:\n"
        "  line 3: 'good'\n"
        "  line 5: '2.5.1'\n"
    )
    rated = table()
    rated["rating"] = "3,5"
    assert "decimal=','" in refusal(rated, folder=folder)
    rated["rating"] = np.inf
    assert "  row 0: inf\n" in refusal(rated, folder=folder)
    rated["rating"] = "3.5"
    assert load_rated_pairs(rated, folder=folder).target.tolist() == [3.5] * 9


def test_mixed_decimal_signs(folder):
    text = "reference;degraded;rating\naudio/song0.wav;audio/song0_1.wav;3,5\n"
    text += "audio/song0.wav;audio/song0_2.wav;4.5\naudio/song0.wav;audio/song0_3.wav;25e-1\n"
    assert load_rated_pairs(save(folder, text)).target.tolist() == [3.5, 4.5, 2.5]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float32", "int8", "category", object])
def test_ratings_of_any_type(folder, dtype):
    rated = table().head(2)
    rated["rating"] = pd.Series([3, 4]).astype(dtype)
    data = load_rated_pairs(rated, folder=folder)
    assert data.target.dtype == np.float64
    assert data.target.tolist() == [3.0, 4.0]
    if dtype in ("Int64", "Float64", object):
        rated["rating"] = pd.Series([3, None]).astype(dtype)
        with pytest.warns(UserWarning, match="1 of 2 rows left out"):
            assert load_rated_pairs(rated, folder=folder).target.tolist() == [3.0]


def test_ratings_outside_the_scale_are_listed(folder):
    rated = table()
    rated.loc[[1, 7], "rating"] = [0.99, 50]
    assert len(load_rated_pairs(rated, folder=folder).pairs) == 9
    message = refusal(rated, folder=folder, scale=[1, 5])
    assert message == (
        "2 ratings in the column 'rating' lie outside scale=(1, 5):\n  row 1: 0.99\n  row 7: 50\n"
        "Correct them or the scale."
    )
    rated["rating"] = [0, 100] * 4 + [50]
    assert "scale from 0 to 100." in load_rated_pairs(rated, folder=folder, scale=(0, 100)).DESCR


@pytest.mark.parametrize("scale", [(5, 1), (1, 1), (1,), (1, 2, 3), ("1", "5"), (1, np.nan), []])
def test_scales_that_are_no_range(scale):
    assert f"scale={scale!r} is no range" in refusal(table(), scale=scale)


def test_tables_without_rows_or_ratings(folder):
    assert "The table is empty." in refusal(save(folder, ""))
    assert "The table is empty." in refusal(save(folder, "\n \n"))
    assert "has no rows, only the columns reference, degraded" in refusal(save(folder, PLAIN))
    assert "has no rows" in refusal(table().head(0))
    message = refusal(save(folder, PLAIN + "audio/song0.wav,audio/song0_1.wav,\n"))
    assert message == "The column 'rating' is empty: there are no ratings."


def test_rows_with_too_many_cells_are_listed(folder):
    text = PLAIN + "audio/song0.wav,audio/song0_1.wav,3,5\naudio/song0.wav,audio/song0_2.wav,2\n"
    assert refusal(save(folder, text)) == (
        "The first line of the table names 3 columns, but there are more cells in 1 row:\n"
        "  line 2\nPut quotes around cells that hold the separator, or a decimal comma."
    )


def test_files_that_are_no_tables(folder, monkeypatch):
    for path, error, reason in [
        (folder / "none.csv", FileNotFoundError, "does not exist"),
        (folder, IsADirectoryError, "load_audio_folder"),
        (save(folder, b"PK\x03\x04 and more"), ValueError, r"pandas.read_excel"),
    ]:
        with pytest.raises(error, match=reason):
            load_rated_pairs(path)
    os.mkfifo(folder / "pipe.csv")
    assert "not a regular file" in refusal(folder / "pipe.csv")
    assert "NUL" in refusal(save(folder, PLAIN + "a\0.wav,b.wav,3\n"))
    assert "beyond line 2 (field larger" in refusal(save(folder, PLAIN + "a" * 200_000))
    message = refusal(save(folder, PLAIN + "a.wav,Gehör.wav,3\n", encoding="cp1252"))
    assert "not in UTF-8 (line 2)" in message
    assert f"folder={str(folder)!r}" in message
    assert "encoding='cp1252'" in message
    monkeypatch.setattr(csv_table, "_MAX_BYTES", 100)
    assert "more than the 100 bytes" in refusal(save(folder, PLAIN + "a.wav,b.wav,3\n" * 10))


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_references": "drop"},
        {"unusable_files": True},
        {"repeated_pairs": "mean"},
        {"rating": 3},
        {"group": ["song"]},
        {"scale": 5},
        {"folder": 1},
        {"n_jobs": 1.5},
    ],
)
def test_parameters_are_checked(options):
    (name,) = options
    assert f"The {name!r} parameter of load_rated_pairs must be" in refusal(table(), **options)


def test_csv_must_be_a_file_name_or_a_table():
    assert "The 'csv' parameter of load_rated_pairs" in refusal([("a", "b", 3)])
    assert "are the same column, 'file'" in refusal(table(), reference="file", degraded="file")


# --- in use --------------------------------------------------------------------------------


def test_cross_validation(folder):
    table(hidden=True).to_csv(folder / "ratings.csv", sep=";", decimal=",", index=False)
    data = load_rated_pairs(folder / "ratings.csv", group="song", scale=(1, 5))
    metric = make_pipeline(LoadAudio(sr=16000), MelSpectrogram(sr=16000), MSE(), RatingMapping())
    options = {"groups": data.groups, "cv": GroupKFold(3), "scoring": spearman_scorer}
    scores = cross_val_score(metric, data.pairs, data.target, **options)
    assert scores.tolist() == [1.0, 1.0, 1.0]


REAL = {
    "cvssp_sep_mushra": (
        {"rating": "quality_mean", "group": "track_id", "condition": "sound"},
        70,
        10,
        10,
    ),
    "p835_FB48": ({"rating": "MOS_OVRL", "group": "speaker", "condition": "cond"}, 48, 4, 4),
    "neural_codec_mushra": (
        {
            "rating": "mean",
            "group": "speaker",
            "condition": "condition",
            "unusable_files": "exclude",
        },
        70,
        8,
        10,
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_real_listening_tests(shared, name):
    options, n_pairs, n_groups, n_hidden = REAL[name]
    path = shared / "data" / "ratings" / name / "ratings.csv"
    columns = {"reference": "ref_file", "degraded": "file"}
    scale = (1, 5) if name == "p835_FB48" else (0, 100)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = load_rated_pairs(path, **columns, **options, scale=scale)
    assert len(caught) == (name == "neural_codec_mushra")
    expected = pd.read_csv(path).query("file != ref_file and file.notna()")
    assert len(data.pairs) == n_pairs == len(expected)
    assert_array_equal(data.target, expected[options["rating"]])
    assert_array_equal(data.groups, expected[options["group"]])
    assert_array_equal(data.condition, expected[options["condition"]])
    assert data.pairs["degraded"].tolist() == [str(path.parent / file) for file in expected["file"]]
    assert len(set(data.groups)) == n_groups
    assert f"{n_hidden} with a hidden reference" in data.DESCR
    included = {**columns, **options, "hidden_references": "include", "unusable_files": "exclude"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(load_rated_pairs(path, **included).pairs) == n_pairs + n_hidden


def test_real_anchors_without_audio_are_listed_together(shared):
    path = shared / "data" / "ratings" / "neural_codec_mushra" / "ratings.csv"
    with pytest.raises(AudioFileError, match="10 of 90 rated rows") as caught:
        load_rated_pairs(path, reference="ref_file", degraded="file", rating="mean")
    assert str(caught.value).count("degraded: no file is named") == 10
    assert set(pd.read_csv(path).loc[list(caught.value.rows), "condition"]) == {"Anchor"}


@pytest.mark.slow
def test_regressor_on_a_real_listening_test(shared):
    path = shared / "data" / "ratings" / "p835_FB48" / "ratings.csv"
    data = load_rated_pairs(
        path,
        reference="ref_file",
        degraded="file",
        rating="MOS_OVRL",
        group="speaker",
        scale=(1, 5),
    )
    metric = make_pipeline(
        LoadAudio(sr=16000), MelSpectrogram(sr=16000), NLPDRegressor(max_epochs=3, random_state=0)
    )
    options = {"groups": data.groups, "cv": GroupKFold(4), "scoring": spearman_scorer}
    scores = cross_val_score(metric, data.pairs, data.target, **options)
    assert scores.shape == (4,)
    assert np.mean(scores) > 0.3
