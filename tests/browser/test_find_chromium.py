"""Where a Chromium is looked for, in which order, and what is said where there is none. No browser is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.browser import find_chromium as module
from tests.browser.find_chromium import ChromiumMissingError, find_chromium, install_chromium

ROOT: Final = Path(__file__).parent.parent.parent
WORKS: Final = "#!/bin/sh\necho Chromium 1.0\n"
FAILS: Final = "#!/bin/sh\necho cannot open shared object file >&2\nexit 127\n"
STARTS_A_SNAP: Final = "#!/bin/sh\nexec /snap/bin/chromium\n"


@pytest.fixture(autouse=True)
def no_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stand in for Playwright's own download, which a test may make by writing there."""
    download = tmp_path / "playwright" / "chrome"
    download.parent.mkdir()
    monkeypatch.setattr(module, "_playwright_download", lambda: download)
    return download


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_variable_comes_first(tmp_path: Path) -> None:
    named = write_program(tmp_path / "named", WORKS)
    write_program(tmp_path / "bin/chromium", WORKS)
    assert find_chromium({"CHROMIUM": str(named), "PATH": str(tmp_path / "bin")}) == named


def test_variable_that_names_nothing_is_an_error(tmp_path: Path) -> None:
    write_program(tmp_path / "bin/chromium", WORKS)
    with pytest.raises(ChromiumMissingError, match=r"CHROMIUM=/nowhere cannot be used: it is not a program"):
        find_chromium({"CHROMIUM": "/nowhere", "PATH": str(tmp_path / "bin")})


@pytest.mark.parametrize("unusable", [FAILS, STARTS_A_SNAP])
def test_unusable_one_gives_way_to_the_next(tmp_path: Path, unusable: str) -> None:
    write_program(tmp_path / "bin/chromium", unusable)
    chrome = write_program(tmp_path / "bin/google-chrome", WORKS)
    assert find_chromium({"PATH": str(tmp_path / "bin")}) == chrome


def test_download_comes_last(tmp_path: Path, no_download: Path) -> None:
    write_program(no_download, WORKS)
    assert find_chromium({"PATH": str(tmp_path)}) == no_download
    installed = write_program(tmp_path / "bin/chromium", WORKS)
    assert find_chromium({"PATH": str(tmp_path / "bin")}) == installed


def test_missing_says_why_and_what_to_do(tmp_path: Path) -> None:
    write_program(tmp_path / "bin/chromium", FAILS)
    with pytest.raises(ChromiumMissingError) as caught:
        find_chromium({"PATH": str(tmp_path / "bin")})
    for part in ("cannot open shared object file", "apt-get install chromium", "TRTLAB_NO_BROWSER=1"):
        assert part in str(caught.value)


def test_driver_that_does_not_start_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_program(tmp_path / "bin/chromium", WORKS)
    monkeypatch.setattr(sys, "executable", str(write_program(tmp_path / "python", FAILS)))
    with pytest.raises(ChromiumMissingError, match=r"cannot open shared object file.*apt-get install libatomic1"):
        find_chromium({"PATH": str(tmp_path / "bin")})


def test_installs_the_package_first_then_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_download: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(module, "_install_package", lambda: "apt-get: no such package")
    monkeypatch.setattr(module, "_install_playwright_download", lambda: "no network")
    with pytest.raises(ChromiumMissingError, match="apt-get: no such package; no network"):
        install_chromium()

    def download() -> None:
        write_program(no_download, WORKS)

    monkeypatch.setattr(module, "_install_playwright_download", download)
    assert install_chromium() == no_download


def run_browser_test(**variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/browser/test_lab_opens.py"]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_without_chromium_browser_tests_fail_and_say_why() -> None:
    answer = run_browser_test(CHROMIUM="/nowhere", TRTLAB_NO_BROWSER="")
    assert answer.returncode == pytest.ExitCode.TESTS_FAILED
    assert "CHROMIUM=/nowhere cannot be used" in answer.stdout
    assert "passed" not in answer.stdout


def test_only_the_variable_leaves_browser_tests_out_and_it_says_so() -> None:
    answer = run_browser_test(CHROMIUM="/nowhere", TRTLAB_NO_BROWSER="1")
    assert answer.returncode == pytest.ExitCode.OK
    assert "left out: TRTLAB_NO_BROWSER=1" in answer.stdout
