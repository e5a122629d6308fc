"""Questions about bindings by number become questions about tensors by name."""

from __future__ import annotations

import pytest

from tests.explain.code.scripts import changed, checked


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("engine.get_binding_shape('x')", "engine.get_tensor_shape('x')"),
        ("engine.get_binding_shape(0)", "engine.get_tensor_shape(engine.get_tensor_name(0))"),
        ("engine.get_binding_shape(index=0)", "engine.get_tensor_shape(name=engine.get_tensor_name(0))"),
        ("engine.get_binding_shape(name='x')", "engine.get_tensor_shape(name='x')"),
        ("engine.get_binding_shape(len(x) + 1)", "engine.get_tensor_shape(engine.get_tensor_name(len(x) + 1))"),
        ("engine.get_binding_shape(engine.get_binding_index('x'))", "engine.get_tensor_shape('x')"),
        ("engine.get_binding_shape(engine['x'])", "engine.get_tensor_shape('x')"),
        ("engine.get_binding_shape(engine[0])", "engine.get_tensor_shape(engine[0])"),
        ("engine.get_binding_shape(engine.get_binding_name(1))", "engine.get_tensor_shape(engine.get_tensor_name(1))"),
        ("context.set_binding_shape(0, (1, 3))", "context.set_input_shape(context.engine.get_tensor_name(0), (1, 3))"),
        ("context.set_binding_shape(engine.get_binding_index('x'), (1,))", "context.set_input_shape('x', (1,))"),
        ("context.set_binding_shape(binding=0, shape=s)", "context.set_input_shape(name=context.engine.get_tensor_name(0), shape=s)"),
        ("for name in engine:\n    engine.get_binding_dtype(name)", "for name in engine:\n    engine.get_tensor_dtype(name)"),
        ("for i, name in enumerate(engine):\n    engine.get_location(name), engine.get_binding_format(i)",
         "for i, name in enumerate(engine):\n    engine.get_tensor_location(name), engine.get_tensor_format(engine.get_tensor_name(i))"),
        ("if engine.binding_is_input(0):\n    pass",
         "if engine.get_tensor_mode(engine.get_tensor_name(0)) == trt.TensorIOMode.INPUT:\n    pass"),
        ("x = not engine.binding_is_input('x')", "x = not (engine.get_tensor_mode('x') == trt.TensorIOMode.INPUT)"),
        ("x = [n for n in engine if engine.binding_is_input(n)]",
         "x = [n for n in engine if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]"),
        ("engine.get_profile_shape(0, 'x')", "engine.get_tensor_profile_shape('x', 0)"),
        ("engine.get_profile_shape(profile, 1)[2]", "engine.get_tensor_profile_shape(engine.get_tensor_name(1), profile)[2]"),
        ("engine.get_profile_shape(profile_index=0, binding='x')", None),
        ("for i in range(engine.num_bindings):\n    print(engine.get_binding_name(i))",
         "for i in range(engine.num_io_tensors):\n    print(engine.get_tensor_name(i))"),
    ],
)  # fmt: skip
def test_bindings_become_tensors(before: str, after: str | None) -> None:
    assert changed(before) == (after or before)


@pytest.mark.parametrize(
    "text",
    [
        "def f(i):\n    return engine.get_binding_shape(i)",  # a name or a number?
        "i = engine.get_binding_index('x')\nuse(i)",
        "engine.get_binding_shape(*arguments)",
        "engine.get_binding_shape(**arguments)",
        "ask = engine.get_binding_shape",
        "engine.get_binding_shape(things[0])",
        "make().engine.get_binding_shape(f(0))",
    ],
)
def test_what_is_not_clear_is_left_to_a_person(text: str) -> None:
    report = checked(text)
    assert report.findings
    assert not any(finding.mechanical for finding in report.findings)
    assert report.changed is None


@pytest.mark.parametrize(
    "profiles",
    [
        "n = engine.num_bindings // engine.num_optimization_profiles",
        "context.active_optimization_profile = 1",
        "context.set_optimization_profile_async(k, 0)",
    ],
)
def test_with_several_profiles_numbers_of_bindings_are_left_to_a_person(profiles: str) -> None:
    text = f"{profiles}\nengine.get_binding_shape(3)\nengine.num_bindings\ncontext.execute_async_v2([1], 0)\n"
    assert changed(text) == text
    by_name = f"{profiles}\nengine.get_binding_shape('x')\n"
    assert changed(by_name) == by_name.replace("get_binding_shape", "get_tensor_shape")


def test_the_first_profile_alone_is_no_second_one() -> None:
    assert changed("context.active_optimization_profile = 0\nengine.num_bindings") == (
        "context.active_optimization_profile = 0\nengine.num_io_tensors"
    )
