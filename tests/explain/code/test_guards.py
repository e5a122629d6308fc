"""What a script does for several releases at once is told apart, and never changed."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.explain.code.scripts import OBJECTS, checked
from trtlab.explain.code import check_code

GUARDED = {
    "version in an if": "if trt.__version__ < '10':\n    engine.num_bindings",
    "the other branch": "if trt.__version__ >= '10':\n    pass\nelse:\n    engine.num_bindings",
    "version in a variable": "major = int(trt.__version__.split('.')[0])\nif major < 10:\n    engine.num_bindings",
    "several numbers": "major, minor = map(int, trt.__version__.split('.')[:2])\nif (major, minor) < (8, 5):\n    engine.num_bindings",
    "packaging": "from packaging import version\nif version.parse(trt.__version__) < version.parse('10'):\n    engine.num_bindings",
    "a function that asks": "def old():\n    return trt.__version__.startswith('8')\nif old():\n    engine.num_bindings",
    "an attribute that asks": "class A:\n    def __init__(self):\n        self.new = hasattr(engine, 'num_io_tensors')\n"
    "    def run(self):\n        if not self.new:\n            engine.num_bindings",
    "metadata": "import importlib.metadata\nif importlib.metadata.version('tensorrt') < '10':\n    engine.num_bindings",
    "an imported version": "from tensorrt import __version__ as v\nif v[0] == '8':\n    engine.num_bindings",
    "a name that says so": "def run(trt_version, is_trt10):\n    if not is_trt10:\n        engine.num_bindings",
    "hasattr": "if hasattr(engine, 'num_bindings'):\n    engine.num_bindings",
    "hasattr of something unknown": "def run(thing):\n    if hasattr(thing, 'num_bindings'):\n        thing.num_bindings",
    "getattr": "if getattr(trt, 'IInt8Calibrator', None):\n    trt.IInt8Calibrator\n    engine.num_bindings",
    "dir": "if 'num_bindings' in dir(engine):\n    engine.num_bindings",
    "try": "try:\n    engine.num_bindings\nexcept AttributeError:\n    engine.num_io_tensors",
    "in the except": "try:\n    engine.num_io_tensors\nexcept (ValueError, AttributeError):\n    engine.num_bindings",
    "a second try after anything": "try:\n    engine.num_bindings\nexcept Exception:\n    engine.num_io_tensors",
    "a second try after everything": "try:\n    engine.num_bindings\nexcept:\n    engine.num_io_tensors",
    "suppress": "import contextlib\nwith contextlib.suppress(AttributeError):\n    engine.num_bindings",
    "a conditional expression": "n = engine.num_io_tensors if hasattr(engine, 'num_io_tensors') else engine.num_bindings",
    "and": "trt.__version__ < '10' and engine.num_bindings",
    "a comprehension": "[engine.num_bindings for i in range(3) if trt.__version__ < '10']",
    "while": "while trt.__version__ < '10':\n    engine.num_bindings",
    "match": "match trt.__version__[0]:\n    case '8':\n        engine.num_bindings",
    "an early return": "def run():\n    if trt.__version__ >= '10':\n        return\n    engine.num_bindings",
    "an early exit": "import sys\nif trt.__version__ >= '10':\n    sys.exit(1)\nengine.num_bindings",
    "a function defined there": "if trt.__version__ < '10':\n    def run():\n        engine.num_bindings\n    run()",
    "a function only called there": "def old():\n    engine.num_bindings\nif trt.__version__ < '10':\n    old()",
    "a method only called there": "class A:\n    def old(self):\n        self.inner()\n    def inner(self):\n        engine.num_bindings\n"
    "    def run(self):\n        if trt.__version__ < '10':\n            self.old()",
}  # fmt: skip


@pytest.mark.parametrize("name", GUARDED)
def test_what_stands_behind_a_test_of_the_release_is_listed_apart_and_not_changed(name: str) -> None:
    report = checked(GUARDED[name])
    assert [finding.symbol for finding in report.findings] == []
    assert {finding.symbol for finding in report.guarded} == {"ICudaEngine.num_bindings"}
    assert report.changed is None


OPEN = {
    "another question": "if engine.name:\n    engine.num_bindings",
    "after the if": "if trt.__version__ < '10':\n    pass\nengine.num_bindings",
    "in the test itself": "if engine.num_bindings == 2 and hasattr(engine, 'name'):\n    pass",
    "another exception": "try:\n    engine.num_bindings\nexcept ValueError:\n    pass",
    "an exception that is only reported": "try:\n    engine.num_bindings\nexcept Exception as error:\n    print(error)",
    "hasattr of something else": "import torch\nif hasattr(torch, 'compile'):\n    engine.num_bindings",
    "getattr with a default": "def run(args):\n    if getattr(args, 'fp16', False):\n        engine.num_bindings",
    "a function also called elsewhere": "def old():\n    engine.num_bindings\nif trt.__version__ < '10':\n    old()\nold()",
    "a function that nobody calls": "def old():\n    engine.num_bindings",
    "verbosity": "def run(trt_verbose):\n    if trt_verbose:\n        engine.num_bindings",
    "the version of something else": "import sys\nif sys.version_info > (3, 8):\n    engine.num_bindings",
}


@pytest.mark.parametrize("name", OPEN)
def test_other_questions_guard_nothing(name: str) -> None:
    report = checked(OPEN[name])
    assert [finding.symbol for finding in report.findings] == ["ICudaEngine.num_bindings"]
    assert report.guarded == ()


def test_a_guarded_use_stays_while_an_open_one_of_the_same_name_is_changed() -> None:
    text = OBJECTS + dedent("""\
        if trt.__version__ < "10":
            n = engine.num_bindings  # old
        else:
            n = engine.num_io_tensors
        m = engine.num_bindings
        """)
    report = check_code(text, release="10.8")
    assert report.changed == text.replace("m = engine.num_bindings", "m = engine.num_io_tensors")


def test_a_guarded_import_is_not_changed() -> None:
    text = "try:\n    import tensorrt as trt\nexcept ImportError:\n    import tensorrt_rtx as trt\ntrt.Logger()\n"
    for release in ("11.4", "rtx-1.7"):
        report = check_code(text, release=release)
        assert report.findings == ()
        assert len(report.guarded) == 1
        assert report.changed is None
