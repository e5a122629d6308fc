"""How each mechanical change is made. A rule returns the edits, or None where this place needs a person.

A rule never does more than its own change: what stands around it keeps its text, comments included.
"""

from __future__ import annotations

from trtlab.explain.code.rules import building, execution, flags, naming, tensors
from trtlab.explain.code.rules.common import Rule

# By the `how` of `data/api_changes.yaml`.
RULES: dict[str, Rule] = {
    "rename": naming.rename,
    "slice_mode": naming.slice_mode,
    "constant": naming.constant,
    "count": tensors.count,
    "by_name": tensors.by_name,
    "is_input": tensors.is_input,
    "profile_shape": tensors.profile_shape,
    "execute": execution.execute,
    "execute_async": execution.execute_async,
    "execute_async_v2": execution.execute_async_v2,
    "context_strategy": execution.context_strategy,
    "drop": flags.drop,
    "destroy": flags.destroy,
    "strict_types": flags.strict_types,
    "tactic_heuristic": flags.tactic_heuristic,
    "flag_bit": flags.flag_bit,
    "workspace": building.workspace,
    "builder_workspace": building.builder_workspace,
    "builder_flag": building.builder_flag,
    "builder_setting": building.builder_setting,
    "build_engine": building.build_engine,
    "build_cuda_engine": building.build_cuda_engine,
}
