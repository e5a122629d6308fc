"""Find a Chromium for the browser tests, or get one.

    python tests/browser/find_chromium.py            # prints its path, or why there is none
    python tests/browser/find_chromium.py --install  # the same, and tries to install one where there is none

It is taken from the environment variable CHROMIUM, from PATH, or from Playwright's own downloads, in this order.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROBE_TIMEOUT_SECONDS: Final = 60
INSTALL_TIMEOUT_SECONDS: Final = 900
SMALL_FILE_BYTES: Final = 64 * 1024


class ChromiumMissingError(Exception):
    """There is no Chromium that the tests could use; the message says where was looked and what to do."""


def find_chromium(environment: Mapping[str, str] = os.environ) -> Path:
    """Return a Chromium that starts, and that Playwright can drive.

    Raises:
        ChromiumMissingError: None was found, or the one that CHROMIUM names cannot be used.
    """
    if problem := _run([sys.executable, "-m", "playwright", "--version"]):
        # Its driver is a program of its own, and needs a library that a bare Debian does not have.
        raise ChromiumMissingError(f"Playwright does not start ({problem}). Try: sudo apt-get install libatomic1")
    if named := environment.get("CHROMIUM"):
        problem = _problem_with(Path(named))
        if problem:
            raise ChromiumMissingError(f"CHROMIUM={named} cannot be used: {problem}")
        return Path(named)
    rejected = []
    for name in NAMES:
        found = shutil.which(name, path=environment.get("PATH"))
        if found is None:
            continue
        problem = _problem_with(Path(found))
        if not problem:
            return Path(found)
        rejected.append(f"{found}: {problem}")
    downloaded = _playwright_download()
    if not _problem_with(downloaded):
        return downloaded
    looked = "; ".join([*rejected, f"nothing else called {', '.join(NAMES)} on PATH", f"no {downloaded}"])
    raise ChromiumMissingError(
        f"No Chromium for the browser tests ({looked}). Install one (sudo apt-get install chromium, or "
        f"python -m playwright install chromium), name one in CHROMIUM, or set TRTLAB_NO_BROWSER=1 to leave these "
        f"tests out."
    )


def install_chromium() -> Path:
    """Install Chromium from the system's packages or else from Playwright, and return it.

    Raises:
        ChromiumMissingError: Neither can be had.
    """
    failures = []
    for install in (_install_package, _install_playwright_download):
        failure = install()
        if failure is None:
            return find_chromium()
        failures.append(failure)
    raise ChromiumMissingError("Chromium cannot be installed: " + "; ".join(failures))


def _problem_with(program: Path) -> str | None:
    if not os.access(program, os.X_OK) or program.is_dir():
        return "it is not a program"
    if _is_snap(program):
        return "it is a snap, which cannot read the tests' temporary folders"
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=PROBE_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if answer.returncode == 0 else f"--version failed: {_last_line(answer.stdout + answer.stderr)}"


def _is_snap(program: Path) -> bool:
    # Ubuntu's chromium-browser is a small script that starts the snap, or asks for it where there is none.
    is_script = program.stat().st_size < SMALL_FILE_BYTES
    return program.parts[:2] == ("/", "snap") or (is_script and b"/snap/" in program.read_bytes())


def _playwright_download() -> Path:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _install_package() -> str | None:
    if shutil.which("apt-get") is None:
        return "there is no apt-get here"
    sudo: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None or _run(["sudo", "-n", "true"]):
            return "apt-get needs root or a sudo that asks for no password"
        sudo = ["sudo", "-n"]
    apt_get = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    # Chromium does not bring a font by itself, nor the library that Playwright's driver needs.
    packages = ["chromium", "fonts-liberation", "libatomic1"]
    return _run([*apt_get, "update"]) or _run([*apt_get, "install", "-y", "--no-install-recommends", *packages])


def _install_playwright_download() -> str | None:
    return _run([sys.executable, "-m", "playwright", "install", "chromium"])


def _run(command: Sequence[str]) -> str | None:
    """Run an installer quietly; return why it failed, or None."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{' '.join(command)} took more than {INSTALL_TIMEOUT_SECONDS} s"
    return f"{' '.join(command)}: {_last_line(done.stdout)}" if done.returncode else None


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def main(arguments: Sequence[str], *, install: Callable[[], Path] = install_chromium) -> int:
    """Print the path of a Chromium, with `--install` one that was installed if need be."""
    try:
        try:
            program = find_chromium()
        except ChromiumMissingError:
            if "--install" not in arguments or "CHROMIUM" in os.environ:
                raise
            sys.stderr.write("Installing Chromium for the browser tests...\n")
            program = install()
    except ChromiumMissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{program}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
