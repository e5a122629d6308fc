"""The plain side of `build_overhead.py`: the program that `report.script()` gives, in parts that can be timed.

Started by the benchmark with a job as JSON; imports TensorRT, says so, then builds once for each line it reads and
answers with the times. TensorRT's own logger (INFO, as in that program) writes to /dev/null.
"""

from __future__ import annotations

import json
import os
import sys
import time

import tensorrt_rtx as trt  # noqa: TID251 - the point of this file is to do without trtlab

STEPS = ("parse", "configure", "build", "write")


def build(
    model_path: str, engine_path: str, shapes: dict[str, list[list[int]]], logger: trt.Logger
) -> dict[str, object]:
    """Read, parse, configure, build and write once; return wall seconds, processor seconds and seconds of each step."""
    clock, processor = [time.perf_counter()], time.process_time()
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    with open(model_path, "rb") as stream:  # noqa: PTH123 - as the program that trtlab writes has it
        if not parser.parse(stream.read(), model_path):
            sys.exit("The parser refused the model.")
    clock.append(time.perf_counter())
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    profile = builder.create_optimization_profile()
    for name, (smallest, common, largest) in shapes.items():
        profile.set_shape(name, smallest, common, largest)
    config.add_optimization_profile(profile)
    clock.append(time.perf_counter())
    serialized_engine = builder.build_serialized_network(network, config)
    if serialized_engine is None:
        sys.exit("The builder returned no engine.")
    clock.append(time.perf_counter())
    with open(engine_path, "wb") as stream:  # noqa: PTH123
        stream.write(serialized_engine)
    clock.append(time.perf_counter())
    return {
        "seconds": clock[-1] - clock[0],
        "processor_seconds": time.process_time() - processor,
        "steps": {step: after - before for step, before, after in zip(STEPS, clock[:-1], clock[1:], strict=True)},
        "engine_bytes": serialized_engine.nbytes,
    }


def main() -> None:
    """Serve builds until standard input ends."""
    job = json.loads(sys.argv[1])
    # The logger writes to file descriptor 1 behind Python's back; the answers go where that was.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    logger = trt.Logger(trt.Logger.INFO)
    print("ready", file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(build(job["model"], job["engine"], job["shapes"], logger)), file=answers, flush=True)


if __name__ == "__main__":
    main()
