"""Other releases' verdicts: read tables are taken over rightly, and what no table says stays unknown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.explain.processes import run_python
from trtlab._errors import InputError
from trtlab._results import from_dict
from trtlab.explain.compile_catalog import load_yaml
from trtlab.support.compile_operators import SOURCE, compiled, first_opsets, read_table
from trtlab.support.opset_limits import opset_limit
from trtlab.support.release_operators import operator_cell, read_releases, table_source
from trtlab.support.releases import (
    DEFAULT_RELEASES,
    MEASURED,
    OPERATORS,
    ReleaseCell,
    ReleaseTable,
    release_verdicts,
)

CONTENT = json.loads(OPERATORS.read_text("utf-8"))
MEASUREMENT = json.loads(MEASURED.read_text("utf-8"))["releases"][0]
STANDARD = tuple(CONTENT["operators"])
RESTRICTIONS = [(pattern, fact) for pattern, fact in load_yaml(SOURCE)["restrictions"]]
TABLE = """
TensorRT 99.1 supports operators in the inclusive range of opset 9 to opset 30. More elsewhere.

TensorRT supports the following ONNX data types: DOUBLE, FLOAT32, INT4, and BOOL

| Operator | Supported | Supported Types | Restrictions |
|----------|-----------|-----------------|--------------|
| Abs      | Y         | FP32, INF64, INT32 BOOL |
| LpPool   | Y [EXPERIMENTAL] | FP32, | 2D or 3D pooling only. `dilations` must be empty or all ones  |
| Det      | N         |
| Twice    | Y         | FP32 |
| Twice    | N         |
"""


def cell(operator: str, release: str) -> ReleaseCell:
    return release_verdicts({operator: 1}, None, releases=[release]).operators[0].cells[0]


# The compiler


def test_a_table_is_read_with_its_slips_of_the_pen() -> None:
    table = read_table(TABLE, RESTRICTIONS)
    assert (table.min_opset, table.max_opset, table.types) == (9, 30, ("DOUBLE", "FLOAT32", "INT4", "BOOL"))
    assert table.rows["Abs"] == (True, ("FP32", "INT64", "INT32", "BOOL"), "")
    assert table.rows["LpPool"] == (True, ("FP32",), "marked experimental; 2D and 3D only; dilations 1 only")
    assert table.rows["Det"] == (False, (), "")
    assert table.rows["Twice"][0] is None


def test_a_restriction_that_nobody_put_into_words_stops_the_compiler() -> None:
    with pytest.raises(ValueError, match=r"LpPool: no pattern for .*on Sundays"):
        read_table(TABLE.replace("all ones", "all ones. Closed on Sundays"), RESTRICTIONS)
    with pytest.raises(ValueError, match="no title"):
        read_table("an error page", RESTRICTIONS)


def test_rows_that_stay_the_same_are_joined_and_a_gap_stays_a_gap() -> None:
    table = read_table(TABLE, RESTRICTIONS)
    without = read_table(TABLE.replace("| Det      | N         |\n", ""), RESTRICTIONS)
    content = json.loads(
        compiled([({"version": str(n)}, item) for n, item in enumerate((table, table, without, table))], {})
    )
    assert content["operators"]["Abs"][1] == [[0, 3, True, ["FP32", "INT64", "INT32", "BOOL"], ""]]
    assert [span[:3] for span in content["operators"]["Det"][1]] == [[0, 1, False], [3, 3, False]]


# The data


def test_the_data_are_those_of_the_releases_that_the_source_names() -> None:
    named = load_yaml(SOURCE)["releases"]
    assert [{key: item[key] for key in named[0]} for item in CONTENT["releases"]] == named
    for index, item in enumerate(CONTENT["releases"]):
        assert len(item["commit"]) == 40
        listed = [
            name for name, (_, spans) in CONTENT["operators"].items() if any(s[0] <= index <= s[1] for s in spans)
        ]
        assert len(listed) >= 180


def test_the_opset_that_brought_each_operator_is_the_standards() -> None:
    assert {name: CONTENT["operators"][name][0] for name in first_opsets()} == first_opsets()


def test_the_opsets_of_the_tables_are_those_of_the_limits() -> None:
    for name in read_releases():
        source, limit = table_source(name), opset_limit(name)
        if source is not None:
            assert limit is not None
            assert limit.max_opset == source.max_opset


@pytest.mark.parametrize(
    ("operator", "release", "verdict", "note"),
    [
        ("Conv", "8.6", "yes", ""),
        ("NonMaxSuppression", "8.4", "yes", ""),
        ("Det", "11.1", "no", ""),
        ("STFT", "10.1", "no", ""),
        ("STFT", "10.6", "yes", "real input only"),
        ("Attention", "10.14", "yes", "no past_key"),
        ("Attention", "10.8", "no", "since opset 23"),
        ("Attention", "10.12", "unknown", "does not have it"),
        ("CastLike", "8.6", "unknown", "does not have it"),
        ("Swish", "11.0", "yes", ""),
        ("HardSwish", "8.4", "unknown", "twice"),
        ("Conv", "10.9", "unknown", "not found"),
        ("Conv", "12.0", "unknown", "not found"),
        ("ai.onnx.Conv", "8.6", "yes", ""),
        ("com.acme.Conv", "8.6", "unknown", "needs a plugin"),
        ("ai.onnx.ml.Scaler", "11.1", "unknown", "needs a plugin"),
        ("EfficientNMS_TRT", "10.0", "unknown", "needs a plugin"),
        ("Det", "RTX 1.7", "no", "does not know the name"),
        ("Conv", "RTX 1.7", "yes", "built"),
        ("Conv", "RTX 1.4", "unknown", "not found"),
    ],
)
def test_single_cells(operator: str, release: str, verdict: str, note: str) -> None:
    """Facts read off the tables by hand."""
    found = cell(operator, release)
    assert found.verdict == verdict
    assert note in found.note


@given(operator=st.sampled_from(STANDARD) | st.text(max_size=30), number=st.integers(0, 40), rtx=st.booleans())
def test_no_verdict_without_a_source(operator: str, number: int, rtx: bool) -> None:
    release = f"RTX 1.{number}" if rtx else f"10.{number}"
    found = cell(operator, release)
    known = {name.title for name in read_releases()}
    if (f"TensorRT-RTX 1.{number}" if rtx else f"TensorRT 10.{number}") not in known or operator not in STANDARD:
        assert found.verdict == "unknown" or operator.startswith("ai.onnx.")
    assert (found.sure == "unknown") <= (found.verdict == "unknown")
    assert found.verdict != "unknown" or found.note


@given(operator=st.sampled_from(STANDARD))
def test_an_operator_that_was_supported_stays_so(operator: str) -> None:
    """No table of a newer release takes back what an older one says; it would be worth a look."""
    words = [operator_cell(operator, name).verdict for name in read_releases() if name.flavour == "tensorrt"]
    decided = [word for word in words if word != "unknown"]
    assert decided == sorted(decided), words  # no, then yes


# The table


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("float32", ["yes"] * 5),
        ("int16", ["no"] * 5),
        ("bfloat16", ["no", "yes", "yes", "yes", "yes"]),
        ("int4", ["no", "yes", "yes", "yes", "yes"]),
        ("float4e2m1", ["no", "no", "yes", "yes", "yes"]),
        ("float8e5m2", ["no", "unknown", "unknown", "unknown", "no"]),
        ("uint8", ["yes"] * 5),
    ],
)
def test_types(dtype: str, words: list[str]) -> None:
    [row] = release_verdicts({}, None, [dtype]).dtypes
    assert [item.verdict for item in row.cells] == words


def test_int64_is_cast_before_9_and_uint8_came_with_8_5() -> None:
    table = release_verdicts({}, None, ["int64", "uint8"], releases=["8.4", "8.5", "9.0"])
    wide, bytes_ = table.dtypes
    assert ["becomes int32" in item.note for item in wide.cells] == [True, True, False]
    assert [item.verdict for item in bytes_.cells] == ["no", "yes", "yes"]


def test_the_table_of_a_model() -> None:
    operators = {"Relu": 3, "Det": 1, "Gelu": 2, "my.Block": 1}
    table = release_verdicts(operators, 20, ["float32"], functions=["my.Block"])
    assert len(table.columns) == len(DEFAULT_RELEASES)
    assert table.operators[0].name == "Det", "what most releases lack comes first"
    assert {row.name: row.count for row in table.operators} == operators
    assert [row.name for row in table.refused_by("8.6")] == ["opset 20", "Det", "Gelu", "my.Block"]
    assert table.opset is not None
    assert [item.verdict for item in table.opset.cells] == ["no", "yes", "yes", "yes", "unknown"]
    assert "TensorRT 8.6: no: opset 20" in repr(table)
    assert "can still be refused" in table.note
    assert from_dict(ReleaseTable, table.to_dict()) == table


def test_names_from_a_model_are_text() -> None:
    table = release_verdicts({"<script>alert(1)</script>.A" + "b" * 10_000: 1}, 17)
    assert "<script>" not in table._repr_mimebundle_()["text/html"]
    assert len(repr(table)) < 1500


def test_a_release_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="'newest' names no release"):
        release_verdicts({"Relu": 1}, 17, releases=["newest"])


# The measured release

ASK = """
    import json, sys
    from trtlab.engine import flavour as flavours
    from trtlab.engine.parsing import ParsedNetwork
    flavour = flavours.choose("tensorrt_rtx", lambda module: module.Logger(module.Logger.INTERNAL_ERROR))
    network = ParsedNetwork(flavour, strongly_typed=False)
    answers = {name: int(network.parser.supports_operator(name)) for name in %s}
    print(json.dumps([flavour.module.__version__, answers]))
    network.release()
"""


def test_the_real_parser_still_says_what_was_measured() -> None:
    version, answers = json.loads(run_python(ASK % json.dumps(list(MEASUREMENT["operators"]))).splitlines()[-1])
    if version != MEASUREMENT["version"]:
        pytest.skip(f"measured with {MEASUREMENT['version']}, here is {version}")
    assert answers == {name: counts[0] for name, counts in MEASUREMENT["operators"].items()}


def test_what_the_parser_does_not_know_was_never_parsed() -> None:
    for name, (known, models, parsed, built) in MEASUREMENT["operators"].items():
        assert built <= parsed <= models, name
        assert known or not parsed, name
