"""Compiled code is kept on disk, where there is a place for it and only as long as it is true."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import skperceptual
from skperceptual import kernels

FOLDER = Path(kernels.__file__).parent
FILES = sorted(set(FOLDER.glob("*.py")) - {FOLDER / "__init__.py", FOLDER / "compilation.py"})

PROGRAM = """
import sys
import numpy as np
from skperceptual.kernels import limiter
assert limiter.__file__.startswith(sys.argv[1]), limiter.__file__
print(limiter.limiter_gain(np.array([0.5, 2.0, 0.5]), 1.0, 1.0, 0.5, 1.0).tolist())
print(sum(limiter.limiter_gain.stats.cache_hits.values()))
"""


def copy_package(folder: Path) -> Path:
    """Copy the package without what was compiled."""
    package = Path(skperceptual.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
    return shutil.copytree(package, folder / "skperceptual", ignore=ignored)


def run(folder: Path, **variables: str) -> list[str]:
    environment = {**os.environ, **variables, "PYTHONPATH": str(folder)}
    del environment["NUMBA_CACHE_DIR"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        check=False,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(autouse=True)
def no_chosen_folder(monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")


def test_a_second_process_takes_what_the_first_one_compiled(tmp_path):
    copy_package(tmp_path)
    values, hits = run(tmp_path)
    assert (values, hits) == ("[1.0, 0.5, 0.5]", "0")
    assert run(tmp_path) == [values, "1"]


def test_without_a_folder_to_write_to(tmp_path):
    # A file in the place of each folder stops everybody, the administrator too.
    package = copy_package(tmp_path)
    (package / "kernels" / "__pycache__").touch()
    (tmp_path / "home").touch()
    home = str(tmp_path / "home")
    for _ in range(2):
        values = run(tmp_path, HOME=home, XDG_CACHE_HOME=home, LOCALAPPDATA=home, USERPROFILE=home)
        assert values == ["[1.0, 0.5, 0.5]", "0"]
    assert (tmp_path / "home").read_bytes() == b""


def test_what_lies_in_the_cache_cannot_be_read(tmp_path):
    package = copy_package(tmp_path)
    values, _ = run(tmp_path)
    (damaged,) = (package / "kernels" / "__pycache__").glob("limiter.limiter_gain*.nbc")
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert run(tmp_path) == [values, "0"]


def is_literal(value: ast.AST, from_elsewhere: set[str]) -> bool:
    """Say whether a value stands in the file itself, so that changing it changes the file."""
    parts = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
    return all(
        node.id not in from_elsewhere if isinstance(node, ast.Name) else isinstance(node, parts)
        for node in ast.walk(value)
    )


def problems(source: str) -> list[str]:
    """Find what the stamp of the cache, a hash of the one file, knows nothing of.

    The compiled code would go on using the old value, silently.
    """
    tree = ast.parse(source)
    allowed = {"__future__", "collections.abc", "math", "numba", "numba.extending", "numpy"}
    allowed |= {"typing", "skperceptual.kernels.compilation"}
    found = []
    values = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name not in allowed]
        elif isinstance(node, ast.ImportFrom) and node.module not in allowed:
            found.append(str(node.module))
            values |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and not is_literal(node.value, values):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            values |= {name.id for t in targets for name in ast.walk(t) if hasattr(name, "id")}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            inside = [*function.body, *function.args.defaults, *function.args.kw_defaults]
            names = {
                name.id
                for statement in inside
                if statement is not None
                for name in ast.walk(statement)
                if isinstance(name, ast.Name)
            }
            found += [f"{function.name}: {name}" for name in sorted(names & values)]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_kernel_has_its_constants_as_arguments_or_in_its_file(path):
    assert problems(path.read_text(encoding="utf-8")) == []


def test_constants_from_elsewhere_are_recognised():
    source = """
import json
import numpy as np
from skperceptual.functional.nlpd import FILTERS
SIGMA: float = 0.17
WIDTH = 4
DOUBLE = -2 * WIDTH
LOW, HIGH = json.loads("[0, 1]")
RANGE = 1 + HIGH
_IMAGE = np.float32
@compiled(_IMAGE(_IMAGE))
def kernel(x, scale=HIGH):
    return SIGMA * x + LOW + DOUBLE * RANGE + FILTERS
"""
    names = ("FILTERS", "HIGH", "LOW", "RANGE")
    modules = ["json", "skperceptual.functional.nlpd"]
    assert problems(source) == modules + [f"kernel: {name}" for name in names]
