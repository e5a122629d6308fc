"""The sides of `survey.py`: child processes that do one thing for each line of JSON they read, and say what it cost.

Started as `survey_side.py plain|trtlab|polygraphy`. Each imports what it needs, says "ready", and answers each line with seconds,
processor seconds (of trtlab: of its worker too) and peak memory in bytes. TensorRT's own words go to /dev/null.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from machine import QUIET_CORES, busy_seconds

Answer = dict[str, Any]
Serve = Callable[[Answer], Answer]


class Side:
    """One of these processes, from outside.

    Args:
        kind: `plain`, `trtlab` or `polygraphy`.
        libraries: A folder with further packages, for Polygraphy alone.
    """

    def __init__(self, kind: str, *, libraries: str = "") -> None:
        environment = {**os.environ, "POLYGRAPHY_USE_TENSORRT_RTX": "1"}
        if libraries:
            environment["PYTHONPATH"] = libraries
        self._process = subprocess.Popen(
            [sys.executable, __file__, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=environment,
        )  # fmt: skip
        if self._line() is None:
            sys.exit(f"The side {kind!r} did not start.")

    def ask(self, **job: Any) -> Answer | None:  # noqa: ANN401 - JSON values
        """Have it do something; None if it died of that. `quiet`: everything else on the machine took under a fifth of a core."""
        assert self._process.stdin is not None
        busy = busy_seconds()
        self._process.stdin.write(json.dumps(job, default=str) + "\n")
        self._process.stdin.flush()
        line = self._line()
        if line is None:
            return None
        answer: Answer = json.loads(line)
        others = busy_seconds() - busy - answer["processor_seconds"]
        # The kernel counts in hundredths of a second.
        answer["quiet"] = others < QUIET_CORES * answer["seconds"] + 0.02
        return answer

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _line(self) -> str | None:
        assert self._process.stdout is not None
        return self._process.stdout.readline() or None


def _plain() -> Serve:
    """Parse, and build if that is wanted, as a program of a user does it."""
    import tensorrt_rtx as trt  # noqa: TID251 - the point of this side is to do without trtlab

    logger = trt.Logger(trt.Logger.ERROR)

    def serve(job: Answer) -> Answer:
        builder = trt.Builder(logger)
        network = builder.create_network(0)
        parser = trt.OnnxParser(network, logger)
        began = time.perf_counter()
        accepted = parser.parse(Path(job["path"]).read_bytes(), job["path"])
        answer: Answer = {"parse": time.perf_counter() - began, "accepted": accepted}
        answer["named"] = [parser.get_error(number).node_name() for number in range(parser.num_errors)]
        if job.get("shapes") is not None and accepted:
            profile = builder.create_optimization_profile()
            for name, shapes in job["shapes"].items():
                profile.set_shape(name, *shapes)
            config = builder.create_builder_config()
            if job["shapes"]:
                config.add_optimization_profile(profile)
            answer["built"] = builder.build_serialized_network(network, config) is not None
        answer["seconds"] = time.perf_counter() - began
        del parser, network, builder
        return answer

    return serve


def _trtlab() -> Serve:
    """Check as a user calls it, all with one pool; or start a worker of its own, which reads the model `start`."""
    from trtlab.build.plan import ShapeProfile, ShapeRange
    from trtlab.support.session import SurveySession
    from trtlab.worker import WorkerPool

    pool = WorkerPool()

    def start(path: str) -> Answer:
        own = WorkerPool()
        began = time.perf_counter()
        worker = own.acquire()
        worker.call("trtlab.engine.actions:describe_installation")
        answer: Answer = {"seconds": time.perf_counter() - began}
        worker.call("trtlab.model.actions:load", {"path": path})
        answer["with_onnx"] = time.perf_counter() - began
        worker.close()
        own.close()
        return answer

    def serve(job: Answer) -> Answer:
        if job.get("start"):
            return start(job["start"])
        ranges = {name: ShapeRange(*map(tuple, shapes)) for name, shapes in (job.get("shapes") or {}).items()}
        began = time.perf_counter()
        with SurveySession(job["path"], pool=pool) as session:
            report = session.check(depth=job["depth"], profile=ShapeProfile(ranges) if ranges else None)
            seconds = time.perf_counter() - began
        return {
            "seconds": seconds, "survey": report.survey_seconds, "builds": report.builds, "passes": report.passes,
            "supported": report.supported, "refused": len(report.unsupported), "unknown": report.counts["unknown"],
        }  # fmt: skip

    return serve


def _polygraphy() -> Serve:
    """Do what `polygraphy inspect capability` does, without the start of a process; `options` as there."""
    from polygraphy.tools.inspect.subtool.capability import Capability

    def serve(job: Answer) -> Answer:
        tool = Capability()
        arguments = tool.setup_parser().parse_args([job["path"], "-o", job["folder"], *job.get("options", ())])
        began = time.perf_counter()
        try:
            tool.parse(arguments)
            tool.run(arguments)
        except Exception as error:  # noqa: BLE001 - whatever it fails with, it has failed
            return {"seconds": time.perf_counter() - began, "failed": f"{type(error).__name__}: {error}"[:200]}
        return {"seconds": time.perf_counter() - began, "failed": ""}

    return serve


def _children() -> Iterator[int]:
    for path in Path("/proc/self/task").glob("*/children"):
        yield from map(int, path.read_text().split())


def _processor_seconds() -> float:
    """Return the processor time of this process, its children that ended, and those that run."""
    used = os.times()
    # The number of another process's CPU-time clock, as clock_getcpuclockid(3) makes it.
    running = sum(time.clock_gettime((~process << 3) | 2) for process in _children())
    return used.user + used.system + used.children_user + used.children_system + running


def _peak_bytes(process: int | str = "self") -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def main(kind: str) -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    serve = {"plain": _plain, "trtlab": _trtlab, "polygraphy": _polygraphy}[kind]()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        before = _processor_seconds()
        answer = serve(json.loads(line))
        answer["processor_seconds"] = _processor_seconds() - before
        answer["peak_bytes"] = _peak_bytes()
        answer["worker_peak_bytes"] = max(map(_peak_bytes, _children()), default=0)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
