"""Builds that are cancelled, killed, crash, take too long, run out of memory or of disk."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import onnx

from tests import models
from tests.build.sabotage import Deed, Saboteur, WatchedPool, convolutions
from tests.explain.provoked.case import Case, one_node
from trtlab.build.plan import BuildPlan, shape_profile
from trtlab.build.session import BuildSession
from trtlab.build.steps import StepName
from trtlab.explain.diagnosis import Diagnosis
from trtlab.worker import Worker, WorkerLimits

MONITOR = """
class Monitor(trt.IProgressMonitor):
    def __init__(self):
        trt.IProgressMonitor.__init__(self)

    def phase_start(self, phase_name, parent_phase, num_steps):
        pass

    def step_complete(self, phase_name, step):
        return {answer}

    def phase_finish(self, phase_name):
        pass

config.progress_monitor = Monitor()
"""
CANCELLED = Case("cancelled by a progress monitor", "processes", "build.cancelled", lambda: models.relu((1, 4)), through_trtlab=False,
                 settings=MONITOR.replace("{answer}", "False"))  # fmt: skip
CANCELLED_LATER = Case("cancelled after some steps", "processes", "build.cancelled", lambda: convolutions(8), through_trtlab=False,
                       settings=MONITOR.replace("{answer}", "step < 3"))  # fmt: skip
INTERRUPTED = Case("interrupted at the keyboard", "processes", "build.cancelled", lambda: models.relu((1, 4)), through_trtlab=False,
                   settings="import os, signal\nos.kill(os.getpid(), signal.SIGINT)")  # fmt: skip


def scan_of_too_many() -> onnx.ModelProto:
    """Return a model that makes TensorRT-RTX 1.7.1 read past its inputs."""
    body = models.graph(
        [models.node("Relu", ["row"], ["out"])], [models.value("row", (4,))], [models.value("out", (4,))]
    )
    return models.model(
        [models.node("Scan", ["x"], ["y"], "scan", body=body, num_scan_inputs=2**62)], [models.value("x", (3, 4))]
    )


CRASH = Case(
    "model that crashes the parser", "processes", "worker.crash", scan_of_too_many, same=("parse.invalid_model",)
)
CRASH_OF_THE_BUILDER = Case(
    "deconvolution that crashes the builder", "processes", "worker.crash",
    one_node("ConvTranspose", {"x": (1, 1, 2**17, 2**16)}, weights=(models.weight("w", 1, 1, 3, 3),), strides=[2, 2]),
             same=("build.out_of_memory",),
)  # fmt: skip


def killed(name: str, truth: str, step: StepName, deed: Deed) -> Case:
    """Return a case whose worker meets a deed while a step runs in it."""

    def provoke(_: Path) -> Sequence[Diagnosis]:
        pool = WatchedPool()
        try:
            listener = Saboteur(pool, step, during=deed)
            with BuildSession(convolutions(4), listener=listener, pool=pool) as session:
                report = session.run_all()
            if listener.thread is not None:
                listener.thread.join()
        finally:
            pool.close()
        return report.diagnoses

    return Case(name, "processes", truth, provoke=provoke, plain=False)


def end_by(number: signal.Signals) -> Deed:
    def end(worker: Worker) -> None:
        os.kill(worker.pid, number)
        os.kill(worker.pid, signal.SIGCONT)  # a stopped process takes no signal but SIGKILL

    return end


def resnet_plan() -> BuildPlan:
    shapes = ((1, 3, 224, 224), (4, 3, 224, 224), (8, 3, 224, 224))
    return BuildPlan(profiles=(shape_profile({"gpu_0/data_0": shapes}),))


def light_resnet() -> onnx.ModelProto:
    return onnx.load(models.SAMPLES / "light_resnet50.onnx")


TIME_LIMIT = Case(
    "time limit",
    "processes",
    "worker.time_limit",
    light_resnet,
    plan=resnet_plan(),
    limits=WorkerLimits(seconds=0.4),
    plain=False,
)
STARVED = """\
import resource
resource.setrlimit(resource.RLIMIT_AS, (used() + (64 << 20), resource.RLIM_INFINITY))
"""
USED = """\
def used():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[0]) * 4096

"""
STARVED_CASE = Case(
    "address space that is too small", "memory", "build.out_of_memory", one_node("Relu", {"x": (64, 1024)}), through_trtlab=False,
    settings=USED + STARVED + "weights = [bytes(32 << 20) for _ in range(64)]",
)  # fmt: skip


def saved(name: str, truth: str, place: str) -> Case:
    """Return a case that writes its engine to where that is not possible."""
    program = """\
import tensorrt_rtx as trt

logger = trt.Logger(trt.Logger.{severity})
builder = trt.Builder(logger)
network = builder.create_network()
trt.OnnxParser(network, logger).parse_from_file("model.onnx")
plan = builder.build_serialized_network(network, builder.create_builder_config())
with open("PLACE", "wb") as stream:
    stream.write(plan)
"""
    return Case(
        name,
        "processes",
        truth,
        lambda: models.relu((1, 4)),
        program=program.replace("PLACE", place),
        through_trtlab=False,
    )


def saved_by_trtlab(name: str, truth: str, output: Callable[[Path], Path]) -> Case:
    def provoke(folder: Path) -> Sequence[Diagnosis]:
        with BuildSession(models.relu((1, 4)), output=output(folder)) as session:
            return session.run_all().diagnoses

    return Case(name, "processes", truth, provoke=provoke, plain=False)


def file_in_the_way(folder: Path) -> Path:
    (folder / "taken").write_bytes(b"")
    return folder / "taken" / "model.engine"


CASES = (
    CANCELLED, CANCELLED_LATER, INTERRUPTED, CRASH, CRASH_OF_THE_BUILDER, TIME_LIMIT, STARVED_CASE,
    killed("killed while parsing", "worker.killed", "parse", end_by(signal.SIGKILL)),
    killed("killed while building", "worker.killed", "build", end_by(signal.SIGKILL)),
    killed("aborted while building", "worker.crash", "build", end_by(signal.SIGABRT)),
    killed("segmentation fault while building", "worker.crash", "build", end_by(signal.SIGSEGV)),
    saved("full disk", "file.disk_full", "/dev/full"),
    saved("folder that is not there", "file.no_folder", "engines/model.engine"),
    saved_by_trtlab("folder that is not there, through trtlab", "file.no_folder", lambda folder: folder / "missing" / "model.engine"),
    saved_by_trtlab("folder that is a file", "file.no_folder", file_in_the_way),
)  # fmt: skip
