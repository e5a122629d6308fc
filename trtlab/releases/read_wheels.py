"""Read the API of every TensorRT release from its bindings wheel, and write `api_surface.json`.

    python -m trtlab.releases.read_wheels --output trtlab/releases/api_surface.json

The wheels are fetched by `pip download`, by package name and version (`RELEASES` below; add new releases there), for
the Python that runs this. They hold pybind11 modules without the native libraries, some of which no package index
that serves everyone has. So each module is unpacked into a temporary folder and imported in a child process of its own
beside stub libraries: they bear the names that the module asks for and hold every function that it would call, doing
nothing. No TensorRT function is ever called; what the module tells of itself (classes, members, values, signatures,
docstrings) does not need one.

This needs Linux on x86-64, pip, a C compiler (`cc`), `nm` and `readelf`, and a Python for which all the wheels exist:
3.10 or 3.11, since 8.6.1 stops there. It takes about a minute.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from trtlab._errors import MissingError, TrtlabError
from trtlab.releases._surface import SCHEMA, Flavour

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Facts: TypeAlias = "dict[str, dict[str, Any]]"

_CHILD_SECONDS = 120
_DOWNLOAD_SECONDS = 300
_TENSORRT_LIBRARY = re.compile(r"\(NEEDED\).*\[(lib(?:nv|tensorrt)[^\]]+)\]")
# The interpreter and the C library have these themselves.
_PROVIDED = re.compile(r"_?Py|dlopen$|dlclose$|dlsym$")


@dataclass(frozen=True)
class Source:
    """A release as a package index knows it."""

    flavour: Flavour
    package: str
    version: str


@dataclass(frozen=True)
class Reading:
    """What was read from one wheel."""

    source: Source
    wheel: str
    sha256: str
    facts: Facts


_VERSIONS: dict[tuple[Flavour, str], str] = {
    ("tensorrt", "tensorrt-bindings"): "8.6.1",
    ("tensorrt", "tensorrt-cu12-bindings"): """
        10.0.1 10.1.0 10.2.0 10.2.0.post1 10.3.0 10.4.0 10.5.0 10.6.0 10.6.0.post1 10.6.0.post2 10.7.0 10.7.0.post1
        10.8.0.43 10.9.0.34 10.10.0.31 10.11.0.33 10.12.0.36 10.13.0.35 10.13.2.6 10.13.3.9 10.13.3.9.post1
        10.14.1.48.post1 10.15.1.29 10.16.0.72 10.16.1.11 11.0.0.114 11.1.0.106 11.2.1.2 11.3.0.99 11.4.0.106
    """,
    ("tensorrt_rtx", "tensorrt-rtx-cu13-bindings"): "1.4.0.76 1.5.0.114 1.6.1.120 1.7.1.116",
}
RELEASES: tuple[Source, ...] = tuple(
    Source(flavour, package, version)
    for (flavour, package), versions in _VERSIONS.items()
    for version in versions.split()
)


def read_wheel(source: Source, folder: Path) -> Reading:
    """Download one wheel into `folder`, import its bindings beside stub libraries, and return what they tell.

    Raises:
        TrtlabError: The wheel cannot be had for this Python, or its bindings cannot be imported.
        MissingError: A tool that this needs is not installed.
    """
    wheel = _download(source, folder / "wheel")
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    version, facts = describe_bindings(unpacked, f"{source.flavour}_bindings", folder / "stubs")
    if version != source.version:
        raise TrtlabError(f"{wheel.name} holds version {version}, not {source.version}.")
    return Reading(source, wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest(), facts)


def describe_bindings(folder: Path, module: str, stubs: Path) -> tuple[str, Facts]:
    """Return version and facts of the bindings package `module` in `folder`, imported beside stubs made in `stubs`."""
    binaries = sorted((folder / module).glob("*.so"))
    if len(binaries) != 1:
        raise TrtlabError(f"Expected one extension module in {module}, found {[path.name for path in binaries]}.")
    _make_stub_libraries(binaries[0], stubs)
    script = Path(__file__).with_name("_describe_module.py")
    # -I and -S: no installed package is seen, above all not the real libraries of an installed TensorRT.
    output = _run(
        [sys.executable, "-I", "-S", str(script), module, "--folder", str(folder)],
        environment={"LD_LIBRARY_PATH": str(stubs)},
    )
    described = json.loads(output)
    return described["version"], described["symbols"]


def merge(readings: Sequence[Reading], read_on: str) -> dict[str, Any]:
    """Return the content of `api_surface.json`: for each name, in which releases which fact holds."""
    variants: dict[str, dict[str, list[int]]] = {}
    for index, reading in enumerate(readings):
        for name, fact in reading.facts.items():
            variants.setdefault(name, {}).setdefault(json.dumps(fact, ensure_ascii=False), []).append(index)
    return {
        "schema": SCHEMA,
        "releases": [
            {
                "flavour": reading.source.flavour,
                "version": reading.source.version,
                "package": reading.source.package,
                "wheel": reading.wheel,
                "sha256": reading.sha256,
                "read_on": read_on,
                "read_by": "import",
            }
            for reading in readings
        ],
        "symbols": {
            name: [[_spans(indexes), json.loads(fact)] for fact, indexes in facts.items()]
            for name, facts in sorted(variants.items())
        },
    }


def write_surface(surface: dict[str, Any], target: Path) -> None:
    """Write the file whole or not at all, one release and one name a line, so that a change shows as a small diff."""
    releases = ",\n".join(_compact(release) for release in surface["releases"])
    symbols = ",\n".join(f"{_compact(name)}: {_compact(entries)}" for name, entries in surface["symbols"].items())
    text = (
        f'{{"schema": {_compact(surface["schema"])},\n"releases": [\n{releases}\n],\n"symbols": {{\n{symbols}\n}}}}\n'
    )
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=target.parent, delete=False) as temporary:
        temporary.write(text)
    Path(temporary.name).chmod(0o644)
    Path(temporary.name).replace(target)


def _download(source: Source, folder: Path) -> Path:
    """Fetch one wheel by package name and version and return its path."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    requirement = f"{source.package}=={source.version}"
    _run([*command, "--only-binary=:all:", "--dest", str(folder), requirement], seconds=_DOWNLOAD_SECONDS)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _make_stub_libraries(binary: Path, folder: Path) -> None:
    """Make, under each name of a TensorRT library that `binary` needs, a library that has all functions it looks for."""
    for tool in ("cc", "nm", "readelf"):
        if shutil.which(tool) is None:
            raise MissingError(f"{tool!r} is needed to make stub libraries: install gcc and binutils.")
    folder.mkdir(parents=True, exist_ok=True)
    # Functions of the system's libraries stand with the version of that library behind an @; TensorRT's have none.
    undefined = [line.split() for line in _run(["nm", "-D", "--undefined-only", str(binary)]).splitlines()]
    functions = [words[-1] for words in undefined if words[-2] == "U" and "@" not in words[-1]]
    stubs = [f"void *{name}(void) {{ return 0; }}" for name in functions if not _PROVIDED.match(name)]
    code = folder / "stubs.c"
    code.write_text("\n".join([*stubs, ""]), encoding="utf-8")
    library = folder / "stubs.so"
    _run(["cc", "-shared", "-fPIC", "-w", "-o", str(library), str(code)])
    for needed in _TENSORRT_LIBRARY.findall(_run(["readelf", "-dW", str(binary)])):
        shutil.copyfile(library, folder / needed)


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None, seconds: int = _CHILD_SECONDS) -> str:
    """Run a command and return what it printed; its error text becomes the message of the error."""
    merged = {**os.environ, "LC_ALL": "C", **(environment or {})}
    try:
        finished = subprocess.run(command, capture_output=True, text=True, env=merged, timeout=seconds, check=True)
    except subprocess.CalledProcessError as error:
        raise TrtlabError(f"{' '.join(command)} exited with {error.returncode}: {error.stderr[-2000:]}") from error
    except subprocess.TimeoutExpired as error:
        raise TrtlabError(f"{' '.join(command)} did not end within {seconds} seconds.") from error
    return finished.stdout


def _spans(indexes: Sequence[int]) -> str:
    """Return ascending numbers as text: `0-3 7` for 0, 1, 2, 3, 7."""
    spans: list[list[int]] = []
    for index in indexes:
        if spans and index == spans[-1][1] + 1:
            spans[-1][1] = index
        else:
            spans.append([index, index])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def _compact(value: object) -> str:
    """Return JSON without the blanks that nobody reads."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> int:
    """Read all releases and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).with_name("api_surface.json")
    parser.add_argument("--output", type=Path, default=default, help="the file to write (default: %(default)s)")
    target = parser.parse_args().output
    readings = []
    for number, source in enumerate(RELEASES, start=1):
        sys.stderr.write(f"{number}/{len(RELEASES)} {source.package} {source.version}\n")
        with tempfile.TemporaryDirectory() as folder:
            readings.append(read_wheel(source, Path(folder)))
    today = dt.datetime.now(dt.timezone.utc).date().isoformat()
    write_surface(merge(readings, today), target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
