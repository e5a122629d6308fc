"""What can be read as Python source, where its places are, and what is said of the rest."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest

from trtlab._errors import InputError
from trtlab.explain.code import check_code
from trtlab.explain.code.sources import is_python, read_source

GONE = "import tensorrt as trt\ntrt.BuilderFlag.FP16\n"


def notebook(folder: Path, *cells: str | list[str], kind: str = "code") -> Path:
    path = folder / "book.ipynb"
    path.write_text(
        json.dumps({"cells": [{"cell_type": kind, "source": cell, "outputs": []} for cell in cells], "nbformat": 4})
    )
    return path


def test_paths_and_source_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "script.py"
    path.write_text(GONE)
    monkeypatch.chdir(tmp_path)
    for given in (path, str(path), "script.py", f" {path} "):
        assert read_source(given, name="x").name == "script.py"
    assert read_source("module.name", name="x").name == "x"
    assert read_source("first = second .py", name="x").name == "x", "an expression, and no file is called so"


def test_empty_source_and_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_bytes(b"")
    for given in ("", "\n\n", "# nothing\n", path):
        report = check_code(given, release="10.8")
        assert report.findings == ()
        assert not report.uses_tensorrt
        assert report.changed is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import tensorrt as\n", "line 1"),
        ("x = (\n", "was never closed"),
        ("def f():\npass\n", "line 2"),
        ("print 'hello'\n", "2to3"),
        ("exec 'x' in y\n", "2to3"),
        ("try:\n  pass\nexcept ValueError, error:\n  pass\n", "2to3"),
        ("raise ValueError, 'x'\n", "2to3"),
        ("x = 0777\n", "2to3"),
        ("x\0y\n", "Python"),
        ("\ud800 = 1\n", "Python"),
        ("\tif x:\n", "line 1"),
        ("(" * 500 + ")" * 500, "nested"),
        ("def build(engine):\n\treturn 1\n        return 2\n", "tab"),
    ],
)
def test_what_is_not_python_3_says_where_and_what_to_do(source: str, says: str) -> None:
    with pytest.raises(InputError, match="the cell") as caught:
        read_source(source, name="the cell")
    assert says in str(caught.value)
    assert "Python 3" in str(caught.value)


@pytest.mark.parametrize("text", ["-" * 5000 + "1", "x" + ".a" * 20000, "+".join(["1"] * 20000)])
def test_what_is_nested_too_deep_ends_in_a_report_or_a_clear_error(text: str) -> None:
    try:
        message = "" if check_code(f"import tensorrt\ny = {text}", release="10.8").findings == () else "found"
    except InputError as error:
        message = str(error)
    assert message == "" or "nested too deep" in message


def test_files_in_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_bytes(b"# coding: latin-1\nname = '\xe9'; import tensorrt as trt\ntrt.BuilderFlag.FP16\n")
    assert [finding.line for finding in check_code(path, release="11.4").findings] == [3]
    path.write_bytes(b"\xef\xbb\xbf" + GONE.encode())
    assert [(finding.line, finding.column) for finding in check_code(path, release="11.4").findings] == [(2, 17)]
    for content in (
        b"name = '\xe9'\n",
        b"# coding: no-such-thing\n",
        b"\xff\xfeh\x00i\x00",
        b"# coding: ascii\nx = '\xc3\xa9'\n",
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"script\.py is not text in the encoding"):
            read_source(path, name="")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder.py"
    folder.mkdir()
    with pytest.raises(InputError, match=r"folder\.py is no file\. Give a Python script"):
        read_source(folder, name="")
    for given in (
        tmp_path / "missing.py",
        "nowhere/missing.py",
        "missing.ipynb",
        "~nobody-is-called-so/x.py",
        "~nobody.py",
    ):
        with pytest.raises(InputError, match=r"No such file.*Give a Python script \(\.py\) or a notebook"):
            read_source(given, name="")
    with pytest.raises(InputError, match="cannot be read"):
        read_source(Path("a\0b.py"), name="")
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is no file"):
        read_source(pipe, name="")


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.py"
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(InputError, match=r"8,589,934,592 bytes\. Up to 4,194,304 are read"):
        read_source(path, name="")
    with pytest.raises(InputError, match="Up to"):
        read_source("x = 1\n" * 10**6, name="")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_places_count_characters_whatever_the_newlines_and_letters(newline: str) -> None:
    text = newline.join(
        ["import tensorrt as trt", "名 = '\U0001f600é'; trt.BuilderFlag.FP16", "\x0c", "trt.BuilderFlag.INT8"]
    )
    places = [
        (finding.line, finding.column, finding.end_column) for finding in check_code(text, release="11.4").findings
    ]
    assert places == [(2, 27, 31), (4, 17, 21)]


def test_a_node_over_several_lines_is_found_where_its_name_stands() -> None:
    (finding,) = check_code("import tensorrt as trt\n(trt\n  .BuilderFlag\n  .FP16)\n", release="11.4").findings
    assert (finding.line, finding.column, finding.end_line) == (4, 4, 4)


def test_text_of_a_node() -> None:
    source = read_source("é = f(1, 'ü')\n", name="")
    call = next(node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    assert source.text_of(call) == "f(1, 'ü')"


# --- Notebooks


def test_names_of_earlier_cells_are_known_in_later_ones(tmp_path: Path) -> None:
    path = notebook(
        tmp_path, "import tensorrt as trt\nbuilder = trt.Builder(None)", ["x = 1\n", "builder.max_batch_size = 1\n"]
    )
    (finding,) = check_code(path, release="10.8").findings
    assert (finding.cell, finding.line, finding.column) == (2, 2, 9)
    assert finding.place() == "cell 2, line 2, column 9"


MAGICS = """\
%matplotlib inline
!pip install tensorrt \\
    --upgrade
import tensorrt as trt
files = !ls
time = %timeit -o 1 + 1
trt.Builder?
?trt
text = '''
%not a magic
'''
if files:
    %time x = 1
    !nvidia-smi
trt.BuilderFlag.FP16
"""


def test_magics_are_put_aside_and_places_stay(tmp_path: Path) -> None:
    for report in (check_code(notebook(tmp_path, MAGICS), release="11.4"), check_code(MAGICS, release="11.4")):
        (finding,) = report.findings
        assert (finding.line, finding.column) == (15, 17)
        assert report.unread == ()


def test_magics_of_whole_cells(tmp_path: Path) -> None:
    cells = (
        "import tensorrt as trt",
        "%%bash\ntrt.BuilderFlag.FP16",
        "%%time\ntrt.BuilderFlag.INT8",
        "%%writefile x.py\nnot python",
    )
    report = check_code(notebook(tmp_path, *cells), release="11.4")
    assert [(finding.cell, finding.line) for finding in report.findings] == [(3, 2)]
    assert report.unread == ()


def test_a_cell_that_is_not_python_is_left_out_and_named(tmp_path: Path) -> None:
    report = check_code(
        notebook(tmp_path, "import tensorrt as trt", "this is broken (", "trt.BuilderFlag.FP16"), release="11.4"
    )
    assert [finding.cell for finding in report.findings] == [3]
    ((cell, reason),) = report.unread
    assert cell == 2
    assert "book.ipynb, cell 2" in reason


def test_magics_are_no_python_in_a_script(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("%matplotlib inline\n")
    with pytest.raises(InputError, match=r"script\.py is not Python 3 at line 1"):
        read_source(path, name="")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '"x"', '{"cells": 3}', '{"cells": [3]}', '{"cells": [{"cell_type": "code", "source": 3}]}', '{"worksheets": []}'],
)  # fmt: skip
def test_what_is_no_notebook_says_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text(content)
    with pytest.raises(InputError, match=r"broken\.ipynb is not a notebook of format 4"):
        read_source(path, name="")


def test_a_notebook_without_code(tmp_path: Path) -> None:
    report = check_code(notebook(tmp_path, "import tensorrt", kind="markdown"), release="10.8")
    assert not report.uses_tensorrt


def test_changed_texts_are_asked_whether_they_are_python() -> None:
    assert is_python("%time x = 1\n", magics=True)
    assert not is_python("%time x = 1\n", magics=False)
    assert not is_python("x = (\n", magics=True)
