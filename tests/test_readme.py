"""The README's commands are those that are run, and what it shows is Python that works."""

from __future__ import annotations

import ast
import csv
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def command(name: str) -> str:
    found = re.findall(
        rf"^<!-- {name} -->\n```bash\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL
    )
    assert len(found) == 1, f"the README should hold one block marked {name}, not {len(found)}"
    return found[0]


def test_checks_run_the_test_command():
    printed = subprocess.run(
        ["bash", REPOSITORY / ".ci" / "run", "--print-test-command"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == command("test-command")
    assert "pytest" in printed


@pytest.mark.parametrize("name", ["demo-command", "test-command"])
def test_commands_are_complete(name):
    # each makes its environment and installs into it with the tested versions
    steps = [step.strip() for step in command(name).split("&&")]
    assert steps[0] == "python3 -m venv .venv"
    assert "--constraint constraints.txt" in steps[1]
    assert all(step.startswith(".venv/bin/") for step in steps[1:])


@pytest.mark.parametrize("name", ["demo-command", "test-command"])
def test_commands_are_valid_shell(name):
    subprocess.run(["bash", "-n", "-c", command(name)], check=True)


def test_timings_are_those_that_were_measured():
    with (REPOSITORY / "benchmarks" / "results" / "speed.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    table = [header, ["---"] * len(header), *rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in table)
    assert f"<!-- speed-table -->\n{lines}\n<!-- /speed-table -->" in README


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_code_compiles(block):
    compile(block, "README.md", "exec")


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_code_imports_what_exists(block):
    imports = [n for n in ast.parse(block).body if isinstance(n, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, type_ignores=[]), "README.md", "exec"), {})


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [t for t in targets if not (REPOSITORY / t).exists()] == []
