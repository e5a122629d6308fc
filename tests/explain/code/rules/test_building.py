"""Settings of the builder move to its config, and building gives a serialized engine."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.explain.code.scripts import changed, checked, rewritten

WORKSPACE = "trt.MemoryPoolType.WORKSPACE"
PLAN = "serialized_engine = builder.build_serialized_network(network, config)"
ENGINE = (
    "trt.Runtime(builder.logger).deserialize_cuda_engine(serialized_engine) if serialized_engine is not None else None"
)
OTHER = "engine_plan = builder.build_serialized_network(network, config)"
FROM_OTHER = "trt.Runtime(builder.logger).deserialize_cuda_engine(engine_plan) if engine_plan is not None else None"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("config.max_workspace_size = 1 << 30  # 1 GiB", f"config.set_memory_pool_limit({WORKSPACE}, 1 << 30)  # 1 GiB"),
        ("config.max_workspace_size=size", f"config.set_memory_pool_limit({WORKSPACE}, size)"),
        ("config.max_workspace_size = (  # much\n    1 << 30\n)", f"config.set_memory_pool_limit({WORKSPACE}, (  # much\n    1 << 30\n))"),
        ("config.max_workspace_size = \\\n    1 << 30", f"config.set_memory_pool_limit({WORKSPACE}, 1 << 30)"),
        ("config.max_workspace_size = config.max_workspace_size * 2",
         f"config.set_memory_pool_limit({WORKSPACE}, config.get_memory_pool_limit({WORKSPACE}) * 2)"),
        ("x = 1; config.max_workspace_size = 1", f"x = 1; config.set_memory_pool_limit({WORKSPACE}, 1)"),
        ("print(config.max_workspace_size)", f"print(config.get_memory_pool_limit({WORKSPACE}))"),
        ("config.max_workspace_size += 1", None),
        ("config.max_workspace_size = x = 1", None),
        ("config.max_workspace_size: int = 1", None),
        ("config.max_workspace_size, x = 1, 2", None),
        ("(config.max_workspace_size) = 1", None),
        ("del config.max_workspace_size", None),
        ("for config.max_workspace_size in [1]: pass", None),
    ],
)  # fmt: skip
def test_the_workspace_becomes_a_memory_pool(before: str, after: str | None) -> None:
    assert checked(before).findings
    assert changed(before) == (before if after is None else after)


def test_without_a_name_for_the_module_it_needs_a_person() -> None:
    text = "from tensorrt import Builder, Logger\nconfig = Builder(Logger()).create_builder_config()\nconfig.max_workspace_size = 1\n"
    assert rewritten(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("plan = builder.build_engine(network, config).serialize()", "plan = builder.build_serialized_network(network, config)"),
        ("e = builder.build_engine(network, config)  # long",
         f"{PLAN}\ne = {ENGINE}  # long"),
        ("def build():\n    return builder.build_engine(network=network, config=config)",
         f"def build():\n    {PLAN}\n    return {ENGINE}"),
        ("with builder.build_engine(network, config) as e:\n    pass",
         "with trt.Runtime(builder.logger).deserialize_cuda_engine(builder.build_serialized_network(network, config)) as e:\n    pass"),
        ("serialized_engine = builder.build_engine(network, config)",
         f"{OTHER}\nserialized_engine = {FROM_OTHER}"),
        ("builder.build_engine(network)", None),
        ("builder.build_engine(*both)", None),
        ("make = builder.build_engine", None),
    ],
)  # fmt: skip
def test_building_gives_a_serialized_engine(before: str, after: str | None) -> None:
    assert changed(before) == (before if after is None else after)


def script(body: str) -> str:
    return "import tensorrt as trt\n\n\ndef build(logger, half, path):\n" + "".join(
        f"    {line}\n" for line in dedent(body).strip().split("\n")
    )


def test_a_script_for_tensorrt_7_gets_a_config() -> None:
    before = script("""
        with trt.Builder(logger) as builder, builder.create_network(1) as network:
            builder.max_workspace_size = 1 << 28  # 256 MiB
            builder.max_batch_size = 1
            builder.fp16_mode = half
            builder.refittable = True
            builder.debug_sync = False
            builder.average_find_iterations = 4
            if builder.fp16_mode:
                print("half")
            # Build it.
            return builder.build_cuda_engine(network)
        """)
    assert rewritten(before) == script("""
        with trt.Builder(logger) as builder, builder.create_network(1) as network:
            config = builder.create_builder_config()
            config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 28)  # 256 MiB
            if half:
                config.set_flag(trt.BuilderFlag.FP16)
            config.set_flag(trt.BuilderFlag.REFIT)
            config.clear_flag(trt.BuilderFlag.DEBUG)
            config.avg_timing_iterations = 4
            if config.get_flag(trt.BuilderFlag.FP16):
                print("half")
            # Build it.
            serialized_engine = builder.build_serialized_network(network, config)
            return trt.Runtime(builder.logger).deserialize_cuda_engine(serialized_engine) if serialized_engine is not None else None
        """)


def test_a_builder_that_is_assigned_gets_its_config_on_the_next_line() -> None:
    before = script("""
        config = "taken"
        builder = trt.Builder(logger)  # made
        # between
        if half:
            builder.fp16_mode = True
        return builder.build_cuda_engine(make(builder))
        """)
    assert rewritten(before) == script("""
        config = "taken"
        builder = trt.Builder(logger)  # made
        builder_config = builder.create_builder_config()
        # between
        if half:
            builder_config.set_flag(trt.BuilderFlag.FP16)
        serialized_engine = builder.build_serialized_network(make(builder), builder_config)
        return trt.Runtime(builder.logger).deserialize_cuda_engine(serialized_engine) if serialized_engine is not None else None
        """)


def test_a_config_that_the_script_makes_is_used() -> None:
    before = script("""
        builder = trt.Builder(logger)
        with builder.create_builder_config() as settings:
            builder.int8_mode = half
            builder.int8_calibrator = path
            return builder.build_engine(path, settings)
        """)
    after = rewritten(before)
    assert "            settings.set_flag(trt.BuilderFlag.INT8)\n" in after
    assert "        settings.int8_calibrator = path\n" in after


def test_without_settings_the_config_is_made_in_the_call() -> None:
    assert rewritten(
        "import tensorrt as trt\nbuilder = trt.Builder(None)\nuse(builder.build_cuda_engine(n))\n"
    ).endswith(
        "use(trt.Runtime(builder.logger).deserialize_cuda_engine("
        "builder.build_serialized_network(n, builder.create_builder_config())))\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        "builder = trt.Builder(logger)\nbuilder.fp16_mode = True",  # it is built elsewhere
        "builder = trt.Builder(logger)\nfor builder in half:\n    pass\nbuilder.fp16_mode = True\nbuilder.build_cuda_engine(half)",
        "builder = trt.Builder(logger)\nbuilder.build_cuda_engine(half)\nbuilder.fp16_mode = True",
        "builder = trt.Builder(logger)\nbuilder.fp16_mode = True\nconfig = builder.create_builder_config()",
        "builder = trt.Builder(logger)\na = builder.create_builder_config()\nb = builder.create_builder_config()\nbuilder.fp16_mode = True",
        "builder = trt.Builder(logger)\nif half:\n    c = builder.create_builder_config()\nbuilder.fp16_mode = True",
        "builder = trt.Builder(logger)\nc = builder.create_builder_config()\nc = other(c)\nbuilder.fp16_mode = True",
        "def inner():\n    builder.fp16_mode = True\nbuilder = trt.Builder(logger)\nbuilder.build_cuda_engine(half)\ninner()",
        "builder = trt.Builder(logger); x = 1\nbuilder.fp16_mode = True\nbuilder.build_cuda_engine(half)",
        "with trt.Builder(logger) as builder: builder.fp16_mode = True; builder.build_cuda_engine(half)",
    ],
)  # fmt: skip
def test_where_settings_and_build_do_not_meet_it_needs_a_person(body: str) -> None:
    after = rewritten(script(body))
    assert "builder.fp16_mode = True" in after
    assert "set_flag" not in after


def test_a_builder_that_comes_from_elsewhere_needs_a_person() -> None:
    text = "import tensorrt as trt\ndef f(builder: trt.Builder):\n    builder.fp16_mode = True\n    use(builder.build_cuda_engine(1))\n"
    after = rewritten(text)
    assert "builder.fp16_mode = True" in after
    assert "builder.create_builder_config()" in after


def test_half_precision_cannot_be_moved_where_the_flag_is_gone() -> None:
    text = script("builder = trt.Builder(logger)\nbuilder.fp16_mode = True\nreturn builder.build_cuda_engine(half)")
    assert "builder.fp16_mode = True" in rewritten(text, "11.4")
