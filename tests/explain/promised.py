"""What the catalog promises."""

from __future__ import annotations

# The ids that the design promises; new ones may come, these stay.
PROMISED = [
    "parse.unsupported_node", "parse.opset", "parse.invalid_model", "parse.plugin_missing", "parse.dtype",
    "parse.shape", "parse.datadependent", "config.profile_missing", "config.profile_range", "config.workspace",
    "config.precision", "build.no_implementation", "build.out_of_memory", "build.myelin_internal",
    "build.calibration", "build.timing_cache", "build.cancelled", "deserialize.version_mismatch",
    "deserialize.corrupt", "deserialize.gpu_mismatch", "deserialize.plugin_missing", "runtime.shape_out_of_profile",
    "runtime.binding_address", "runtime.cuda_illegal_access", "runtime.oom", "runtime.stream_sync",
    "env.driver_too_old", "env.cuda_mismatch", "env.library_missing", "env.no_gpu", "env.unsupported_gpu",
    "api.removed", "accuracy.fp16_overflow", "accuracy.int8",
]  # fmt: skip
