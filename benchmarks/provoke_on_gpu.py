"""Misuse engines on a GPU in every way that users do, each in a process of its own, and record what TensorRT says.

`python benchmarks/provoke_on_gpu.py --output benchmarks/recordings/NAME.json` on a machine with a GPU, tensorrt_rtx and
cuda-bindings. `tests/explain/test_runtime_recordings.py` holds the explanations against what was recorded.
`--foreign-engine FILE` adds an engine that another release built.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parents[1] / "sample_models" / "digits.onnx"
INPUT = "image"
_SECONDS = 120
Case = Callable[["Bench"], None]
CASES: dict[str, tuple[str, Case]] = {}


def case(identifier: str) -> Callable[[Case], Case]:
    """Register a case whose true diagnosis is `identifier`; empty where TensorRT has nothing to say."""

    def register(function: Case) -> Case:
        CASES[function.__name__] = (identifier, function)
        return function

    return register


class Bench:
    """One engine with its context and buffers, as a user's program has them."""

    def __init__(self, folder: Path, foreign_engine: str) -> None:
        import tensorrt_rtx as trt
        from cuda.bindings import runtime as cuda

        self.trt, self.cuda, self.folder, self.foreign_engine = trt, cuda, folder, foreign_engine
        self.logger = trt.Logger(trt.Logger.INFO)
        self.runtime = trt.Runtime(self.logger)
        self.engine_bytes = (folder / "digits.engine").read_bytes()

    def context(self) -> Any:  # noqa: ANN401 - IExecutionContext
        """Return a context of a good engine."""
        self.engine = self.runtime.deserialize_cuda_engine(self.engine_bytes)
        return self.engine.create_execution_context()

    def allocate(self, size: int) -> int:
        """Return device memory."""
        error, address = self.cuda.cudaMalloc(size)
        self.check(error, "cudaMalloc")
        return int(address)

    def stream(self) -> int:
        """Return a new stream."""
        error, stream = self.cuda.cudaStreamCreate()
        self.check(error, "cudaStreamCreate")
        return int(stream)

    def check(self, error: Any, what: str) -> None:  # noqa: ANN401 - cudaError_t
        """Print a CUDA error as programs do."""
        if int(error) != 0:
            _, text = self.cuda.cudaGetErrorString(error)
            sys.stderr.write(f"{what} failed: CUDA error {int(error)}: {text.decode()}\n")

    def set_all(self, context: Any, *, batch: int = 4) -> str:  # noqa: ANN401
        """Give every tensor a shape and an address; return the output's name."""
        context.set_input_shape(INPUT, (batch, 1, 8, 8))
        output = ""
        for index in range(self.engine.num_io_tensors):
            name = self.engine.get_tensor_name(index)
            context.set_tensor_address(name, self.allocate(1 << 20))
            output = name if self.engine.get_tensor_mode(name) == self.trt.TensorIOMode.OUTPUT else output
        return output

    def run(self, context: Any, stream: int | None = None) -> None:  # noqa: ANN401
        """Execute and wait."""
        stream = self.stream() if stream is None else stream
        accepted = context.execute_async_v3(stream)
        if not accepted:
            sys.stderr.write("execute_async_v3 returned False\n")
        self.check(self.cuda.cudaStreamSynchronize(stream)[0], "cudaStreamSynchronize")


@case("runtime.shape_out_of_profile")
def shape_over_the_maximum(bench: Bench) -> None:
    bench.context().set_input_shape(INPUT, (4096, 1, 8, 8))


@case("runtime.shape_out_of_profile")
def shape_below_the_minimum(bench: Bench) -> None:
    bench.context().set_input_shape(INPUT, (0, 1, 8, 8))


@case("runtime.shape_out_of_profile")
def shape_of_another_size(bench: Bench) -> None:
    bench.context().set_input_shape(INPUT, (4, 1, 9, 8))


@case("runtime.shape_out_of_profile")
def shape_of_another_rank(bench: Bench) -> None:
    bench.context().set_input_shape(INPUT, (4, 8, 8))


@case("runtime.context")
def tensor_that_does_not_exist(bench: Bench) -> None:
    bench.context().set_input_shape("no_such_input", (4, 1, 8, 8))


@case("runtime.context")
def address_for_a_tensor_that_does_not_exist(bench: Bench) -> None:
    bench.context().set_tensor_address("no_such_input", bench.allocate(1024))


@case("runtime.context")
def shape_that_was_never_set(bench: Bench) -> None:
    context = bench.context()
    for index in range(bench.engine.num_io_tensors):
        context.set_tensor_address(bench.engine.get_tensor_name(index), bench.allocate(1 << 20))
    bench.run(context)


@case("runtime.binding_address")
def input_without_an_address(bench: Bench) -> None:
    context = bench.context()
    context.set_input_shape(INPUT, (4, 1, 8, 8))
    bench.run(context)


@case("runtime.binding_address")
def output_without_an_address(bench: Bench) -> None:
    context = bench.context()
    context.set_input_shape(INPUT, (4, 1, 8, 8))
    context.set_tensor_address(INPUT, bench.allocate(1 << 20))
    bench.run(context)


@case("runtime.binding_address")
def null_address(bench: Bench) -> None:
    context = bench.context()
    output = bench.set_all(context)
    context.set_tensor_address(output, 0)
    bench.run(context)


@case("runtime.binding_address")
def address_that_is_no_multiple_of_the_type(bench: Bench) -> None:
    context = bench.context()
    bench.set_all(context)
    context.set_tensor_address(INPUT, bench.allocate(1 << 20) + 1)
    bench.run(context)


@case("runtime.cuda_illegal_access")
def misaligned_address(bench: Bench) -> None:
    """Four bytes off: right for the type, wrong for the kernels, which read several elements at once."""
    context = bench.context()
    output = bench.set_all(context, batch=64)
    context.set_tensor_address(INPUT, bench.allocate(1 << 20) + 4)
    context.set_tensor_address(output, bench.allocate(1 << 20) + 4)
    bench.run(context)
    # The process is lost: what it does next fails with the same error, though it is right.
    bench.runtime.deserialize_cuda_engine(bench.engine_bytes)


@case("runtime.cuda_illegal_access")
def address_far_outside(bench: Bench) -> None:
    context = bench.context()
    bench.set_all(context)
    context.set_tensor_address(INPUT, 0x10000)
    bench.run(context)


@case("runtime.cuda_illegal_access")
def freed_address(bench: Bench) -> None:
    context = bench.context()
    bench.set_all(context, batch=256)
    address = bench.allocate(1 << 30)
    context.set_tensor_address(INPUT, address)
    bench.check(bench.cuda.cudaFree(address)[0], "cudaFree")
    bench.run(context)


@case("runtime.cuda_illegal_access")
def address_of_host_memory(bench: Bench) -> None:
    import numpy as np

    context = bench.context()
    bench.set_all(context)
    array = np.zeros((4, 1, 8, 8), np.float32)
    context.set_tensor_address(INPUT, array.ctypes.data)
    bench.run(context)


@case("runtime.stream_sync")
def stream_that_was_destroyed(bench: Bench) -> None:
    context = bench.context()
    bench.set_all(context)
    stream = bench.stream()
    bench.check(bench.cuda.cudaStreamDestroy(stream)[0], "cudaStreamDestroy")
    bench.run(context, stream)


@case("runtime.stream_sync")
def allocation_while_capturing(bench: Bench) -> None:
    context = bench.context()
    bench.set_all(context)
    stream = bench.stream()
    mode = bench.cuda.cudaStreamCaptureMode.cudaStreamCaptureModeGlobal
    bench.check(bench.cuda.cudaStreamBeginCapture(stream, mode)[0], "cudaStreamBeginCapture")
    bench.run(context, stream)
    bench.check(bench.cuda.cudaStreamEndCapture(stream)[0], "cudaStreamEndCapture")


@case("")
def output_read_before_it_is_there(bench: Bench) -> None:
    """Nothing is said: the numbers are wrong. Recorded to show that there is no message to explain."""
    import numpy as np

    context = bench.context()
    output = bench.set_all(context, batch=256)
    stream, target = bench.stream(), bench.allocate(1 << 20)
    context.set_tensor_address(output, target)
    for _ in range(200):
        context.execute_async_v3(stream)
    early = np.zeros((256, 10), np.float32)
    other = bench.stream()
    kind = bench.cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
    bench.cuda.cudaMemcpyAsync(early.ctypes.data, target, early.nbytes, kind, other)
    bench.cuda.cudaStreamSynchronize(other)
    sys.stderr.write(f"no error; the copy was made while the stream worked: {early.shape}\n")


@case("runtime.oom")
def context_without_memory(bench: Bench) -> None:
    taken, size = [], 1 << 36
    while size >= 1 << 20:
        error, address = bench.cuda.cudaMalloc(size)
        if int(error) == 0:
            taken.append(address)
        else:
            bench.cuda.cudaGetLastError()
            size >>= 1
    engine = bench.runtime.deserialize_cuda_engine((bench.folder / "resnet.engine").read_bytes())
    if engine is None:
        sys.stderr.write("deserialize_cuda_engine returned None\n")
        return
    if engine.create_execution_context() is None:
        sys.stderr.write("create_execution_context returned None\n")


def _load(bench: Bench, content: bytes) -> None:
    engine = bench.runtime.deserialize_cuda_engine(content)
    context = engine.create_execution_context()
    bench.engine = engine
    bench.set_all(context)


@case("deserialize.corrupt")
def truncated_engine(bench: Bench) -> None:
    _load(bench, bench.engine_bytes[: len(bench.engine_bytes) // 2])


@case("deserialize.corrupt")
def engine_cut_in_its_header(bench: Bench) -> None:
    _load(bench, bench.engine_bytes[:20])


@case("deserialize.corrupt")
def empty_engine(bench: Bench) -> None:
    _load(bench, b"")


@case("deserialize.corrupt")
def engine_with_flipped_bytes(bench: Bench) -> None:
    content = bytearray(bench.engine_bytes)
    content[0:4] = b"\0\1\2\3"
    _load(bench, bytes(content))


@case("deserialize.corrupt")
def onnx_file_as_engine(bench: Bench) -> None:
    _load(bench, SAMPLE.read_bytes())


@case("deserialize.corrupt")
def text_as_engine(bench: Bench) -> None:
    _load(bench, b"<html><body>404: Not Found</body></html>" * 50)


@case("deserialize.corrupt")
def pytorch_file_as_engine(bench: Bench) -> None:
    import io

    import torch

    stream = io.BytesIO()
    torch.save({"weight": torch.zeros(100)}, stream)
    _load(bench, stream.getvalue())


@case("deserialize.version_mismatch")
def engine_of_another_release(bench: Bench) -> None:
    if not bench.foreign_engine:
        sys.stderr.write("left out: no --foreign-engine\n")
        return
    _load(bench, Path(bench.foreign_engine).read_bytes())


@case("")
def engine_for_another_gpu(bench: Bench) -> None:
    """TensorRT-RTX 1.6.1 loads an engine for compute capability 8.6 on 9.0 without a word."""
    _load(bench, (bench.folder / "sm86.engine").read_bytes())


def build_engines(folder: Path) -> None:
    """Build the engines that the cases need: for this GPU, a larger one, and one for another GPU."""
    import trtlab

    digits = {INPUT: ((1, 1, 8, 8), (32, 1, 8, 8), (256, 1, 8, 8))}
    resnet = {"gpu_0/data_0": ((1, 3, 224, 224), (32, 3, 224, 224), (64, 3, 224, 224))}
    trtlab.build(SAMPLE, shapes=digits, output=folder / "digits.engine", cache=False)
    trtlab.build(SAMPLE.parent / "light_resnet50.onnx", shapes=resnet, output=folder / "resnet.engine", cache=False)
    plan = trtlab.BuildPlan(targets=("sm86",))
    trtlab.build(SAMPLE, shapes=digits, plan=plan, output=folder / "sm86.engine", cache=False)


def provoke(name: str, folder: Path, foreign_engine: str) -> dict[str, Any]:
    """Run one case in a process of its own and return what it said."""
    words = [sys.executable, __file__, "--case", name, "--folder", str(folder), "--foreign-engine", foreign_engine]
    began = time.monotonic()
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False)
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as error:
        output, code = error.stdout or b"", None
    log = output.decode("utf-8", "replace").replace(str(folder), "/data").replace(f"{SAMPLE.parents[1]}/", "")
    log = log.replace(sys.prefix, "/usr")
    return {"case": name, "class": CASES[name][0], "exit_code": code, "seconds": time.monotonic() - began, "log": log}


def main() -> None:
    """Provoke every case and write the recording; or, with `--case`, one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--foreign-engine", default="")
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.case:
        CASES[arguments.case][1](Bench(arguments.folder, arguments.foreign_engine))
        return
    import pynvml
    import tensorrt_rtx as trt

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    with tempfile.TemporaryDirectory(prefix="trtlab-") as name:
        folder = Path(name)
        build_engines(folder)
        found = [provoke(case_name, folder, arguments.foreign_engine) for case_name in CASES]
    document = {
        "schema": "trtlab.recording.runtime_failures/1",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "gpu": pynvml.nvmlDeviceGetName(handle),
        "driver": pynvml.nvmlSystemGetDriverVersion(),
        "flavour": "tensorrt_rtx",
        "version": trt.__version__,
        "failures": found,
    }
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if arguments.output:
        arguments.output.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
