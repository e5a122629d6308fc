"""The project's commands on machines that lack something, and run again, with programs that only pretend."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
TOOLS: Final = ("bash", "sh", "make", "sed", "cat", "cksum", "dirname", "basename", "mkdir", "cp", "chmod", "expand")

# Does what setup.sh asks of a Python, as far as it can be seen from outside, and writes down what it was asked.
PRETENDED_PYTHON: Final = """#!{bash}
echo "$(basename "$0") $*" >> {log}
case "$*" in
    *ensurepip*) exit {ensurepip_exit_code} ;;
    -c*) echo {version} ;;
    "-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/pip ;;
    *find_chromium*) echo /pretended/chromium ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A copy of the project's commands, and a PATH with nothing but what the test puts there."""

    project: Path
    programs: Path
    log: Path

    def add_python(self, name: str, version: str, *, ensurepip: bool = True) -> Path:
        """Put a pretended Python on PATH."""
        program = self.programs / name
        text = PRETENDED_PYTHON.format(
            bash=self.programs / "bash", log=self.log, version=version, ensurepip_exit_code=0 if ensurepip else 1
        )
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        return program

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command there, with nothing in the environment but PATH and `variables`."""
        environment = {"PATH": str(self.programs), **variables}
        return subprocess.run(
            command, cwd=self.project, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    def take_log(self) -> list[str]:
        """Return what the Pythons were asked since the last time."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    project = tmp_path / "a project"
    (project / ".ci").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", ".ci/setup.sh"):
        shutil.copy(ROOT / name, project / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, f"the test needs {name}"
        (programs / name).symlink_to(os.path.realpath(found))
    return Machine(project=project, programs=programs, log=tmp_path / "log")


SETUP: Final = ("bash", ".ci/setup.sh", "lab")


def test_python_too_old_says_what_to_do(machine: Machine) -> None:
    machine.add_python("python3", "3.8")
    answer = machine.run(*SETUP)
    assert answer.returncode == 1
    assert "Python 3.10 to 3.13 is needed; python3 is 3.8." in answer.stderr
    assert "sudo apt-get install python3 python3-venv" in answer.stderr
    assert "PYTHON=/path/to/python3.13 make lab" in answer.stderr


def test_python_too_new_says_what_to_do(machine: Machine) -> None:
    machine.add_python("python3", "3.14")
    assert "python3 is 3.14." in machine.run(*SETUP).stderr


def test_no_python_says_what_to_do(machine: Machine) -> None:
    answer = machine.run(*SETUP)
    assert answer.returncode == 1
    assert "python3 does not start" in answer.stderr


def test_unsuitable_python3_gives_way_to_a_suitable_one(machine: Machine) -> None:
    machine.add_python("python3", "3.8")
    machine.add_python("python3.11", "3.11")
    machine.add_python("python3.12", "3.12")
    answer = machine.run(*SETUP)
    assert answer.returncode == 0
    assert "making .venv with python3.12 (3.12)" in answer.stderr


@pytest.mark.parametrize("name", ["python3", "python3.12"])
def test_missing_ensurepip_says_what_to_install(machine: Machine, name: str) -> None:
    machine.add_python(name, "3.12", ensurepip=False)
    answer = machine.run(*SETUP)
    assert answer.returncode == 1
    assert f"sudo apt-get install {name}-venv" in answer.stderr
    assert not (machine.project / ".venv").exists()


def test_python_that_was_asked_for_is_used_or_refused(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    other = machine.add_python("other", "3.13")
    assert f"making .venv with {other} (3.13)" in machine.run(*SETUP, PYTHON=str(other)).stderr
    answer = machine.run(*SETUP, PYTHON="python3.9")
    assert answer.returncode == 1
    assert "python3.9 does not start" in answer.stderr


def test_second_run_installs_nothing(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    first = machine.run(*SETUP)
    assert (first.returncode, first.stdout) == (0, "")
    assert [line for line in machine.take_log() if "pip install" in line] == [
        "python -m pip install -qq --disable-pip-version-check --editable ."
    ]
    second = machine.run(*SETUP)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    # One look at the version of .venv is all.
    assert [line.split()[:2] for line in machine.take_log()] == [["python", "-c"]]


def test_environment_stays_when_no_python_is_asked_for(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    machine.add_python("python3.13", "3.13")
    machine.run(*SETUP, PYTHON="python3.13")
    assert machine.run(*SETUP).stderr == ""
    assert "making .venv with python3 (3.11)" in machine.run(*SETUP, PYTHON="python3").stderr


def test_changed_project_is_installed_again(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    machine.run(*SETUP)
    with (machine.project / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    machine.take_log()
    assert "making .venv" not in machine.run(*SETUP).stderr
    assert any("pip install" in line for line in machine.take_log())


def test_interrupted_installation_goes_on(machine: Machine) -> None:
    python = machine.add_python("python3", "3.11")
    whole = python.read_text(encoding="utf-8")
    python.write_text(whole.replace("    -c*)", '    "-m pip install"*) exit 1 ;;\n    -c*)'), encoding="utf-8")
    assert machine.run(*SETUP).returncode != 0
    (machine.project / ".venv/bin/python").write_text(whole, encoding="utf-8")
    machine.take_log()
    assert machine.run(*SETUP).returncode == 0
    assert any("pip install" in line for line in machine.take_log())


def test_checks_need_more_than_the_lab(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    machine.run(*SETUP)
    machine.take_log()
    answer = machine.run("bash", ".ci/setup.sh", "test")
    assert answer.returncode == 0
    assert "browser tests use /pretended/chromium" in answer.stderr
    assert any(line.endswith("--editable .[test]") for line in machine.take_log())
    # And hold all that the lab needs.
    machine.run(*SETUP)
    assert not any("pip install" in line for line in machine.take_log())


def test_left_out_browser_tests_are_told(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    answer = machine.run("bash", ".ci/setup.sh", "test", TRTLAB_NO_BROWSER="1")
    assert "browser tests are left out: TRTLAB_NO_BROWSER=1" in answer.stderr
    assert not any("find_chromium" in line for line in machine.take_log())


def test_lab_passes_its_variables_on(machine: Machine) -> None:
    plain = machine.run("make", "-n", "lab").stdout
    assert plain.splitlines()[0] == "bash .ci/setup.sh lab"
    assert plain.rstrip().endswith(".venv/bin/trtlab lab")
    chosen = machine.run("make", "-n", "lab", PORT="9000", TRTLAB_NO_BROWSER="1").stdout
    assert ".venv/bin/trtlab lab --port 9000 --no-browser" in chosen


def test_test_runs_every_check(machine: Machine) -> None:
    commands = machine.run("make", "-n", "test").stdout
    for check in ("bash .ci/setup.sh test", "ruff check .", "ruff format --check .", "mypy", "-m pytest"):
        assert check in commands


def test_help_lists_the_commands(machine: Machine) -> None:
    answer = machine.run("make")
    assert answer.returncode == 0
    for command in ("make help", "make lab", "make test", "make clean"):
        assert command in answer.stdout


def test_failing_check_fails_the_whole(machine: Machine) -> None:
    machine.add_python("python3", "3.11")
    # There is no ruff in the pretended .venv.
    assert machine.run("make", "--keep-going", "test", TRTLAB_NO_BROWSER="1").returncode != 0
