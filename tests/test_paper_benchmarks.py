"""Benchmarks that resume: never from results of another setting."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

PAPERS = Path(__file__).resolve().parents[1] / "benchmarks" / "papers"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(PAPERS)
    return importlib.import_module("data_is_overrated")


@pytest.fixture
def run(benchmark, monkeypatch, tmp_path):
    """Give a function that runs the benchmark of an autoencoder up to its first model."""

    class Reached(Exception):
        pass

    def stop(*arguments):
        raise Reached

    def run_until_models(music=0.0, test=0.0, groups=("a", "b"), options=()):
        images = np.zeros((2, 4, 4), dtype=np.float32)
        of_test = images + test, np.array(groups, dtype=object), "test"
        monkeypatch.setattr(benchmark, "load_test_music", lambda folder: of_test)
        monkeypatch.setattr(
            benchmark, "load_training_music", lambda folder, n: (images + music, "music")
        )
        monkeypatch.setattr(benchmark, "Models", stop)
        folders = ["--work", str(tmp_path / "work"), "-o", str(tmp_path / "out")]
        monkeypatch.setattr("sys.argv", ["data_is_overrated.py", *folders, *options])
        with pytest.raises((Reached, SystemExit)) as caught:
            benchmark.main()
        return caught.type is Reached

    return run_until_models


def test_results_of_another_setting_are_not_taken(run, tmp_path, capsys):
    assert run()
    assert (tmp_path / "work" / "setting.json").exists()
    (tmp_path / "work" / "noise-mse-0.csv").write_text("iteration\n", encoding="utf-8")
    assert run()
    changes = {
        "size": {"options": ["--full"]},
        "music": {"music": 1.0},
        "test": {"test": 1.0},
        "groups": {"groups": ("a", "a")},
    }
    capsys.readouterr()
    for name, change in changes.items():
        assert not run(**change)
        assert f"results of another setting ({name})" in capsys.readouterr().err
    assert run()


def test_results_of_an_unknown_setting_are_not_taken(run, tmp_path, capsys):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "noise-mse-0.csv").write_text("iteration\n", encoding="utf-8")
    assert not run()
    assert "holds files without saying of which setting" in capsys.readouterr().err


def test_scores_of_cellos_of_another_setting_are_not_taken(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(PAPERS)
    common = importlib.import_module("cello_common")
    work = common.Work(tmp_path, common.TINY, "cpu")
    work.rows("table", {"seed": 0}, lambda: [{"score": 0.5}])
    again = common.Work(tmp_path, common.TINY, "cpu")
    again.rows("table", {"seed": 0}, lambda: pytest.fail("computed twice"))
    assert again.table("table").to_dict("records") == [{"seed": 0, "score": 0.5}]
    with pytest.raises(ValueError, match=r"results of another setting \(.*\bepochs\b.*\)"):
        common.Work(tmp_path, common.FULL, "cpu")
