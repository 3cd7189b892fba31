"""Importing the package costs next to nothing, and its parts keep to their own dependencies."""

from __future__ import annotations

import ast
import inspect
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import skperceptual

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = Path(skperceptual.__file__).parent
MATHEMATICS = [
    f"skperceptual.{name}"
    for name in ("functional", "kernels", "networks")
    if (PACKAGE / name / "__init__.py").exists()
]
HEAVY = {"torch", "numba", "sklearn", "skorch", "matplotlib", "pandas", "librosa", "scipy"}
HEAVY |= {"joblib", "soundfile", "soxr"}


def run(code: str) -> str:
    """Run code in a fresh interpreter and give what it printed."""
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def loaded_by(statement: str) -> set[str]:
    """Give the top-level names of all modules in a fresh interpreter after a statement."""
    printed = run(f"import sys\n{statement}\nprint(*sys.modules)")
    return {name.partition(".")[0] for name in printed.split()}


def test_import_is_fast():
    clock = "from time import perf_counter; start = perf_counter()"
    code = f"{clock}; import skperceptual; print(perf_counter() - start)"
    run(code)  # the first one may write byte code
    seconds = statistics.median(float(run(code)) for _ in range(5))
    assert seconds < 0.3


def test_import_loads_nothing_heavy():
    assert loaded_by("import skperceptual") & HEAVY == set()


@pytest.mark.parametrize("module", MATHEMATICS)
def test_mathematics_does_without_scikit_learn(module):
    loaded = loaded_by(f"import {module}")
    assert loaded & {"sklearn", "skorch", "matplotlib", "pandas"} == set()


def test_kernels_do_without_torch():
    # torch hangs in a forked process once its parent has used its threads
    if "skperceptual.kernels" in MATHEMATICS:
        assert "torch" not in loaded_by("import skperceptual.kernels")


def test_plotting_loads_matplotlib_only_when_it_draws():
    assert "matplotlib" not in loaded_by("import skperceptual.plotting")


def test_every_public_name_resolves():
    missing = [name for name in skperceptual.__all__ if not hasattr(skperceptual, name)]
    assert missing == []


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        skperceptual.no_such_name  # noqa: B018


def test_dir_lists_the_public_names():
    assert set(skperceptual.__all__) <= set(dir(skperceptual))


def stub_names() -> list[str]:
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return [alias.asname or alias.name for node in imports for alias in node.names]


def test_stub_and_all_agree():
    names = stub_names()
    assert len(names) == len(set(names))
    assert set(names) - {"__version__"} == set(skperceptual.__all__) - {"__version__"}


def test_stub_reexports_every_name():
    # a type checker takes `from .io import LoadAudio` for private; `as LoadAudio` makes it public
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    private = [a.name for node in imports for a in node.names if a.asname != a.name]
    assert private == []


def test_modules_export_what_they_have():
    for name in skperceptual.__all__:
        module = getattr(skperceptual, name)
        if inspect.ismodule(module):
            missing = [n for n in getattr(module, "__all__", []) if not hasattr(module, n)]
            assert missing == [], name


def private_scikit_learn_names(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sklearn":
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] == "sklearn"]
    return [name for name in found if any(part.startswith("_") for part in name.split("."))]


def test_private_scikit_learn_names_stay_in_one_file():
    found = {
        str(path.relative_to(PACKAGE)): names
        for path in sorted(PACKAGE.rglob("*.py"))
        if (names := private_scikit_learn_names(path.read_text(encoding="utf-8")))
    }
    assert set(found) == {str(Path("utils", "_sklearn.py"))}, found


def test_private_scikit_learn_names_are_recognised():
    lines = [
        "from sklearn.utils._tags import x",
        "from sklearn.base import clone, _fit_context",
        "import sklearn.svm._base",
    ]
    assert private_scikit_learn_names("\n".join(lines)) == [
        "sklearn.utils._tags.x",
        "sklearn.base._fit_context",
        "sklearn.svm._base",
    ]


def test_layers_name_every_part_of_the_mathematics():
    # a part that is not named in the contract could import scikit-learn unnoticed
    config = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {c["id"]: c for c in config["tool"]["importlinter"]["contracts"]}
    folders = (REPOSITORY / "skperceptual").glob("*/__init__.py")
    parts = {f"skperceptual.{path.parent.name}" for path in folders}
    expected = parts & {f"skperceptual.{n}" for n in ("functional", "kernels", "networks")}
    assert set(contracts["mathematics"]["source_modules"]) == expected
