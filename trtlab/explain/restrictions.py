"""What TensorRT refuses and why: written by hand in `data/restrictions.yaml`, loaded from `data/restrictions.json`.

The parser itself says many a reason with the one word `false`, or with a line of its C++ source; the builder talks of its own layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

import msgspec

from trtlab._format import shorten_middle
from trtlab.explain.catalog import DATA, FACT, Language, Text
from trtlab.explain.operators import is_standard_operator
from trtlab.model.node_description import RefusalFacts, TensorFacts

RefusedBy = Literal["parser", "builder"]
# An operator that is refused as a whole: a check that always fails, no importer, and then no plugin of that name either.
_WHOLE = re.compile(
    r"^(?:Assertion failed: )?(?:false)?\s*$|[Pp]lugin not found|could not find plugin|[Nn]o importer registered|"
    r"^(?:Assertion failed: )?\(?creator\b"
)
_LONGEST_FACT = 100
FLOATS = ("float16", "float32", "float64", "bfloat16")
_INTEGERS = ("int16", "uint16", "uint32", "uint64", "int2", "uint2", "uint4")
_SUPPORTED = (*FLOATS, "int8", "int32", "int64", "uint8", "bool", "int4", "float8e4m3fn", "float4e2m1")
# Found by building Attention with TensorRT-RTX 1.7.1: heads of 4, 8, 260, 264 and 512 are refused, those between are not.
_LEAST_HEAD, _LARGEST_HEAD, _RANK_WITHOUT_HEADS = 9, 256, 3
_NO_TENSORS = ("sequence", "optional", "map", "sparse", "opaque")


# TensorRT's names of the types, by those of ONNX in NumPy's style. As whole words only.
_TYPES = {
    "float": "float32", "half": "float16", "bf16": "bfloat16", "fp8": "float8e4m3fn", "fp4": "float4e2m1", "e8m0": "float8e8m0",
    **{name: name for name in ("bfloat16", "int4", "int8", "int32", "int64", "uint8", "bool")},
}  # fmt: skip
_TYPE = re.compile(rf"\bk?({'|'.join(_TYPES)})\b", re.IGNORECASE)


class Restriction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, dict=True):
    """One thing that TensorRT refuses.

    Attributes:
        id: Stable name.
        by: Whether the parser or the builder refuses it.
        operators: ONNX operators; none: any.
        match: Regular expression that is searched for in TensorRT's text; empty: the operator is refused as a whole.
        conditions: Names in `CONDITIONS`, all of which must hold. Called `if` in the file.
        diagnosis: Id of the catalog, where the message alone leads to a wrong one.
        reason: Why.
        instead: What to do.
        code: The command or code for it.
        shows: Which evidence of the node belongs to it (`trtlab.explain.node_evidence`).
    """

    id: str
    by: RefusedBy = "parser"
    operators: tuple[str, ...] = ()
    match: str = ""
    conditions: tuple[str, ...] = msgspec.field(default=(), name="if")
    diagnosis: str = ""
    reason: Text
    instead: Text | None = None
    code: str = ""
    shows: tuple[str, ...] = ()

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern."""
        return re.compile(self.match, re.DOTALL) if self.match else _WHOLE

    def fill(self, text: Text, facts: Mapping[str, str], language: Language) -> str:
        """Return one of its texts with the facts filled in."""
        return FACT.sub(lambda found: shorten_middle(facts[found[1]], _LONGEST_FACT), text.to(language))


class Match(msgspec.Struct, frozen=True):
    """A restriction that fits a refusal, and the facts for its texts."""

    restriction: Restriction
    facts: dict[str, str]


@cache
def restrictions() -> tuple[Restriction, ...]:
    """Return all restrictions, in the order of the file."""
    return msgspec.json.decode((DATA / "restrictions.json").read_bytes(), type=tuple[Restriction, ...])


@cache
def _by_operator(by: RefusedBy) -> Mapping[str, tuple[Restriction, ...]]:
    """Return the restrictions of each operator that has its own; under the empty name those of any operator."""
    known = [item for item in restrictions() if item.by == by]
    names = {"", *(name for item in known for name in item.operators)}
    return {name: tuple(item for item in known if not item.operators or name in item.operators) for name in names}


def find_restriction(
    text: str,
    *,
    operator: str = "",
    facts: RefusalFacts | None = None,
    known: Mapping[str, str] | None = None,
    by: RefusedBy = "parser",
) -> Match | None:
    """Return the restriction that a refusal comes from, None if none is known.

    Args:
        text: What TensorRT said, without what `clean_message` takes away.
        operator: The operator; without it only restrictions that hold for any operator are looked at.
        facts: What the model says.
        known: Facts for the texts, by the names in `explain.facts`.
        by: Who refused it.
    """
    given = {**(known or {}), **({"operator": operator} if operator else {})}
    case = Case(operator, facts or RefusalFacts())
    by_operator = _by_operator(by)
    for restriction in by_operator.get(operator, by_operator[""]):
        found = restriction.compiled.search(text)
        if found is None or not all(CONDITIONS[name](case) for name in restriction.conditions):
            continue
        filled = {**given, **_said(found)}
        if all(name in filled for name in _names_in(restriction)):
            return Match(restriction, filled)
    return None


def _said(found: re.Match[str]) -> dict[str, str]:
    said = {name: value.strip() for name, value in found.groupdict().items() if value}
    return {name: value if name == "tensor" else _onnx_types(value) for name, value in said.items()}


def _onnx_types(text: str) -> str:
    """Return a text with ONNX's names of the types instead of TensorRT's."""
    return _TYPE.sub(lambda found: _TYPES[found[1].lower()], text)


def _names_in(restriction: Restriction) -> set[str]:
    texts = [restriction.reason, *([restriction.instead] if restriction.instead else [])]
    return {name for text in texts for name in FACT.findall(text.en)}


@dataclass(frozen=True)
class Case:
    """What is known of one refusal, for `CONDITIONS`."""

    operator: str
    facts: RefusalFacts

    @property
    def inputs(self) -> tuple[TensorFacts, ...]:
        """The inputs of the node, none if it is not known."""
        return self.facts.node.inputs if self.facts.node else ()

    @property
    def dtype(self) -> str:
        """Type of the tensor that was refused, empty if it is not known."""
        return self.facts.tensor.dtype if self.facts.tensor else ""


def _is_of_onnx(case: Case) -> bool:
    return is_standard_operator(case.operator) and (case.facts.node is None or not case.facts.node.node.domain)


def _types_differ(case: Case) -> bool:
    return len({item.dtype for item in case.inputs} - {"", "bool"}) > 1


def _types_same(case: Case) -> bool:
    return bool(case.inputs) and all(item.dtype for item in case.inputs) and not _types_differ(case)


def _has_head_outside(case: Case) -> bool:
    """Whether the heads of an Attention are of a size for which TensorRT has no kernel; False if their size is open."""
    if not case.inputs or not case.inputs[0].shape:
        return False
    size, rank = case.inputs[0].shape[-1], len(case.inputs[0].shape)
    heads = (case.facts.node.attribute("q_num_heads") if case.facts.node else None) or "1"
    if not isinstance(size, int) or (rank == _RANK_WITHOUT_HEADS and not heads.isdigit()):
        return False
    size = size // max(1, int(heads)) if rank == _RANK_WITHOUT_HEADS else size
    return not _LEAST_HEAD <= size <= _LARGEST_HEAD


def _is_float_computed(case: Case) -> bool:
    return any(not item.is_constant and item.dtype in FLOATS for item in case.inputs)


# What must be known of a node for a restriction to be the reason: some texts of the parser have several causes.
CONDITIONS: Mapping[str, Callable[[Case], bool]] = {
    "standard": _is_of_onnx,
    "half": lambda case: any(item.dtype in ("float16", "bfloat16") for item in case.inputs),
    "bfloat16": lambda case: any(item.dtype == "bfloat16" for item in case.inputs),
    "float32": lambda case: any(item.dtype == "float32" for item in case.inputs),
    "int8": lambda case: any(item.dtype == "int8" for item in case.inputs),
    "head_size_outside": _has_head_outside,
    "uint8": lambda case: any(item.dtype == "uint8" for item in case.inputs),
    "types_differ": _types_differ,
    "types_same": _types_same,
    "computed_float": _is_float_computed,
    "vector_first": lambda case: bool(case.inputs) and len(case.inputs[0].shape or ()) == 1,
    "tensor_known": lambda case: bool(case.dtype),
    "tensor_unsupported": lambda case: bool(case.dtype) and case.dtype not in _SUPPORTED,
    "tensor_string": lambda case: case.dtype == "string",
    "tensor_complex": lambda case: case.dtype in ("complex64", "complex128"),
    "tensor_integer": lambda case: case.dtype in _INTEGERS,
    "tensor_no_tensor": lambda case: case.dtype in _NO_TENSORS,
}
