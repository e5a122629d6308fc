"""The dispatcher: which module runs, and what each way to end is as an exit code."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import TYPE_CHECKING

import pytest

import trtlab
import trtlab.cli
from trtlab._errors import InputError, MissingError, TrtlabError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    InstallCommand = Callable[[Callable[[argparse.Namespace], int]], None]


@pytest.fixture
def install_command(monkeypatch: pytest.MonkeyPatch) -> InstallCommand:
    """Make `trtlab probe` run the function that is given."""

    def install(run: Callable[[argparse.Namespace], int]) -> None:
        module = types.ModuleType("probe")
        module.__dict__["add_parser"] = lambda subparsers: subparsers.add_parser("probe").add_argument("--number")
        module.__dict__["run"] = run
        monkeypatch.setitem(sys.modules, "probe", module)
        monkeypatch.setattr(trtlab.cli, "COMMANDS", {"probe": "probe", "absent": "no_such_module"})

    return install


def test_runs_the_command_and_imports_no_other(install_command: InstallCommand) -> None:
    numbers: list[str] = []

    def run(arguments: argparse.Namespace) -> int:
        numbers.append(arguments.number)
        return 1

    install_command(run)
    assert trtlab.cli.main(["probe", "--number", "7"]) == 1
    assert numbers == ["7"]


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (TrtlabError("the model is refused"), 1, "trtlab: the model is refused\n"),
        (InputError("cannot read it"), 2, "trtlab: cannot read it\n"),
        (MissingError("no TensorRT here"), 3, "trtlab: no TensorRT here\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_exit_codes(
    install_command: InstallCommand,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    exit_code: int,
    said: str,
) -> None:
    def run(_arguments: argparse.Namespace) -> int:
        raise error

    install_command(run)
    assert trtlab.cli.main(["probe"]) == exit_code
    output, errors = capsys.readouterr()
    assert (output, errors) == ("", said)


def test_other_errors_keep_their_traceback(install_command: InstallCommand) -> None:
    def run(_arguments: argparse.Namespace) -> int:
        raise ZeroDivisionError

    install_command(run)
    with pytest.raises(ZeroDivisionError):
        trtlab.cli.main(["probe"])


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["--version"], 0, f"trtlab {trtlab.__version__}"),
        (["--help"], 0, "open the notebooks in JupyterLab"),
        (["lab", "--help"], 0, "--no-browser"),
        ([], 2, "required: command"),
        (["nonsense"], 2, "invalid choice: 'nonsense'"),
        (["lab", "--port", "0"], 2, "'0' is not a port"),
        (["lab", "--unknown"], 2, "unrecognized arguments: --unknown"),
    ],
)
def test_usage(words: list[str], exit_code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert trtlab.cli.main(words) == exit_code
    output, errors = capsys.readouterr()
    assert said in (output if exit_code == 0 else errors)
    assert (errors if exit_code == 0 else output) == ""


# The first fits into the buffer, so that only the last flush fails; the other fails while it is written.
@pytest.mark.parametrize("lines", [1, 1_000_000])
def test_reader_that_goes_away_is_no_traceback(lines: int) -> None:
    program = f"""
import sys, types, trtlab.cli
def run(arguments):
    sys.stdin.readline()
    sys.stdout.write("line\\n" * {lines})
    return 0
probe = types.ModuleType("probe")
probe.add_parser = lambda subparsers: subparsers.add_parser("probe")
probe.run = run
sys.modules["probe"] = probe
trtlab.cli.COMMANDS = {{"probe": "probe"}}
raise SystemExit(trtlab.cli.main(["probe"]))
"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write("go\n")
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == trtlab.cli.EXIT_BROKEN_PIPE


def test_version_loads_nothing_heavy() -> None:
    program = "import sys, trtlab.cli; trtlab.cli.main(['--version']); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    # The help of all commands is not needed for it, but even that must not load numpy or onnx.
    assert not {"'numpy'", "'onnx'", "'IPython'", "'matplotlib'"} & set(loaded.strip("[]\n").split(", "))


def test_module_runs_like_the_script() -> None:
    answer = subprocess.run([sys.executable, "-m", "trtlab", "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout == f"trtlab {trtlab.__version__}\n"
