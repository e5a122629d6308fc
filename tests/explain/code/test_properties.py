"""Whatever is given: a report or an InputError comes back, and a changed script is Python in which the changed names are not found."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.explain.code.scripts import OBJECTS, rewritten
from tests.explain.code.test_checking import GONE
from trtlab._errors import InputError
from trtlab.explain.code import check_code, render_text

RELEASES = st.sampled_from(["8.6", "10.0", "10.8", "11.4", "rtx-1.7"])
WORDS = (
    "import tensorrt as trt", "trt", ".", "=", "(", ")", ":", "\n", "\n    ", " ", "if ", "with ", "as ", "def f", "class C",
    "for x in ", "engine", "num_bindings", "builder", "max_batch_size", "1 << int(", "try:", "except ", "lambda: ", "f'{", "}'", "'",
    '"""', "#", "\\\n", "%time", "!ls", "[", "]", "{", "}", ",", "*", "yield ", "await ", "async ", "return ", "\t", "\r\n",
    "\x0c", "é", "config.max_workspace_size = ", "context", "execute_async_v2(", "|", "~", ":=", "match x:", "case ", "@", "->",
    "global ", "del ", "import ", "from ",
)  # fmt: skip
LINES = [line for line, _, _ in GONE] + [
    "x = 1  # kept",
    "for i in range(engine.num_bindings): print(f'{engine.get_binding_name(i)} {i}')",
    "ok = context.execute_async_v2(bindings=[int(b) for b in range(engine.num_bindings)], stream_handle=0)",
    "config.max_workspace_size = (config.max_workspace_size +  # more\n    engine.num_bindings)",
    "engine.get_binding_shape(engine.get_binding_index('x')); builder.max_batch_size = 1",
    "e = builder.build_engine(network, config)",
    "b = trt.Builder(logger)\nb.fp16_mode = engine.num_bindings > 2\nuse(b.build_cuda_engine(network))",
    "flags = 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH) | 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)",
    "x = not engine.binding_is_input(engine.get_binding_index('y')) and engine.num_bindings",
    "'''text\n  of lines'''",
]
HEADS = (
    "if x:",
    "else_part",
    "for x in engine:",
    "while x:",
    "with open(x) as f, config as c:",
    "def f(a=engine.num_bindings):",
    "class A:",
    "try_part",
)


@st.composite
def blocks(draw: st.DrawFn, depth: int = 0) -> str:
    """Return statements of Python, some of which use what is gone."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        head = draw(st.sampled_from(HEADS)) if depth < 3 and draw(st.booleans()) else ""
        if not head:
            parts.append(draw(st.sampled_from(LINES)))
            continue
        inner = indent(draw(blocks(depth + 1)), draw(st.sampled_from(["  ", "    ", "\t"])))
        if head == "else_part":
            parts.append(f"if x:\n{inner}\nelse:\n{inner}")
        elif head == "try_part":
            parts.append(f"try:\n{inner}\nexcept {draw(st.sampled_from(['ValueError', 'AttributeError']))}:\n    pass")
        else:
            parts.append(f"{head}\n{inner}")
    return "\n".join(parts)


def report_or_input_error(source: str | Path, release: str) -> str:
    """Check source, and return the message of an InputError."""
    try:
        report = check_code(source, release=release)
    except InputError as error:
        return str(error)
    assert render_text(report)
    assert repr(report)
    assert report.to_json()
    assert report._html()
    return ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), RELEASES)
def test_any_text_gives_a_report_or_an_input_error(source: str, release: str) -> None:
    report_or_input_error(source, release)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25), RELEASES)
def test_any_words_of_python_give_a_report_or_an_input_error(words: list[str], release: str) -> None:
    report_or_input_error("import tensorrt as trt\n" + "".join(words), release)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200), name=st.sampled_from(["script.py", "book.ipynb"]))
def test_any_bytes_in_a_file_give_a_report_or_an_input_error(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert name in (report_or_input_error(path, "10.8") or name)


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
KEYS = st.sampled_from(["cells", "source", "cell_type", "x"])
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner | st.just("code"), max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=JSON)
def test_any_json_as_a_notebook_gives_a_report_or_an_input_error(tmp_path: Path, document: object) -> None:
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps(document))
    assert "book.ipynb" in (report_or_input_error(path, "10.8") or "book.ipynb")


@settings(max_examples=150, deadline=None)
@given(blocks(), RELEASES, st.sampled_from(["\n", "\r\n"]))
def test_changing_never_breaks_a_script_and_once_is_enough(body: str, release: str, newline: str) -> None:
    text = (OBJECTS + body + "\n").replace("\n", newline)
    try:
        ast.parse(text)
    except SyntaxError:
        return  # a function without a body of its own, such as two indentations that do not fit
    after = rewritten(text, release)
    assert rewritten(after, release) == after
    assert after.count("# kept") == text.count("# kept")
    if newline == "\r\n":
        assert after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize("line", [line for line, _, _ in GONE])
@pytest.mark.parametrize("release", ["8.6", "10.8", "11.4", "rtx-1.7"])
def test_each_name_alone_is_changed_soundly_in_every_release(line: str, release: str) -> None:
    rewritten(f"{OBJECTS}{line}\n", release)
    rewritten(
        f"{OBJECTS}def f():\n    if x:\n        return [{line}]\n"
        if "=" not in line
        else f"{OBJECTS}if x:\n    {line}",
        release,
    )
