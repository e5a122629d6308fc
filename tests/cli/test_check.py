"""`trtlab check`: exit codes, the JSON that is promised, a table that fits, and names of a model as plain text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests import models
from tests.support.hostile_models import HOSTILE, SHAPE, det
from tests.support.joined_models import joined_model
from tests.support.test_session import attention_on_one_tensor

DIGITS = models.SAMPLES / "digits.onnx"
# The contract: these keys are fixed, more may be added.
KEYS = {"schema", "supported", "opset", "ir_version", "flavour", "version", "nodes", "inputs", "findings"}
NODE_KEYS = {
    "index", "name", "op_type", "domain", "scope", "status", "tensorrt_code", "message", "reason", "diagnosis_id", "remedies",
}  # fmt: skip


def run(*words: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, on a terminal of 80 columns."""
    return subprocess.run(
        [sys.executable, "-m", "trtlab", "check", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "COLUMNS": "80", **(environment or {})},
    )  # fmt: skip


def run_json(*words: str | Path) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the document; fails if there is anything but one document on standard output."""
    completed = run(*words, "--json")
    document: dict[str, Any] = json.loads(completed.stdout)
    assert completed.stdout.count("\n") == 1
    return completed.returncode, document


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Return a model with one refused node behind a good one."""
    nodes = [models.node("Relu", ["x"], ["a"], "relu"), det("a")]
    return models.save(
        models.model(nodes, [models.value("x", SHAPE)], [models.value("y", (1,))]), tmp_path / "faulty.onnx"
    )


def test_a_supported_model_exits_with_0() -> None:
    code, document = run_json(DIGITS)
    assert code == 0
    assert document["supported"] is True
    assert document["counts"] == {"supported": len(document["nodes"]), "unsupported": 0, "unknown": 0}
    assert document["depth"] == "full"


def test_the_promised_keys_are_there(faulty: Path) -> None:
    code, document = run_json(faulty)
    assert code == 1
    assert document["schema"] == "trtlab.check/1"
    assert document.keys() >= KEYS
    assert document["supported"] is False
    assert (document["opset"], document["ir_version"], document["flavour"]) == (17, 8, "tensorrt_rtx")
    assert all(node.keys() >= NODE_KEYS for node in document["nodes"])
    good, bad = document["nodes"]
    assert (good["status"], good["reason"], good["remedies"]) == ("supported", "", [])
    assert (bad["index"], bad["name"], bad["op_type"], bad["status"]) == (1, "det", "Det", "unsupported")
    assert bad["message"] == "false"
    assert "determinants" in bad["reason"]
    assert bad["tensorrt_code"] == "UNSUPPORTED_NODE"
    assert bad["diagnosis_id"] == "parse.unsupported_node"
    assert bad["remedies"][0]["text"]
    assert [item["name"] for item in document["inputs"]] == ["x"]


def test_each_node_and_input_is_listed(tmp_path: Path) -> None:
    proto, model = joined_model(3, 6, with_builder_faults=True)
    _, document = run_json(models.save(proto, tmp_path / "joined.onnx"))
    refused = {node["name"] for node in document["nodes"] if node["status"] == "unsupported"}
    assert refused == model.faulty
    assert {
        node["name"]: node["refused_by"] for node in document["nodes"] if node["name"] in model.by_builder
    } == dict.fromkeys(model.by_builder, "builder")
    assert {item["name"] for item in document["inputs"]} >= {value.name for value in proto.graph.input}


def test_quick_asks_the_parser_alone(tmp_path: Path) -> None:
    path = models.save(attention_on_one_tensor(), tmp_path / "attention.onnx")
    code, document = run_json(path, "--quick")
    assert (code, document["supported"], document["depth"]) == (0, True, "quick")
    code, document = run_json(path)
    assert (code, document["supported"], document["depth"]) == (1, False, "full")


def test_shapes_are_those_of_the_build() -> None:
    assert run(DIGITS, "--shapes", "image:1x1x8x8,4x1x8x8,16x1x8x8").returncode == 0
    completed = run(DIGITS, "--shapes", "image:wrong")
    assert completed.returncode == 2
    assert completed.stdout == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.onnx"], "none.onnx"),
        ([__file__], "not a model"),
        ([str(DIGITS), "--depth", "deep"], "unrecognized"),
        ([str(DIGITS), "-o", "small.onnx"], "--reduce"),
        ([str(DIGITS), "--memory-limit", "much"], "much"),
        ([], "MODEL"),
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], says: str) -> None:
    completed = run(*words)
    assert completed.returncode == 2
    assert says in completed.stderr
    assert "Traceback" not in completed.stderr
    assert completed.stdout == ""


def test_without_tensorrt_it_exits_with_3_and_says_what_to_install() -> None:
    completed = run(DIGITS, "--flavour", "tensorrt")
    assert completed.returncode == 3
    assert "pip install" in completed.stderr
    assert completed.stdout == ""


def test_a_time_limit_is_an_error_of_the_check() -> None:
    completed = run(DIGITS, "--time-limit", "0.01")
    assert completed.returncode == 1
    assert "time limit of 10" in completed.stderr
    assert "Traceback" not in completed.stderr


# The table


def test_the_table_says_which_nodes_and_why_in_80_columns(tmp_path: Path) -> None:
    proto, model = joined_model(3, 6, with_builder_faults=True)
    completed = run(models.save(proto, tmp_path / "joined.onnx"))
    assert completed.returncode == 1
    lines = completed.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("✕ Does not parse on TensorRT")
    for name in model.faulty:
        [row] = [line for line in lines if line.split()[-1:] == [name] or f"{name}  in " in line]
        assert "✕ refused" in row
    assert "Do this (node" in completed.stdout
    assert "TensorRT would take" in completed.stdout


def test_a_supported_model_is_said_in_a_line() -> None:
    completed = run(DIGITS)
    assert completed.stdout.startswith("✓ Supported: parses and builds on TensorRT")


@pytest.mark.parametrize("count", [40])
def test_long_lists_are_shortened(count: int, tmp_path: Path) -> None:
    nodes = [det("x", f"y{number}", f"det{number}") for number in range(count)]
    path = models.save(
        models.model(nodes, [models.value("x", SHAPE)], [models.value("y0", (1,))]), tmp_path / "many.onnx"
    )
    completed = run(path, "--quick")
    assert "... and 10 more (--all lists them)" in completed.stdout
    assert "det39" not in completed.stdout
    assert "det39" in run(path, "--quick", "--all").stdout
    assert len(run_json(path, "--quick")[1]["nodes"]) == count


@pytest.mark.parametrize("name", ["HTML", "line ends", "a mark of rich", "a right-to-left name", "10,000 characters"])
def test_names_of_a_model_are_plain_text(name: str, tmp_path: Path) -> None:
    proto = HOSTILE[name]()
    for node in proto.graph.node:
        node.name = proto.graph.node[0].name  # of the refused one too, so that the table shows it
    path = models.save(proto, tmp_path / "hostile.onnx")
    completed = run(path, "--quick")
    assert completed.returncode == 1
    assert all(letter.isprintable() or letter == "\n" for letter in completed.stdout)
    assert len(completed.stdout) < 5_000
    if name == "a mark of rich":
        assert "[bold]x[/]" in completed.stdout
    code, document = run_json(path, "--quick")
    assert code == 1
    assert document["nodes"][0]["name"] == proto.graph.node[0].name


# --reduce


def test_reduce_saves_the_smallest_model(faulty: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.onnx"
    code, document = run_json(faulty, "--quick", "--reduce", "-o", small)
    assert code == 1
    assert document["reduced"]["path"] == str(small)
    assert (document["reduced"]["node"], document["reduced"]["node_count"]) == (1, 1)
    onnx.checker.check_model(onnx.load(small))
    again = run(faulty, "--quick", "--reduce", "det", "-o", small)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    named = run(faulty, "--quick", "--reduce", "1", "-o", tmp_path / "other.onnx")
    assert named.returncode == 1
    assert "saved as" in " ".join(named.stdout.split())


@pytest.mark.parametrize("node", ["relu", "0", "7", "none"])
def test_reduce_to_what_is_not_refused_is_wrong_usage(node: str, faulty: Path, tmp_path: Path) -> None:
    completed = run(faulty, "--quick", "--reduce", node, "-o", tmp_path / "small.onnx")
    assert completed.returncode == 2
    assert "Traceback" not in completed.stderr
    assert not (tmp_path / "small.onnx").exists()


def test_reduce_of_a_supported_model_reduces_nothing(tmp_path: Path) -> None:
    code, document = run_json(DIGITS, "--reduce", "-o", tmp_path / "small.onnx")
    assert (code, document["reduced"]) == (0, None)
    assert list(tmp_path.iterdir()) == []
