"""The opset limits: what is known is said with its source, what is not known is not made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtlab._errors import InputError
from trtlab.support.opset_limits import opset_finding, opset_limit, opset_limits
from trtlab.support.release_names import ReleaseName, release_name

LIMITS = opset_limits()
OPSETS = st.integers(1, 40)
UNKNOWN = ("10.2", "10.3", "10.4", "10.5", "10.7", "10.9", "10.10", "10.11", "10.13", "11.3", "11.4")


@pytest.mark.parametrize(
    ("text", "flavour", "version"),
    [
        ("8.6", "tensorrt", "8.6"),
        ("10.16.1.11", "tensorrt", "10.16"),
        ("TensorRT 10.0", "tensorrt", "10.0"),
        ("RTX 1.7", "tensorrt_rtx", "1.7"),
        ("TensorRT-RTX 1.7.1.116", "tensorrt_rtx", "1.7"),
        ("tensorrt_rtx 1.4", "tensorrt_rtx", "1.4"),
    ],
)
def test_releases_are_named_as_people_write_them(text: str, flavour: str, version: str) -> None:
    assert release_name(text) == ReleaseName(flavour, version)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "8", "11.x", "ten", "8.6 or so", "1" * 50 + ".0"])
def test_what_is_no_release_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InputError, match=r"RTX 1\.7"):
        release_name(text)


def test_every_release_stands_once_and_every_known_limit_has_its_source() -> None:
    assert len({limit.name for limit in LIMITS}) == len(LIMITS)
    for limit in LIMITS:
        assert (limit.sure == "documented") == limit.source.startswith("https://github.com/"), limit
        assert limit.max_opset is not None or limit.sure in {"unknown", "measured"}, limit
        assert limit.source or limit.note, limit


def test_the_newest_opset_never_went_down() -> None:
    """What `opset_finding` concludes for releases that were not found rests on this."""
    known = [limit for limit in LIMITS if limit.flavour == "tensorrt" and limit.max_opset is not None]
    assert known == sorted(known, key=lambda limit: limit.name.numbers)
    opsets = [limit.max_opset or 0 for limit in known]
    assert opsets == sorted(opsets)


@pytest.mark.parametrize("version", UNKNOWN)
def test_releases_whose_limit_was_not_found_have_none(version: str) -> None:
    limit = opset_limit(ReleaseName("tensorrt", version))
    assert limit is not None
    assert (limit.max_opset, limit.sure) == (None, "unknown")


@given(opset=OPSETS, limit=st.sampled_from(LIMITS))
def test_a_warning_comes_just_where_a_known_limit_is_passed(opset: int, limit: object) -> None:
    assert limit in LIMITS
    known = next(item for item in LIMITS if item == limit)
    finding = opset_finding(opset, known.flavour, f"{known.version}.1.2")
    passed = (known.max_opset is not None and opset > known.max_opset) or opset < (known.min_opset or 0)
    assert (finding is not None and finding.severity == "warning") == passed
    if finding is not None:
        assert finding.id == "support.opset"
        assert f"opset {opset}" in finding.text
        assert known.name.title in finding.text
    if finding is not None and passed:
        assert "convert_version" in finding.text
        assert known.source in finding.text or opset < (known.min_opset or 0)


@pytest.mark.parametrize(
    ("opset", "flavour", "version", "severity"),
    [
        (22, "tensorrt", "10.7", None),  # 10.6 goes that far
        (23, "tensorrt", "10.7", "info"),
        (25, "tensorrt", "11.5", None),
        (26, "tensorrt", "12.0", "info"),
        (20, "tensorrt", "3.0", "info"),
        (99, "tensorrt_rtx", "1.7.1", None),  # it enforces none
        (6, "tensorrt_rtx", "1.7.1", "warning"),
        (99, "tensorrt_rtx", "1.4", None),
    ],
)
def test_what_is_not_known_is_said_to_be_unknown(opset: int, flavour: str, version: str, severity: str | None) -> None:
    finding = opset_finding(opset, flavour, version)  # type: ignore[arg-type]
    assert (finding.severity if finding else None) == severity
    if severity == "info":
        assert finding is not None
        assert "not known" in finding.text
