"""`import trtlab` loads nothing heavy, and every public name is there all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trtlab

HEAVY = (
    "anywidget", "cuda", "ipykernel", "IPython", "ipywidgets", "jupyter_client", "jupyterlab", "matplotlib", "msgspec", "netron",
    "numpy", "onnx", "onnxruntime", "polygraphy", "pynvml", "rich", "sklearn", "tensorrt", "tensorrt_rtx", "traitlets",
)  # fmt: skip
_PRINT_MODULES = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def modules_after(statement: str) -> set[str]:
    """Return the top-level modules that a new Python has after a statement."""
    program = f"{statement}\n{_PRINT_MODULES}"
    return set(
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    )


def test_import_loads_nothing_heavy() -> None:
    loaded = modules_after("import trtlab")
    assert "trtlab" in loaded
    assert sorted(loaded & set(HEAVY)) == []


def test_import_loads_nothing_but_the_standard_library() -> None:
    # Against a bare Python, because an environment may load something of its own at each start (a coverage tool).
    added = modules_after("import trtlab") - modules_after("pass")
    assert sorted(added - set(sys.stdlib_module_names)) == ["trtlab"]


def test_listing_the_public_names_loads_nothing_heavy() -> None:
    loaded = modules_after("import trtlab; dir(trtlab)")
    assert sorted(loaded & set(HEAVY)) == []


def test_asking_for_build_in_the_kernel_loads_no_native_library() -> None:
    # The kernel is to survive what native code does: TensorRT and onnx are loaded in the worker's process only.
    loaded = modules_after("import trtlab; trtlab.build; trtlab.BuildSession; trtlab.BuildReport")
    assert sorted(loaded & {"onnx", "onnxruntime", "tensorrt", "tensorrt_rtx", "tensorrt_bindings", "cuda"}) == []


@pytest.mark.parametrize("name", trtlab.__all__)
def test_public_name_resolves(name: str) -> None:
    assert getattr(trtlab, name) is not None


def test_public_names_come_from_trtlab_and_are_listed_once() -> None:
    assert len(set(trtlab.__all__)) == len(trtlab.__all__)
    assert sorted(trtlab.__all__) == list(trtlab.__all__)
    for name in trtlab.__all__:
        value = getattr(trtlab, name)
        assert str(getattr(value, "__module__", value.__name__)).startswith("trtlab"), name


def test_dir_lists_exactly_the_public_names() -> None:
    assert set(dir(trtlab)) == {*trtlab.__all__, "__version__"}


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'bulid'"):
        trtlab.bulid  # noqa: B018 - a typing error, as a user makes it


def test_star_import_gives_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from trtlab import *", namespace)  # noqa: S102 - a star import needs a module's level
    assert set(trtlab.__all__) <= set(namespace)
