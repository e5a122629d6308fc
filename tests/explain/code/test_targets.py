"""Which release is meant, and why it lacks a name."""

from __future__ import annotations

from importlib import metadata

import pytest

from trtlab._errors import InputError, MissingError
from trtlab.explain.code.targets import absence, setting_absence, target_for


@pytest.mark.parametrize(
    ("asked", "flavour", "read"),
    [
        ("10.8", "tensorrt", "10.8"),
        ("10", "tensorrt", "10.16"),
        ("v8.6.1", "tensorrt", "8.6.1"),
        ("TensorRT 11.4", "tensorrt", "11.4"),
        ("trt-10.0", "tensorrt", "10.0"),
        ("rtx-1.7.1", "tensorrt_rtx", "1.7.1"),
        ("tensorrt_rtx 1.5", "tensorrt_rtx", "1.5"),
        ("1.4", "tensorrt_rtx", "1.4"),
        ("8.2", "tensorrt", "8.6.1"),
        ("7", "tensorrt", "8.6.1"),
        (" 11.99 ", "tensorrt", "11."),
    ],
)
def test_releases_as_people_write_them(asked: str, flavour: str, read: str) -> None:
    target = target_for(asked, ())
    assert target.flavour == flavour
    assert target.read.version.startswith(read)
    assert not target.installed


@pytest.mark.parametrize("asked", ["", "newest", "10.x", "rtx", "rtx-10.8", "99", "0.1", "3.0", "10.8; rm"])
def test_what_is_no_release_is_refused_with_examples(asked: str) -> None:
    with pytest.raises(InputError, match=r"1\.|11"):
        target_for(asked, ())


def test_the_installed_one_is_taken_where_none_is_named() -> None:
    target = target_for(None, ("tensorrt",))
    assert target.installed
    assert target.name.startswith("TensorRT")


def test_without_any_installed_the_message_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", nothing)
    with pytest.raises(MissingError, match=r"release='11\.\d+' or 'rtx-1\.7'"):
        target_for(None, ())


def test_of_two_installed_flavours_the_imported_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"tensorrt": "10.8.0.43", "tensorrt-rtx": "1.7.1.116"}

    def version(package: str) -> str:
        if package not in versions:
            raise metadata.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(metadata, "version", version)
    assert target_for(None, ("tensorrt_rtx",)).name == "TensorRT-RTX 1.7.1.116"
    assert target_for(None, ("tensorrt",)).name == "TensorRT 10.8.0.43"


@pytest.mark.parametrize(
    ("symbol", "release", "kind", "since"),
    [
        ("ICudaEngine.num_bindings", "10.8", "removed", "10.0.1"),
        ("BuilderFlag.FP16", "11.4", "removed", "11.0.0.114"),
        ("BuilderFlag.FP16", "rtx-1.7", "removed", "1.5.0.114"),
        ("Builder.platform_has_fast_fp16", "rtx-1.7", "removed", "11.0.0.114"),
        ("Builder.fp16_mode", "8.6", "removed", "8.0"),
        ("Builder.fp16_mode", "8.2", "removed", "8.0"),
        ("IStreamReaderV2", "8.6", "later", "10.7.0"),
        ("ComputeCapability", "11.4", "other_flavour", ""),
    ],
)
def test_why_a_release_lacks_a_name(symbol: str, release: str, kind: str, since: str) -> None:
    found = absence(symbol, target_for(release, ()))
    assert found is not None
    assert (found.kind, found.since) == (kind, since)


@pytest.mark.parametrize(
    ("symbol", "release"),
    [
        ("ICudaEngine.num_bindings", "8.6"),
        ("Builder.fp16_mode", "7.2"),
        ("no.such_name", "10.8"),
        (
            "IStreamReaderV2",
            "8.2",
        ),  # 8.2 was not read, so that nothing is said about what it lacks and 8.6 has not either
    ],
)
def test_names_that_nothing_is_said_about(symbol: str, release: str) -> None:
    assert absence(symbol, target_for(release, ())) is None


def test_properties_that_can_only_be_read_by_now() -> None:
    found = setting_absence("IExecutionContext.active_optimization_profile", target_for("10.8", ()))
    assert found is not None
    assert (found.kind, found.until) == ("read_only", "8.6.1")
    assert setting_absence("IExecutionContext.active_optimization_profile", target_for("8.6", ())) is None
    assert setting_absence("ITensor.dtype", target_for("10.8", ())) is None
    assert setting_absence("ITensor.dtype", target_for("rtx-1.7", ())) is not None
    assert setting_absence("ICudaEngine.name", target_for("10.8", ())) is None, "no release could set it"
