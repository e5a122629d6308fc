"""The model that a build is given: a path, bytes, or a ModelProto. All end as a file that the worker reads."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from trtlab._errors import InputError


class _Serializable(Protocol):
    def SerializeToString(self) -> bytes: ...  # noqa: N802 - protobuf's name


ModelInput = str | Path | bytes | bytearray | memoryview | _Serializable


class ModelSource:
    """Gives a build the path of its model. Bytes are put into a temporary file, which `close` removes."""

    def __init__(self, model: ModelInput) -> None:
        self._remove: Callable[[], object] = lambda: None
        self.from_memory = not isinstance(model, (str, Path))
        if isinstance(model, (str, Path)):
            self.path = Path(model).expanduser().absolute()
            return
        if isinstance(model, (bytes, bytearray, memoryview)):
            content = bytes(model)
        elif hasattr(model, "SerializeToString"):  # an onnx.ModelProto, recognised without importing onnx
            content = model.SerializeToString()
        else:
            raise InputError(f"A model is a path, bytes or an onnx.ModelProto, not {type(model).__name__}.")
        folder = tempfile.mkdtemp(prefix="trtlab-")
        # Also when nobody closes this, and at the end of the interpreter.
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = Path(folder) / "model.onnx"
        self.path.write_bytes(content)

    def close(self) -> None:
        """Remove the temporary file, if there is one."""
        self._remove()
