"""What is known about a name that is gone, asked by the words of Python's own messages."""

from __future__ import annotations

import pytest

from trtlab._results import from_dict
from trtlab.explain.code.changes import ApiChange, by_attribute, removed_symbol, short_version


def test_a_name_says_since_when_it_is_gone_and_what_replaces_it() -> None:
    found = removed_symbol("ICudaEngine", "num_bindings")
    assert found is not None
    assert found.until == {"tensorrt": "8.6.1"}
    assert found.sentence() == (
        "ICudaEngine.num_bindings is gone since TensorRT 10.0 (8.6 still had it), and never was in TensorRT-RTX."
    )
    assert "num_io_tensors" in repr(found)
    assert "从 TensorRT 10.0 起没有" in found.sentence("zh")
    assert from_dict(ApiChange, found.to_dict()) == found


@pytest.mark.parametrize(
    "owner", ["ICudaEngine", "tensorrt.tensorrt.ICudaEngine", "tensorrt_bindings.tensorrt.ICudaEngine", None]
)
def test_the_owner_is_understood_as_python_writes_it(owner: str | None) -> None:
    found = removed_symbol(owner, "num_bindings")
    assert found is not None
    assert found.symbol == "ICudaEngine.num_bindings"


def test_names_of_the_module_and_members_of_classes_that_are_gone() -> None:
    module = removed_symbol("tensorrt", "IInt8EntropyCalibrator2")
    member = removed_symbol("IInt8EntropyCalibrator2", "get_batch_size")
    assert module is not None
    assert member is not None
    assert module.symbol == member.symbol == "IInt8EntropyCalibrator2"


def test_names_that_are_nobodys_say_nothing() -> None:
    assert removed_symbol("ICudaEngine", "no_such_name") is None
    assert removed_symbol(None, "stride") is None, "others call theirs so, too"
    assert removed_symbol("ICudaEngine", "num_io_tensors") is None, "it is still there"


def test_older_releases_are_known_from_documentation() -> None:
    found = removed_symbol("Builder", "fp16_mode")
    assert found is not None
    assert found.sure == "documentation"
    assert (found.until["tensorrt"], found.since["tensorrt"]) == ("7.2", "8.0")
    assert found.references


def test_names_that_only_tensorrt_has_lead_to_their_classes() -> None:
    assert by_attribute()["get_binding_shape"] == (
        "ICudaEngine.get_binding_shape",
        "IExecutionContext.get_binding_shape",
    )
    assert "padding" not in by_attribute()


def test_versions_are_written_short() -> None:
    assert short_version("10.14.1.48.post1") == "10.14"
    assert short_version("") == ""
