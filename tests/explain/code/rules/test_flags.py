"""Flags and statements that are not needed any more."""

from __future__ import annotations

import pytest

from tests.explain.code.scripts import changed, checked, rewritten


@pytest.mark.parametrize(
    ("before", "after", "release"),
    [
        ("builder.max_batch_size = 1  # one\nx = 1", "x = 1", "10.8"),
        ("# kept\nbuilder.max_batch_size = 1\n# kept, too", "# kept\n# kept, too", "10.8"),
        ("if x:\n    builder.max_batch_size = max(1, n)\n", "if x:\n    pass\n", "10.8"),
        ("if x:\n    builder.max_batch_size = 1\n    builder.max_batch_size = 2\n", "if x:\n    pass\n", "10.8"),
        ("config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)\n", "", "11.4"),
        ("config.clear_flag(trt.BuilderFlag.REJECT_EMPTY_ALGORITHMS)\n", "", "11.4"),
        ("builder.max_batch_size = 1", "", "10.8"),
        ("engine.destroy()\ndel engine", "del engine", "10.8"),
        ("config.set_flag(trt.BuilderFlag.ENABLE_TACTIC_HEURISTIC)", "config.builder_optimization_level = 2", "10.8"),
    ],
)  # fmt: skip
def test_statements_go_and_comments_on_other_lines_stay(before: str, after: str, release: str) -> None:
    assert changed(before, release) == after


@pytest.mark.parametrize(
    ("before", "release"),
    [
        ("builder.max_batch_size = ask()", "10.8"),
        ("builder.max_batch_size = (n := 3)", "10.8"),
        ("builder.max_batch_size = x = 1", "10.8"),
        ("builder.max_batch_size += 1", "10.8"),
        ("print(builder.max_batch_size)", "10.8"),
        ("del builder.max_batch_size", "10.8"),
        ("x = 1; builder.max_batch_size = 1", "10.8"),
        ("if x: builder.max_batch_size = 1", "10.8"),
        ("config.flags = 1 << int(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)", "11.4"),
        ("flag = trt.BuilderFlag.STRICT_TYPES", "10.8"),
        ("x = engine.destroy()", "10.8"),
        ("config.clear_flag(trt.BuilderFlag.ENABLE_TACTIC_HEURISTIC)", "10.8"),
    ],
)
def test_what_does_more_stays(before: str, release: str) -> None:
    assert checked(before, release).findings
    assert changed(before, release) == before


def test_one_flag_that_became_several() -> None:
    assert changed("if x:\n  config.set_flag(trt.BuilderFlag.STRICT_TYPES)  # strict\n") == (
        "if x:\n"
        "  config.set_flag(trt.BuilderFlag.PREFER_PRECISION_CONSTRAINTS)\n"
        "  config.set_flag(trt.BuilderFlag.DIRECT_IO)\n"
        "  config.set_flag(trt.BuilderFlag.REJECT_EMPTY_ALGORITHMS)  # strict\n"
    )


EXPLICIT = "trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH"
STRONG = "trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"n = builder.create_network(1 << int({EXPLICIT}))", "n = builder.create_network()"),
        (f"n = builder.create_network(flags=1 << int({EXPLICIT}))", "n = builder.create_network()"),
        (f"EXPLICIT_BATCH = 1 << (int)({EXPLICIT})\n", "EXPLICIT_BATCH = 0\n"),
        (f"flags = 1 << {EXPLICIT}.value", "flags = 0"),
        (f"flags = (1 << int({EXPLICIT})) | (1 << int({STRONG}))", f"flags = 1 << int({STRONG})"),
        (f"flags = 1 << int({STRONG}) | 1 << int({EXPLICIT}) | other", f"flags = (1 << int({STRONG})) | other"),
        (f"flags = (1 << int({EXPLICIT})) + (1 << int({EXPLICIT}))", "flags = 0"),
        (f"flags |= 1 << int({EXPLICIT})", "flags |= 0"),
        (f"flags = ((1 << int({EXPLICIT})) + (1 << int({STRONG}))) << 2", f"flags = ((1 << int({STRONG}))) << 2"),
        (f"flags = int({EXPLICIT})", None),
        (f"flags = 2 << int({EXPLICIT})", None),
        (f"flags = x & ~(1 << int({EXPLICIT}))", "flags = x & ~(0)"),
        (f"flags = (1 << int({EXPLICIT})) * 3", None),
        ("config.set_tactic_sources(1 << int(trt.TacticSource.CUBLAS))", None),
        ("config.set_tactic_sources(1 << int(trt.TacticSource.CUBLAS) | 1 << int(trt.TacticSource.EDGE_MASK_CONVOLUTIONS))",
         "config.set_tactic_sources(1 << int(trt.TacticSource.EDGE_MASK_CONVOLUTIONS))"),
    ],
)  # fmt: skip
def test_bits_leave_a_sum(before: str, after: str | None) -> None:
    assert changed(before, "11.4") == (before if after is None else after)


def test_imported_flags_are_bits_as_well() -> None:
    text = "from tensorrt import Builder, NetworkDefinitionCreationFlag as F\nBuilder(x).create_network(1 << int(F.EXPLICIT_BATCH))\n"
    assert rewritten(text, "11.4").endswith("create_network()\n")
