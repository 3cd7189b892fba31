"""What setup.cfg asks for, what is tested with, and what is the oldest that works agree."""

from __future__ import annotations

import ast
import sys
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]


def parsed(text: str) -> list[Requirement]:
    lines = text.splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


EXTRAS = ("plot", "safe", "speech", "openl3", "visqol")


def declared(*extras: str) -> list[Requirement]:
    config = ConfigParser()
    config.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    found = parsed(config["options"]["install_requires"])
    for extra in extras:
        found += parsed(config["options.extras_require"][extra])
    return found


def pinned(name: str) -> dict[str, str]:
    requirements = parsed((REPOSITORY / name).read_text(encoding="utf-8"))
    versions = {}
    for requirement in requirements:
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", requirement
        versions[canonicalize_name(requirement.name)] = specifier.version
    assert len(versions) == len(requirements), "something is pinned twice"
    return versions


def test_everything_declared_is_pinned():
    versions = pinned("constraints.txt")
    names = {r.name for r in declared(*EXTRAS, "tests", "docs", "lint")}
    assert [name for name in sorted(names) if canonicalize_name(name) not in versions] == []


def test_everything_that_the_tests_need_is_pinned_to_an_old_version_too():
    versions = pinned("constraints-oldest.txt")
    names = {r.name for r in declared("tests")}
    assert [name for name in sorted(names) if canonicalize_name(name) not in versions] == []


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-oldest.txt"])
def test_what_is_pinned_satisfies_what_is_declared(name):
    versions = pinned(name)
    refused = [
        str(requirement)
        for requirement in declared(*EXTRAS, "tests")
        if not requirement.specifier.contains(versions[canonicalize_name(requirement.name)])
    ]
    assert refused == []


def test_lower_bounds_are_the_oldest_versions_tested():
    oldest = pinned("constraints-oldest.txt")
    bounds = {canonicalize_name(r.name): str(r.specifier) for r in declared(*EXTRAS)}
    assert bounds == {name: f">={oldest[name]}" for name in bounds}


def imported_by_the_package() -> set[str]:
    found = set()
    for path in (REPOSITORY / "skperceptual").rglob("*.py*"):
        if path.suffix not in (".py", ".pyi"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"skperceptual"}


def test_everything_imported_is_declared():
    # what merely comes along with something else can go away with it
    names = {canonicalize_name(r.name) for r in declared(*EXTRAS, "tests")}
    distributions = packages_distributions()
    undeclared = {
        module
        for module in imported_by_the_package()
        if not names & {canonicalize_name(name) for name in distributions.get(module, [])}
    }
    assert undeclared == set()


def test_everything_that_the_core_declares_is_imported():
    distributions = packages_distributions()
    used = {
        canonicalize_name(name)
        for module in imported_by_the_package()
        for name in distributions.get(module, [])
    }
    unused = {r.name for r in declared() if canonicalize_name(r.name) not in used}
    assert unused == set()
