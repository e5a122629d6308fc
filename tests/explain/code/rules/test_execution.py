"""Running an engine: addresses are set by name, and the batch is part of the shapes."""

from __future__ import annotations

import pytest

from tests.explain.code.scripts import changed, checked, rewritten


def test_addresses_are_set_before_the_call() -> None:
    assert changed("context.execute_async_v2(bindings=[1, 2], stream_handle=stream.handle)  # run\n") == (
        "for tensor_index, tensor_address in enumerate([1, 2]):\n"
        "    context.set_tensor_address(context.engine.get_tensor_name(tensor_index), int(tensor_address))\n"
        "context.execute_async_v3(stream.handle)  # run\n"
    )


def test_the_result_and_the_indentation_stay() -> None:
    before = "def run(tensor_index):\n\tok = context.execute_async_v2([int(b) for b in bound], 0, None)\n\treturn ok\n"
    assert changed(before) == (
        "def run(tensor_index):\n"
        "\tfor binding_index, tensor_address in enumerate([int(b) for b in bound]):\n"
        "\t    context.set_tensor_address(context.engine.get_tensor_name(binding_index), int(tensor_address))\n"
        "\tok = context.execute_async_v3(0)\n"
        "\treturn ok\n"
    )


def test_newlines_of_windows_stay() -> None:
    text = "import tensorrt\r\ndef run(context):\r\n    return context.execute_async_v2([1], 0)\r\n"
    after = rewritten(text)
    assert after.count("\n") == after.count("\r\n") == 5


def test_changes_in_the_arguments_are_kept() -> None:
    after = changed(
        "found[engine.num_bindings] = context.execute_async_v2([0] * engine.num_bindings, engine.num_bindings)\n"
    )
    assert after.count("num_io_tensors") == 3


def test_without_a_batch() -> None:
    assert changed("context.execute(1, bindings)") == "context.execute_v2(bindings)"
    assert changed("ok = context.execute(batch_size=1, bindings=[1])") == "ok = context.execute_v2([1])"
    assert "execute_async_v3(0)" in changed("context.execute_async(bindings=[1], stream_handle=0)")


@pytest.mark.parametrize(
    "text",
    [
        "context.execute(8, bindings)",
        "context.execute_async(batch, bindings, 0)",
        "context.execute_async_v2([1], 0, event)",
        "context.execute_async_v2([1])",
        "context.execute_async_v2(*arguments)",
        "if context.execute_async_v2([1], 0):\n    pass",
        "run = context.execute_async_v2",
        "if True: context.execute_async_v2([1], 0)",
        "x = 1; context.execute_async_v2([1], 0)",
        "if True: \\\n  context.execute_async_v2([1], 0)",
        "[context][0].execute_async_v2([1], 0)",
    ],
)
def test_what_needs_a_person_stays(text: str) -> None:
    assert checked(text).findings
    assert changed(text) == text


def test_the_strategy_of_a_context_becomes_an_argument() -> None:
    assert changed("c = engine.create_execution_context_without_device_memory()", "11.4") == (
        "c = engine.create_execution_context(trt.ExecutionContextAllocationStrategy.USER_MANAGED)"
    )
