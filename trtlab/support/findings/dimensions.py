"""Names of open sizes: TensorRT takes two sizes of one name for the same size.

Asked of TensorRT-RTX 1.7.1: two inputs whose sizes have one name and get different ranges in a profile are refused by the builder
(`Input dimensions with this name have different constant values or have contradictory IOptimizationProfile kMIN/kMAX
constraints`), also if that name is `?`, `-1`, `None` or `unk__12`; sizes without a name are never compared. `n*2` is a name
like any other: nothing ties it to `n`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from trtlab._format import plural
from trtlab.model.description import Finding
from trtlab.support.findings.model_facts import ModelFacts
from trtlab.support.findings.wording import SEEN, listed, quoted

# What exporters and people write for "I do not know".
_PLACEHOLDER = re.compile(r"\W*|-?\d+|none|null|nan|unknown|unk_*\d*|dyn|dynamic|dim|any", re.IGNORECASE)
_EXPRESSION = re.compile(r".*\w\s*(?:[*+/]|//|\s-\s)\s*\w.*")


def dimension_findings(facts: ModelFacts) -> Iterator[Finding]:
    """Return the names of open sizes that TensorRT may take for more, or for less, than they mean."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for value in facts.inputs:
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if size.dim_param:
                places[size.dim_param].append((value.name, axis))
    for name, found in places.items():
        where = _where(found)
        if len(found) > 1 and _PLACEHOLDER.fullmatch(name.strip()):
            text = (
                f"The name {quoted(name)} stands for {plural(len(found), 'open size')}: {where}. TensorRT takes sizes of one name "
                f"as equal; {SEEN} does not build if the profile gives them different ranges. If they may "
                "differ, give each a name of its own, or none."
            )
            yield Finding("support.dimension_placeholder", "warning", text, tensor=found[0][0])
        elif len({axis for _, axis in found}) > 1:
            text = (
                f"The size {quoted(name)} stands at different axes: {where}. TensorRT takes them as equal, so a profile must give them the "
                "same range. Give them different names if they may differ."
            )
            yield Finding("support.dimension_shared", "info", text, tensor=found[0][0])
    expressions = [name for name in places if _EXPRESSION.fullmatch(name)]
    if expressions:
        text = (
            f"The names of sizes {listed(expressions)} look like formulas. To TensorRT they are plain names: it does not "
            "compute them, and a profile must give them ranges that fit."
        )
        yield Finding("support.dimension_expression", "info", text, tensor=places[expressions[0]][0][0])


def _where(places: list[tuple[str, int]]) -> str:
    return listed([f"axis {axis} of {quoted(name)}" for name, axis in places], quote=False)
