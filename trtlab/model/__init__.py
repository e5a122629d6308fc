"""What is in this ONNX file, and is it valid?

`description` holds the plain results; everything that imports onnx (`reading`, `check`, `actions`) runs in the worker
process, because a malformed file can crash native code.
"""

from trtlab.model.description import (
    ExternalFile,
    Finding,
    ModelDescription,
    NodeReference,
    TensorDescription,
)

__all__ = ["ExternalFile", "Finding", "ModelDescription", "NodeReference", "TensorDescription"]
