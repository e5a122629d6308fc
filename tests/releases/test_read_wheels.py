"""The reader: what it makes of an installed TensorRT-RTX, of a wheel, and of classes made by hand."""

from __future__ import annotations

import enum
import importlib.metadata
import importlib.util
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from trtlab._errors import TrtlabError
from trtlab.releases import _describe_module as describing
from trtlab.releases import describe, has, read_wheels, releases, symbols
from trtlab.releases.read_wheels import RELEASES, Reading, Source

DESCRIBE_SCRIPT = Path(describing.__file__)
LIST_SCRIPT = Path(__file__).with_name("list_public_names.py")
KNOWN_RTX = [release.version for release in releases("tensorrt_rtx")]


def installed_version() -> str:
    if importlib.util.find_spec("tensorrt_rtx") is None:
        pytest.skip("tensorrt_rtx is not installed")
    return importlib.metadata.version("tensorrt_rtx")


def known_installed_version() -> str:
    version = installed_version()
    if version not in KNOWN_RTX:
        pytest.skip(f"tensorrt_rtx {version} is not in api_surface.json: add it to read_wheels.RELEASES and read again")
    return version


def can_make_stubs() -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("the bindings are read on Linux on x86-64")
    for tool in ("cc", "nm", "readelf"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def run_script(script: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-I", str(script), *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    loaded: dict[str, Any] = json.loads(answer.stdout)
    return loaded


def recorded_facts(version: str) -> dict[str, dict[str, Any]]:
    """The facts of one RTX release as the file has them: own names only, nothing inherited."""
    content = json.loads(DESCRIBE_SCRIPT.with_name("api_surface.json").read_text(encoding="utf-8"))
    index = next(
        index
        for index, release in enumerate(content["releases"])
        if (release["flavour"], release["version"]) == ("tensorrt_rtx", version)
    )
    return {
        name: fact
        for name, entries in content["symbols"].items()
        for spans, fact in entries
        for first, _, last in (span.partition("-") for span in spans.split())
        if int(first) <= index <= int(last or first)
    }


# ---- against the real thing ---------------------------------------------------------------------------------------


def test_the_installed_release_has_exactly_the_recorded_names() -> None:
    version = known_installed_version()
    listed = run_script(LIST_SCRIPT, "tensorrt_rtx")
    assert listed["version"] == version
    assert set(listed["names"]) == symbols("tensorrt_rtx", version)


def test_the_installed_release_has_what_trtlab_needs_even_if_it_is_not_recorded() -> None:
    installed_version()
    names = set(run_script(LIST_SCRIPT, "tensorrt_rtx")["names"])
    needed = {"Builder.build_serialized_network", "OnnxParser.parse", "ParserError.desc", "ILogger.Severity.VERBOSE"}
    assert needed <= names


def test_the_installed_release_describes_itself_as_recorded() -> None:
    version = known_installed_version()
    described = run_script(DESCRIBE_SCRIPT, "tensorrt_rtx")
    assert described["symbols"] == recorded_facts(version)


def test_bindings_beside_stub_libraries_tell_the_same_as_beside_the_real_ones(tmp_path: Path) -> None:
    version = known_installed_version()
    can_make_stubs()
    found = importlib.util.find_spec("tensorrt_rtx_bindings")
    assert found is not None
    assert found.origin is not None
    package = tmp_path / "unpacked" / "tensorrt_rtx_bindings"
    package.mkdir(parents=True)
    for file in Path(found.origin).parent.iterdir():
        if file.suffix in {".py", ".so"}:
            shutil.copyfile(file, package / file.name)
    read = read_wheels.describe_bindings(package.parent, package.name, tmp_path / "stubs")
    assert read == (version, recorded_facts(version))


def test_reading_a_wheel_again_gives_the_same_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Needs the network: fetches one wheel (about 1.2 MB). Skipped where pip cannot have it."""
    can_make_stubs()
    source = next(source for source in reversed(RELEASES) if source.flavour == "tensorrt_rtx")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_TIMEOUT", "5")
    try:
        reading = read_wheels.read_wheel(source, tmp_path)
    except TrtlabError as error:
        if " pip download " not in str(error):
            raise
        pytest.skip(f"pip cannot fetch {source.package} {source.version} here")
    assert reading.facts == recorded_facts(source.version)
    recorded = next(release for release in releases("tensorrt_rtx") if release.version == source.version)
    # Other Pythons have other wheels.
    assert reading.wheel != recorded.wheel or reading.sha256 == recorded.sha256


# ---- on classes made by hand --------------------------------------------------------------------------------------


class Mode(enum.IntEnum):
    SLOW = 0
    FAST = 1


class Layer:
    """A layer.

    :ivar name: :class:`str` Its name.
    :ivar precision: [DEPRECATED] Deprecated in TensorRT 10.12.
        Superseded by strong typing. How it computes.
    :ivar tactic: Its tactic. See also the selector ([DEPRECATED] Deprecated in TensorRT 10.8. Use another).
    """

    SLOW = Mode.SLOW

    def _get(self) -> str:
        """(arg0: tensorrt_bindings.tensorrt.Layer) -> collections.abc.Sequence[typing.SupportsInt]"""  # noqa: D415
        return ""

    name = property(_get, lambda _self, _value: None)
    precision = property(_get)
    tactic = property(_get)


class Convolution(Layer):
    def run(self) -> None:
        """run(*args, **kwargs)
        Overloaded function.

        1. run(self: tensorrt_bindings.tensorrt.Convolution, times: typing.SupportsInt = 1) -> List[int]

            Run it. Deprecated, use go instead. It is slow.

        2. run(self: tensorrt_bindings.tensorrt.Convolution) -> <object at 0x7f00>
        """  # noqa: D205, D402


# pybind11's docstrings begin every line at the margin.
Convolution.run.__doc__ = "\n".join(line.strip() for line in (Convolution.run.__doc__ or "").splitlines())


@pytest.fixture
def facts() -> dict[str, dict[str, Any]]:
    module = ModuleType("made_by_hand")
    vars(module).update(
        Mode=Mode, Layer=Layer, Convolution=Convolution, os=json, _hidden=1, float32=Mode.FAST, word="x"
    )
    return describing.describe_module(module)


def test_modules_and_hidden_names_are_left_out(facts: dict[str, dict[str, Any]]) -> None:
    assert {name for name in facts if "." not in name} == {"Mode", "Layer", "Convolution", "float32", "word"}
    assert not [name for name in facts if "._" in name]


def test_members_and_constants_have_their_values(facts: dict[str, dict[str, Any]]) -> None:
    assert facts["Mode"]["kind"] == "enum"
    assert facts["Mode.FAST"] == {"kind": "member", "value": 1}
    assert facts["Layer.SLOW"] == {"kind": "value", "type": "Mode", "value": 0}
    assert facts["float32"] == {"kind": "value", "type": "Mode", "value": 1}
    assert facts["word"] == {"kind": "value", "type": "str"}


def test_properties_have_type_and_deprecation(facts: dict[str, dict[str, Any]]) -> None:
    assert facts["Layer.name"] == {"kind": "property", "type": "list[int]", "settable": True}
    assert facts["Layer.precision"] == {
        "kind": "property",
        "type": "list[int]",
        "deprecated": "Deprecated in TensorRT 10.12. Superseded by strong typing.",
    }
    assert "deprecated" not in facts["Layer.tactic"]
    assert "deprecated" not in facts["Layer"]


def test_methods_have_one_signature_for_each_overload(facts: dict[str, dict[str, Any]]) -> None:
    assert facts["Convolution"] == {"kind": "class", "bases": ["Layer"]}
    assert facts["Convolution.run"] == {
        "kind": "method",
        "signatures": ["(times: int = 1) -> list[int]", "() -> <object>"],
        "deprecated": "Deprecated, use go instead.",
    }


# ---- writing ------------------------------------------------------------------------------------------------------


def test_releases_with_the_same_fact_share_one_entry(tmp_path: Path) -> None:
    old: dict[str, Any] = {"kind": "member", "value": 0}
    new: dict[str, Any] = {"kind": "member", "value": 0, "deprecated": "Gone soon."}
    readings = [
        Reading(Source("tensorrt", "some-package", str(number)), "some.whl", "0" * 64, facts)
        for number, facts in enumerate([{"A": old}, {"A": old, "B": new}, {"A": new}, {"A": old}, {}])
    ]
    surface = read_wheels.merge(readings, "2026-01-02")
    assert surface["symbols"] == {"A": [["0-1 3", old], ["2", new]], "B": [["1", new]]}
    assert [release["version"] for release in surface["releases"]] == ["0", "1", "2", "3", "4"]
    target = tmp_path / "surface.json"
    target.write_text("older", encoding="utf-8")
    read_wheels.write_surface(surface, target)
    assert json.loads(target.read_text(encoding="utf-8")) == surface
    assert [path.name for path in tmp_path.iterdir()] == ["surface.json"]


def test_the_committed_file_is_written_as_the_reader_writes(tmp_path: Path) -> None:
    committed = DESCRIBE_SCRIPT.with_name("api_surface.json")
    target = tmp_path / "surface.json"
    read_wheels.write_surface(json.loads(committed.read_text(encoding="utf-8")), target)
    assert target.read_bytes() == committed.read_bytes()


def test_a_package_without_bindings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tensorrt_bindings").mkdir()
    with pytest.raises(TrtlabError, match="Expected one extension module in tensorrt_bindings, found"):
        read_wheels.describe_bindings(tmp_path, "tensorrt_bindings", tmp_path / "stubs")


def test_every_recorded_rtx_release_can_be_described() -> None:
    for version in KNOWN_RTX:
        assert has("OnnxParser", "tensorrt_rtx", version)
        assert describe("OnnxParser.parse", "tensorrt_rtx", version) is not None
