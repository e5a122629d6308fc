"""Graphs of any size in the form of the trait `graph`, without an ONNX file: chains, residual nets, transformers, random."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

Data = dict[str, Any]


@dataclass
class Sketch:
    """A graph that grows node by node; `scope` names the scope that new nodes go into."""

    title: str
    names: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    scopes_of: list[int] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)
    terminals: list[Data] = field(default_factory=list)
    scopes: list[Data] = field(
        default_factory=lambda: [{"path": "", "title": "main graph", "kind": "graph", "parent": -1, "holder": -1}]
    )
    inside: list[list[int]] = field(default_factory=list)
    scope: int = 0

    def node(self, operator: str, name: str, *sources: int) -> int:
        """Add a node that reads `sources` (nodes, or terminals as -1 - place) and return its number."""
        self.names.append(name)
        self.kinds.append(operator)
        self.scopes_of.append(self.scope)
        number = len(self.names) - 1
        self.edges += [(source, number) for source in sources]
        return number

    def terminal(self, kind: str, name: str, text: str = "float32 [batch x 3 x 224 x 224]") -> int:
        """Add an input or output and return how edges name it."""
        self.terminals.append({"scope": self.scope, "kind": kind, "name": name, "type": text})
        return -len(self.terminals)

    def hold(self, holder: int, title: str, kind: str = "subgraph") -> int:
        """Add a scope that `holder` holds and return its number."""
        self.scopes.append(
            {"path": title, "title": title, "kind": kind, "parent": self.scopes_of[holder], "holder": holder}
        )
        self.inside.append([holder, len(self.scopes) - 1])
        return len(self.scopes) - 1

    def data(self) -> Data:
        """Return the trait."""
        operators = sorted(set(self.kinds))
        groups, group_of = self._groups()
        return {
            "id": f"{self.title}-{len(self.names)}", "title": self.title, "scopes": self.scopes, "operators": operators,
            "groups": groups,
            "nodes": {
                "scope": self.scopes_of, "index": list(range(len(self.names))), "name": self.names,
                "operator": [operators.index(kind) for kind in self.kinds], "group": group_of,
            },
            "tensors": [f"tensor_{place}" for place in range(len(self.edges))],
            "terminals": self.terminals,
            "edges": {
                "from": [edge[0] for edge in self.edges], "to": [edge[1] for edge in self.edges],
                "tensor": list(range(len(self.edges))),
            },
            "inside": self.inside,
        }  # fmt: skip

    def _groups(self) -> tuple[list[Data], list[int]]:
        groups: list[Data] = []
        numbers: dict[tuple[int, tuple[str, ...]], int] = {}
        group_of = []
        for scope, name in zip(self.scopes_of, self.names, strict=True):
            parts = tuple(part for part in name.split("/")[:-1] if part)
            parent = -1
            for depth in range(len(parts)):
                key = (scope, parts[: depth + 1])
                if key not in numbers:
                    numbers[key] = len(groups)
                    groups.append({"title": parts[depth], "parent": parent, "scope": scope})
                parent = numbers[key]
            group_of.append(parent)
        return groups, group_of


def chain(count: int) -> Data:
    """A chain without groups."""
    sketch = Sketch("chain.onnx")
    before = sketch.terminal("input", "x")
    for number in range(count):
        before = sketch.node(("Conv", "Relu", "Add", "Mul")[number % 4], f"op_{number}", before)
    sketch.edges.append((before, sketch.terminal("output", "y")))
    return sketch.data()


def residual(count: int, *, grouped: bool = True) -> Data:
    """A residual net like ResNet-50: blocks of convolutions, each with a shortcut."""
    sketch = Sketch("resnet.onnx")
    before = sketch.node("Conv", "conv1", sketch.terminal("input", "image"))
    block = 0
    while len(sketch.names) + 8 < count:
        prefix = f"layer{block // 6}/block{block}/" if grouped else f"layer{block // 6}_block{block}_"
        at = before
        for number in range(3):
            at = sketch.node("Conv", f"{prefix}conv{number}", at)
            if number < 2:
                at = sketch.node("Relu", f"{prefix}relu{number}", at)
        short = sketch.node("Conv", f"{prefix}downsample", before) if block % 6 == 0 else before
        at = sketch.node("Add", f"{prefix}add", at, short)
        before = sketch.node("Relu", f"{prefix}relu_out", at)
        block += 1
    while len(sketch.names) < count:
        before = sketch.node("GlobalAveragePool", f"pool{len(sketch.names)}", before)
    sketch.edges.append((before, sketch.terminal("output", "logits", "float32 [batch x 1000]")))
    return sketch.data()


def transformer(count: int) -> Data:
    """An encoder: attention and feed-forward blocks, with a mask that every block reads."""
    sketch = Sketch("encoder.onnx")
    ids = sketch.terminal("input", "input_ids", "int64 [batch x sequence]")
    mask = sketch.node(
        "Unsqueeze", "mask/Unsqueeze", sketch.terminal("input", "attention_mask", "int64 [batch x sequence]")
    )
    before = sketch.node("Gather", "embeddings/Gather", ids)
    layer = 0
    while len(sketch.names) + 24 < count:
        before = _encoder_layer(sketch, before, mask, f"encoder/layer.{layer}/")
        layer += 1
    while len(sketch.names) < count:
        before = sketch.node("Gemm", f"head/Gemm_{len(sketch.names)}", before)
    sketch.edges.append((before, sketch.terminal("output", "logits", "float32 [batch x sequence x 768]")))
    return sketch.data()


def _encoder_layer(sketch: Sketch, before: int, mask: int, prefix: str) -> int:
    heads = []
    for part in ("query", "key", "value"):
        at = before
        for kind in ("MatMul", "Add", "Reshape", "Transpose"):
            at = sketch.node(kind, f"{prefix}attention/{part}/{kind}", at)
        heads.append(at)
    at = sketch.node("MatMul", f"{prefix}attention/MatMul", heads[0], heads[1])
    at = sketch.node("Add", f"{prefix}attention/Add_mask", at, mask)
    at = sketch.node("Softmax", f"{prefix}attention/Softmax", at)
    at = sketch.node("MatMul", f"{prefix}attention/MatMul_1", at, heads[2])
    at = sketch.node("Add", f"{prefix}attention/Add", at, before)
    middle = sketch.node("LayerNormalization", f"{prefix}attention/LayerNormalization", at)
    at = middle
    for kind in ("MatMul", "Gelu", "MatMul_1"):
        at = sketch.node(kind.split("_")[0], f"{prefix}output/{kind}", at)
    at = sketch.node("Add", f"{prefix}output/Add", at, middle)
    return sketch.node("LayerNormalization", f"{prefix}output/LayerNormalization", at)


def scattered(count: int, *, seed: int = 0) -> Data:
    """A random acyclic graph without groups: the worst that a layout may meet."""
    source = random.Random(seed)
    sketch = Sketch("random.onnx")
    for number in range(count):
        reads = (
            {max(0, number - 1 - int(source.random() ** 2 * 200)) for _ in range(source.randint(1, 2))}
            if number
            else ()
        )
        sketch.node(source.choice(("Conv", "Add", "Concat", "Relu")), f"node_{number}", *reads)
    return sketch.data()


def branches() -> Data:
    """An If with two branches, one of which calls a function, and a Loop."""
    sketch = Sketch("branches.onnx")
    x = sketch.terminal("input", "x")
    decision = sketch.node("If", "decide/If", sketch.node("Greater", "decide/Greater", x))
    sketch.edges.append((sketch.node("Relu", "after", decision), sketch.terminal("output", "y")))
    for title in ("then_branch", "else_branch"):
        sketch.scope = sketch.hold(decision, title)
        call = sketch.node("com.acme.Fold", f"{title}/Fold", sketch.node("Add", f"{title}/Add"))
        sketch.edges.append((call, sketch.terminal("output", f"{title}_y")))
    sketch.scope = sketch.hold(call, "com.acme.Fold", "function")
    sketch.node("Mul", "Mul", sketch.node("Sub", "Sub"))
    return sketch.data()


def status_of(graph: Data, **faults: list[int]) -> Data:
    """Return a status: all supported but `parser`, `builder` and `unknown`."""
    states = [1] * len(graph["nodes"]["name"])
    for kind, state in (("parser", 2), ("builder", 3), ("unknown", 4)):
        for number in faults.get(kind, []):
            states[number] = state
    return {"of": states, "problems": [], "partitions": []}
