"""environment.yml and pyproject.toml describe one environment."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parent.parent

# conda-forge splits matplotlib: this part is what the package index calls matplotlib.
CONDA_NAMES: Final = {"matplotlib-base": "matplotlib"}


def read_project() -> dict[str, Any]:
    # pytest itself brings tomli where Python has no tomllib.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project: dict[str, Any] = toml.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def read_environment() -> tuple[list[str], list[str]]:
    """Return what environment.yml takes from conda-forge, and what from pip."""
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    [with_pip] = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    return [entry for entry in dependencies if isinstance(entry, str)], with_pip


def normalise(requirements: list[str]) -> dict[str, str]:
    parsed = [Requirement(text) for text in requirements]
    return {CONDA_NAMES.get(entry.name, entry.name): str(entry.specifier) for entry in parsed}


def test_same_packages_and_versions() -> None:
    from_conda, from_pip = read_environment()
    project = read_project()
    from_conda.remove("pip")
    from_pip.remove("-e .")
    expected = normalise([*project["dependencies"], f"python{project['requires-python']}"])
    assert normalise([*from_conda, *from_pip]) == expected


def test_nothing_is_listed_twice() -> None:
    from_conda, from_pip = read_environment()
    names = [Requirement(entry).name for entry in [*from_conda, *from_pip] if entry != "-e ."]
    assert len(names) == len(set(names))


def test_pip_installs_the_checkout() -> None:
    from_conda, from_pip = read_environment()
    assert "pip" in from_conda
    assert from_pip[-1] == "-e ."
