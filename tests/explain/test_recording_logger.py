"""The drop-in logger records, writes JSON lines, explains errors as they come, and never raises into native code."""

from __future__ import annotations

import json
import types
from pathlib import Path

import pytest

from tests.explain.processes import run_python
from trtlab._errors import InputError
from trtlab.explain.diagnosis import Diagnoses
from trtlab.explain.recording_logger import MessageRecorder, make_logger, read_records

MEMORY = "Error Code 2: OutOfMemory (Requested size was 68719477120 bytes.)"


def recorder(path: Path | None = None, found: list[Diagnoses] | None = None) -> MessageRecorder:
    return MessageRecorder(
        path=path, show=None, explain=True, language="en", on_error=None if found is None else found.append
    )


def test_records_are_kept_and_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    one = recorder(path)
    one.take("verbose", "working\non it")
    one.take("error", MEMORY)
    one.close()
    assert [json.loads(line)["severity"] for line in path.read_text().splitlines()] == ["verbose", "error"]
    assert read_records(path) == one.records
    path.write_text(path.read_text() + '{"time": 1.0, "sev')
    assert len(read_records(path)) == 2, "a line that a crash cut off is left out"
    assert one.analyse().diagnoses[0].id == "build.out_of_memory"
    one.take("info", "after the file was closed")
    assert len(one.records) == 3
    assert one.problems == []


def test_an_error_is_explained_once_and_with_what_came_before() -> None:
    found: list[Diagnoses] = []
    one = recorder(found=found)
    one.take("error", MEMORY)
    one.take("error", MEMORY)
    one.take(
        "error", "Error Code 10: Internal Error (Could not find any implementation for node {ForeignNode[a...b]}.)"
    )
    assert [diagnoses[0].id for diagnoses in found] == ["build.out_of_memory"]


def test_what_goes_wrong_in_it_is_noted_and_not_raised() -> None:
    def fail(found: Diagnoses) -> None:
        del found
        raise RuntimeError("in the caller's own code")

    one = MessageRecorder(path=None, show=None, explain=True, language="en", on_error=fail)
    one.take("error", MEMORY)
    assert one.problems == ["RuntimeError: in the caller's own code"]
    assert len(one.records) == 1


def test_the_real_builder_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    output = run_python(f"""
        import tensorrt_rtx as trt, trtlab
        logger = trtlab.make_logger(trt, path={str(path)!r}, show=None, on_error=lambda found: print(found[0].id))
        builder = trt.Builder(logger)
        network = builder.create_network(0)
        assert builder.build_serialized_network(network, builder.create_builder_config()) is None
        print(len(logger.recorder.records) > 0, logger.recorder.problems)
    """)
    assert output.splitlines() == ["parse.invalid_model", "True []"]
    assert any(record.severity == "error" for record in read_records(path))


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="has no ILogger"):
        make_logger(json)
    module = types.SimpleNamespace(ILogger=object)
    with pytest.raises(InputError, match="none of"):
        make_logger(module, show="loud")  # type: ignore[arg-type]
