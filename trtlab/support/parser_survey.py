"""Have the parser look at every node of a model that it refused, past each failure. Runs in the worker.

The parser stops at its first importer failure. So:

1. A *sweep*: behind a node that no parser takes, it still runs its static checks on every other node, and reports all failures.
2. *Windows*: what was refused is cut out, its outputs become inputs of the type and shape that ONNX infers, and the parser goes
   on behind the nodes that it has imported, whose outputs become inputs of the type and shape that TensorRT itself reported.

No node is accused on a guess: where what stands in for a refused node may differ from what the node would have given, a refusal
further on counts only if the parser refuses the node for the same reason whatever stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from trtlab._engine_results import ParserError
from trtlab.model.walk import attribute_graphs
from trtlab.model.working_copy import WorkingCopy, add_probe, nodes_inside, number_in
from trtlab.support.journal import CRASH
from trtlab.support.passes import ImportedTensor, ParserPass, Report, Survey
from trtlab.support.stand_ins import Doubt, StandIns
from trtlab.support.verdicts import Verdict, Verdicts

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

_STOP, _STOP_DOMAIN = "trtlab_stop", "trtlab.survey"
# A window is a part of a large model: the parser imports constants first, and would do so again behind every failure.
_WHOLE_NODES, _WINDOW_NODES = 600, 400
# How much of all that could stand in for something uncertain must be refused for the same reason.
_SAME_REASON = 0.75
_INITIALIZER = re.compile(r"import(?:ing)? initializer: (?!In node)(?P<name>.+?)\s*$")
_VARIES = re.compile(r"trtlab_\w+|-?\d+")


class ParserSurvey:
    """The survey of one model by the parser.

    Attributes:
        verdicts: By the node's number.
        stand_ins: What stands in for tensors.
        gone: Positions of units that were refused or could not be judged.
        passes: How often the parser was asked.
    """

    def __init__(self, copy: WorkingCopy, survey: Survey, *, report: Report) -> None:
        self.copy = copy
        self._survey, self._report = survey, report
        self.verdicts = Verdicts()
        self.stand_ins = StandIns(copy, self._takes_type)
        self.gone: set[int] = set()
        self.passes = 0
        self._accepted: set[int] = set()
        self._types_taken: dict[int, bool] = {}
        self._refused: set[str] = set()
        self._position = {unit.node.name: position for position, unit in enumerate(copy.units)}
        self._holder = {
            inner.name: position
            for position, unit in enumerate(copy.units)
            if unit.inside
            for inner in nodes_inside(unit.node)
        }

    def run(self, first: ParserPass, named: Iterable[tuple[int, ParserError]] = ()) -> None:
        """Look at every node.

        Args:
            first: What the parser said of the whole model.
            named: The nodes that it named there, by number, with the error of each.
        """
        for number in self.copy.in_circle:
            self.verdicts.judge(number, Verdict("unknown", "circle"))
        self._block_refused_tensors(first.errors)
        if not self.copy.has_functions:
            self._accept_first(first)
        self._sweep()
        for number, error in named:
            if number not in self.verdicts or self.verdicts[number].status == "supported":
                for name in self._names_of(number):
                    self._refuse(name, error, is_certain=True)
        self._windows()
        self._close_functions()

    def _close_functions(self) -> None:
        """Judge what is inside functions that could not be inlined, where a call of one was refused as a whole."""
        functions = self.copy.model.functions
        names = {(function.domain, function.name) for function in functions}
        called = [self.copy.units[position] for position in sorted(self.gone)]
        cause = next((unit.number for unit in called if (unit.node.domain, unit.node.op_type) in names), None)
        if cause is None:
            return
        nodes = [node for function in functions for held in function.node for node in (held, *nodes_inside(held))]
        for number in map(number_in, (node.name for node in nodes)):
            if number >= 0 and number not in self.verdicts:
                self.verdicts.judge(number, Verdict("unknown", "inside", cause=cause))

    def accept_all(self, first: ParserPass) -> None:
        """Take over that the parser took the whole model."""
        if not self.copy.has_functions:
            self._accept_first(first)
        for position in range(len(self.copy.units)):
            if position not in self._accepted:
                self._accept(position, ())

    def has_placed(self, error: ParserError) -> bool:
        """Whether an error of the whole model, which names no node there, is that of a node that was found since."""
        text = _VARIES.sub("", error.text)
        return not error.tensor and any(
            _VARIES.sub("", other.text) == text for verdict in self.verdicts.values() for other in verdict.errors
        )

    # What a pass says

    def _names_of(self, number: int) -> list[str]:
        """Return the nodes of the copy that a node of the model became: several, if it stands in a function."""
        return [name for name in (*self._position, *self._holder) if number_in(name) == number]

    def _accept_first(self, first: ParserPass) -> None:
        """Take over what the parser imported of the whole model: there, nodes are told by what they make."""
        for node in first.imported:
            position = self.copy.makers.get(node.outputs[0].name, -1) if node.outputs else -1
            if position >= 0 and len(self.copy.units[position].outputs) >= len(node.outputs):
                self._accept(position, node.outputs)

    def _accept(self, position: int, outputs: Iterable[ImportedTensor]) -> None:
        unit = self.copy.units[position]
        self._accepted.add(position)
        doubt = self.stand_ins.doubt_of(unit)
        if doubt is not None and doubt.kind == "shape":
            verdict = Verdict("supported", "assumed", cause=doubt.cause, tensor=doubt.tensor)
        else:
            verdict = Verdict("supported")
        for number in (unit.number, *unit.inside):
            self.verdicts.judge(number, verdict)
        self.stand_ins.take(unit, outputs)

    def _refuse(self, name: str, error: ParserError, *, is_certain: bool = False) -> None:
        """Take over that the parser refused the node with that name in the copy."""
        self._refused.add(name)
        if name in self._holder:
            self.verdicts.judge(number_in(name), Verdict("unsupported", "parser", (error,)))
            self._replace_inside(self._holder[name], name)
            return
        position = self._position[name]
        unit = self.copy.units[position]
        doubt = None if is_certain else self.stand_ins.doubt_of(unit)
        if doubt is None or self._is_refused_anyway(position, doubt, error):
            verdict = Verdict("unsupported", "parser", (error,))
        else:
            verdict = Verdict("unknown", "follows", (error,), cause=doubt.cause, tensor=doubt.tensor)
        self.verdicts.judge(unit.number, verdict)
        self.remove(position)

    def _is_refused_anyway(self, position: int, doubt: Doubt, error: ParserError) -> bool:
        """Whether the parser refuses a unit whatever stands in for what is uncertain, and nearly always for the same reason.

        A scalar, say, may be refused for being one before the parser comes to the reason.
        """
        if doubt.kind == "values":
            return False
        unit = self.copy.units[position]
        reason = _VARIES.sub("", error.text)
        tried = same = 0
        for types in self.stand_ins.hypotheses(unit):
            found = self._parse(self.copy.piece([position], types, blocked=frozenset(self.gone)))
            if found.accepted:
                return False
            tried += 1
            same += any(_VARIES.sub("", other.text) == reason for other in found.errors)
        return same >= _SAME_REASON * tried

    def remove(self, position: int) -> None:
        """Take a unit out; what is inside it and was not looked at is not looked at any more."""
        if position in self.gone:
            return
        self.gone.add(position)
        self._accepted.discard(position)
        unit = self.copy.units[position]
        for number in unit.inside:
            if number not in self.verdicts:
                self.verdicts.judge(number, Verdict("unknown", "inside", cause=unit.number))
        self.stand_ins.replace_outputs(unit, unit.number)

    def _replace_inside(self, position: int, name: str) -> None:
        """Put what stands in from outside in the place of a refused node of a branch or body."""
        unit = self.copy.units[position]
        inner = next((node for node in nodes_inside(unit.node) if node.name == name), None)
        if inner is None or position in self.gone:
            return
        number = number_in(name)
        names = self.stand_ins.replace_inside(unit, name, inner.input, inner.output, number)
        if names is None:
            self._give_up(position, Doubt("dtype", number, next(iter(inner.output), "")))
        else:
            _replace_node(unit.node, name, names)

    def _give_up(self, position: int, doubt: Doubt) -> None:
        """Mark a unit, and what is inside it and was not looked at, as not to be judged."""
        unit = self.copy.units[position]
        for number in (unit.number, *unit.inside):
            if number not in self.verdicts:
                self.verdicts.judge(number, Verdict("unknown", "dtype", cause=doubt.cause, tensor=doubt.tensor))
        self.remove(position)

    def _block_refused_tensors(self, errors: Iterable[ParserError]) -> bool:
        """Block the inputs and initializers that the parser cannot take; return whether there was a new one."""
        found = False
        for error in errors:
            match = _INITIALIZER.search(error.text)
            name = error.tensor or (match["name"] if match else "")
            if name and number_in(error.node_name) < 0:
                found |= self.stand_ins.block(name)
        return found

    # Passes

    def _takes_type(self, element: int) -> bool:
        """Whether the parser takes an input of that type; asked once for each."""
        if element not in self._types_taken:
            from onnx import helper

            described = helper.make_tensor_value_info("x", element, [1])
            graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "graph", [described], [])
            add_probe(graph)
            model = helper.make_model(graph, opset_imports=list(self.copy.model.opset_import))
            model.ir_version = self.copy.model.ir_version
            self._types_taken[element] = self._parse(model).accepted
        return self._types_taken[element]

    def _parse(self, model: ModelProto) -> ParserPass:
        """Parse; an error that names nothing belongs to the node that the parser was importing."""
        self.passes += 1
        found = self._survey.parse(model)
        if not found.importing:
            return found
        errors = tuple(
            replace(error, node_name=found.importing)
            if error.node_index < 0 and not error.node_name and not error.tensor and not _INITIALIZER.search(error.text)
            else error
            for error in found.errors
        )
        return replace(found, errors=errors)

    def _sweep(self) -> None:
        """Have the static checks run on every node, by letting the parser fail at the first."""
        for error in self._parse(self._sweep_model()).errors:
            name = error.node_name
            if name in self._position or name in self._holder:
                self._refuse(name, error, is_certain=True)
            elif number_in(name) >= 0:  # inside a function that could not be inlined
                self.verdicts.judge(number_in(name), Verdict("unsupported", "parser", (error,)))

    def _sweep_model(self) -> ModelProto:
        import onnx
        from onnx import helper

        model = onnx.ModelProto(ir_version=self.copy.model.ir_version)
        model.opset_import.extend(self.copy.model.opset_import)
        model.opset_import.append(helper.make_opsetid(_STOP_DOMAIN, 1))
        model.functions.extend(self.copy.model.functions)
        graph = model.graph
        graph.name = "graph"
        graph.node.append(helper.make_node("Stop", [], [_STOP], domain=_STOP_DOMAIN, name=_STOP))
        made: set[str] = set()
        for unit in self.copy.units:
            for node in (unit.node, *(nodes_inside(unit.node) if unit.inside else ())):
                graph.node.append(node)
                for place, name in enumerate(node.output):
                    if name in made:  # branches use the same names
                        graph.node[-1].output[place] = f"{name}{node.name}"
                    made.add(name)
        graph.output.add().name = _STOP
        return model

    def _windows(self) -> None:
        """Go through the units that are left, a window at a time, behind every failure."""
        count = len(self.copy.units)
        limit = size = count if count <= _WHOLE_NODES else _WINDOW_NODES
        waiting = [position for position in range(count) if position not in self._accepted]
        while window := self._open(waiting, limit):
            self._report("parse", count - len(waiting), count)
            result = self._parse(self._piece(window))
            if self._take(result, window):
                limit = size
            elif len(window) > 1:
                limit = len(window) // 2
            else:
                self._take_unnamed(window[0], result.errors)
            waiting = [position for position in waiting if position not in self._accepted and position not in self.gone]

    def _take_unnamed(self, position: int, errors: tuple[ParserError, ...]) -> None:
        """Judge a unit that the parser refuses on its own without naming it, or crashes on."""
        is_crash = any(error.code == CRASH for error in errors)
        verdict = Verdict("unsupported", "parser", errors) if is_crash else Verdict("unknown", "unnamed", errors)
        self.verdicts.judge(self.copy.units[position].number, verdict)
        self.remove(position)

    def _piece(self, window: list[int]) -> ModelProto:
        cuts = self.stand_ins.cuts(self.copy.units[position] for position in window)
        return self.copy.piece(window, self.stand_ins.types, blocked=frozenset(self.gone), cuts=cuts)

    def _open(self, waiting: list[int], limit: int) -> list[int]:
        """Return the first units that can be looked at; give up those that read what nothing can stand in for."""
        opened: list[int] = []
        for position in waiting:
            if position in self.gone:
                continue
            doubt = self.stand_ins.block_of(self.copy.units[position])
            if doubt is not None:
                self._give_up(position, doubt)
                continue
            opened.append(position)
            if len(opened) == limit:
                break
        return opened

    def _take(self, result: ParserPass, window: list[int]) -> bool:
        """Take over what a pass says of a window; return whether it said anything."""
        before = len(self._accepted) + len(self.gone)
        imported = {node.name: node.outputs for node in result.imported}
        inside = set(window)
        refused = [error for error in result.errors if self._is_new(error, inside)]
        named = {error.node_name for error in refused}
        for position in window:
            name = self.copy.units[position].node.name
            if name not in named and (result.accepted or name in imported):
                self._accept(position, imported.get(name, ()))
        for error in refused:
            self._refuse(error.node_name, error)
        is_blocked = not refused and not result.accepted and self._block_refused_tensors(result.errors)
        return bool(refused) or is_blocked or len(self._accepted) + len(self.gone) > before

    def _is_new(self, error: ParserError, inside: set[int]) -> bool:
        name = error.node_name
        position = self._position.get(name, self._holder.get(name, -1))
        return position in inside and position not in self.gone and name not in self._refused


def _replace_node(holder: NodeProto, name: str, stand_ins: dict[str, str]) -> None:
    """Replace a node inside another one by copies of tensors from outside."""
    waiting = [graph for attribute in holder.attribute for graph in attribute_graphs(attribute)]
    while waiting:
        graph = waiting.pop()
        if any(node.name == name for node in graph.node):
            _put_copies(graph, name, stand_ins)
            return
        waiting.extend(inner for node in graph.node for item in node.attribute for inner in attribute_graphs(item))


def _put_copies(graph: GraphProto, name: str, stand_ins: dict[str, str]) -> None:
    import onnx

    kept: list[NodeProto] = []
    for node in graph.node:
        if node.name != name:
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
            continue
        kept += [
            onnx.helper.make_node("Identity", [source], [made], name=f"trtlab_for_{made}")
            for made, source in stand_ins.items()
        ]
    del graph.node[:]
    graph.node.extend(kept)
