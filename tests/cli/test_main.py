"""The command as a whole: its help, how it fails, what it costs to start."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from skperceptual import __version__
from skperceptual.cli import main
from skperceptual.cli.ready_metrics import READY_METRICS


def test_version(run):
    assert run("--version") == (0, f"skperceptual {__version__}\n", "")


def test_help_lists_the_commands(run):
    status, out, _ = run("--help")
    assert status == 0
    assert all(f"\n    {command}  " in out for command in ("compare", "score", "demo"))
    assert "\n    reconstruct\n" in out


@pytest.mark.parametrize("command", ["compare", "score"])
def test_help_of_a_command_lists_the_metrics(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run(command, "--help")
    assert status == 0
    for name, metric in READY_METRICS.items():
        assert f"  {name} " in out
        assert metric.description in out
    assert max(map(len, out.splitlines())) < 80


def test_without_a_command_there_is_help(run):
    status, out, err = run()
    assert (status, out) == (2, "")
    assert err.startswith("usage: skperceptual")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["dmeo"], "invalid choice: 'dmeo'"),
        (["demo", "--seed", "-1"], "'-1' is no whole number"),
        (["demo", "--seed", "one"], "'one' is no whole number"),
        (["demo", "--fast"], "unrecognized arguments: --fast"),
        (["compare", "a.wav"], "required: DEG"),
        (["compare", "a.wav", "b.wav", "--sr", "0"], "'0' is no whole number above 0"),
        (["compare", "a.wav", "b.wav", "--n-mels", "2.5"], "'2.5' is no whole number above 0"),
        (["compare", "a.wav", "b.wav", "--offset", "nan"], "'nan' is no length in seconds"),
        (["compare", "a.wav", "b.wav", "--duration", "0"], "'0' leaves nothing to read"),
        (["score", "a.csv"], "required: --metric"),
        (["score", "a.csv", "--metric", "mse", "-j", "0"], "'0' is neither a whole number"),
        (["reconstruct", "a.wav", "-o", "b", "--seed", "-1"], "'-1' is no whole number"),
        (["reconstruct", "a.wav", "-o", "b", "--duration", "0"], "'0' leaves nothing to read"),
        (["reconstruct", "a.wav"], "required: -o/--output"),
        (["reconstruct", "a.wav", "-o", "b", "--loss", "lpips"], "invalid choice: 'lpips'"),
    ],
)
def test_mistyped_arguments(arguments, complaint, run):
    status, _, err = run(*arguments)
    assert status == 2
    assert complaint in err


@pytest.fixture
def replace_demo(monkeypatch):
    """Give a function that puts another demonstration in the place of the real one."""

    def replace(run_demo):
        module = ModuleType("skperceptual.demo")
        module.run_demo = run_demo
        monkeypatch.setitem(sys.modules, "skperceptual.demo", module)

    return replace


def test_output_that_is_a_file(tmp_path, run):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    status, _, err = run("demo", "--quick", "-o", tmp_path / "taken")
    assert status == 2
    assert err.startswith("skperceptual: error: ")
    assert str(tmp_path / "taken") in err
    assert len(err.splitlines()) == 1
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", "/there"), "/there: Permission denied"),
        (FileNotFoundError("The folder of 'x' does not exist."), "The folder of 'x' does not"),
    ],
)
def test_what_the_user_can_put_right_is_told_without_a_traceback(error, message, replace_demo, run):
    replace_demo(raising(error))
    status, _, err = run("demo")
    assert status == 2
    assert f"skperceptual: error: {message}" in err


def test_a_bug_keeps_its_traceback(replace_demo):
    replace_demo(raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["demo"])


def test_interruption(replace_demo, run):
    replace_demo(raising(KeyboardInterrupt()))
    assert run("demo") == (130, "", "\nskperceptual: interrupted\n")


def raising(error):
    def run_demo(*args, **kwargs):
        raise error

    return run_demo


@pytest.mark.parametrize(
    "n_lines", [1, 100_000], ids=["at the end, from the buffer", "while it prints"]
)
def test_reader_of_the_output_that_leaves(n_lines):
    code = (
        "import sys, types\n"
        "from skperceptual.cli import main\n"
        "demo = sys.modules['skperceptual.demo'] = types.ModuleType('demo')\n"
        "def run_demo(*args, say, **kwargs):\n"
        "    sys.stdin.readline()\n"
        f"    for _ in range({n_lines}): say('x' * 100)\n"
        "demo.run_demo = run_demo\n"
        "sys.exit(main(['demo']))\n"
    )
    command = [sys.executable, "-c", code]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes, text=True) as process:
        process.stdout.close()
        process.stdin.write("it is closed\n")
        process.stdin.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == ""


def test_arguments_reach_the_demo(replace_demo):
    seen = {}
    replace_demo(lambda folder, **kwargs: seen.update(folder=folder, **kwargs))
    assert main(["demo"]) == 0
    assert seen == {
        "folder": "skperceptual-demo", "random_state": 0, "quick": False, "say": print
    }  # fmt: skip
    main(["demo", "-o", "there", "--seed", "7", "--quick"])
    assert (seen["folder"], seen["random_state"], seen["quick"]) == ("there", 7, True)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["compare", "--help"], ["score", "--help"], ["reconstruct", "--help"]]
)
def test_help_needs_nothing_heavy(arguments):
    code = (
        "import sys\nfrom skperceptual.cli import main\n"
        f"try: main({arguments})\n"
        "except SystemExit: print({'torch', 'sklearn', 'numpy', 'pandas'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert printed.stdout.endswith("\nset()\n")
