"""What the worker can do with a model and TensorRT to survey it. Called through `trtlab.worker`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trtlab._engine_results import ParserError
from trtlab._results import from_dict
from trtlab.build.plan import ShapeProfile
from trtlab.build.proposals import propose
from trtlab.engine.actions import load_flavour
from trtlab.engine.surveying import Sizes, TensorRtSurvey
from trtlab.model.actions import describe, loaded_model
from trtlab.model.node_numbers import NodeNumbers
from trtlab.support.builder_survey import BuilderSurvey
from trtlab.support.journal import CRASH, JournalingSurvey, journal_of
from trtlab.support.parser_survey import ParserSurvey
from trtlab.support.passes import BuildPass, ParserPass
from trtlab.support.stand_ins import shown_type
from trtlab.support.verdicts import Depth, SurveyRecord, Verdict

if TYPE_CHECKING:
    from onnx import ModelProto

    from trtlab.engine.parsing import ParsedNetwork
    from trtlab.model.reading import ModelFile
    from trtlab.worker.context import ActionContext

TYPES_KEY = "survey_types"
_PARSE, _BUILD = "asking the parser", "asking the builder"


def survey(
    context: ActionContext,
    *,
    depth: Depth = "quick",
    flavour: str | None = None,
    profile: dict[str, Any] | None = None,
    journal: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Survey the loaded model; return `SurveyRecord` as a dictionary.

    Args:
        context: Where the model is kept.
        depth: `quick`: ask the parser alone; `full`: the builder too.
        flavour: Which TensorRT; None chooses what can build here.
        profile: The `ShapeProfile` to build with, as a dictionary; None takes proposals.
        journal: What is known of attempts in which a worker died, see `trtlab.support.journal`.
    """
    began = time.perf_counter()
    file = loaded_model(context)
    chosen, sink, _, installation = load_flavour(context, flavour)
    given = from_dict(ShapeProfile, profile) if profile else None
    tensorrt = TensorRtSurvey(
        chosen, sink, context, path=str(file.path), sizes=_sizes(file, given), values=given.values if given else {}
    )
    survivor = JournalingSurvey(tensorrt, journal_of(journal), lambda text: context.events.phase("start", text))
    first, built = _first_passes(tensorrt, survivor, file, depth)
    parse_seconds = time.perf_counter() - began
    context.state[TYPES_KEY] = first.imported, {}
    record = SurveyRecord(
        installation, depth, first.accepted, built.built if built else None, bool(built and built.is_guess and not built.built),
        sum(len(scope.nodes) for scope in file.scopes), (), parse_seconds=parse_seconds, passes=1, builds=int(built is not None),
    )  # fmt: skip
    if not first.accepted or (built is not None and not built.built):
        record = _look_further(context, file, survivor, first, record, built)
    return replace(record, seconds=time.perf_counter() - began).to_dict()


def _first_passes(
    tensorrt: TensorRtSurvey, survivor: JournalingSurvey, file: ModelFile, depth: Depth
) -> tuple[ParserPass, BuildPass | None]:
    """Parse the model as it is and, in a full survey, build it from that parse."""
    networks: list[ParsedNetwork] = []

    def parse() -> ParserPass:
        found, parsed = tensorrt.parse_whole(file.content, file.proto)
        networks.append(parsed)
        return found

    try:
        first = survivor.parsing(f"parse:{file.sha256}", parse)
        if depth == "quick" or not first.accepted:
            return first, None
        return first, survivor.building(f"build:{file.sha256}", lambda: tensorrt.build_network(networks[0], file.proto))
    finally:
        for parsed in networks:
            parsed.release()


def _look_further(
    context: ActionContext,
    file: ModelFile,
    tensorrt: JournalingSurvey,
    first: ParserPass,
    record: SurveyRecord,
    built: BuildPass | None,
) -> SurveyRecord:
    """Look at every node of a model that TensorRT does not take."""
    from trtlab.model.working_copy import WorkingCopy

    numbers = NodeNumbers(file)
    copy = WorkingCopy(file)
    if not tensorrt.attempt("infer", copy.infer):
        copy.do_without_inference()
    by_parser = ParserSurvey(copy, tensorrt, report=_reporter(context, _PARSE))
    named, unplaced = _placed(first, numbers)
    if first.accepted:
        by_parser.accept_all(first)
    else:
        by_parser.run(first, named)
    by_builder = BuilderSurvey(copy, tensorrt, by_parser, report=_reporter(context, _BUILD))
    if record.depth == "full" and not (built and built.is_guess):
        by_builder.run()
    is_placed = any(verdict.messages for verdict in by_parser.verdicts.values())
    messages = by_builder.unplaced or (built.messages if built and not is_placed else ())
    context.state[TYPES_KEY] = first.imported, by_parser.stand_ins.shown
    return replace(
        record,
        verdicts=tuple(
            (number, _in_own_words(verdict, number, numbers, copy.in_own_words))
            for number, verdict in sorted(by_parser.verdicts.items())
            if verdict != Verdict("supported")
        ),
        unplaced=tuple(error for error in unplaced if not by_parser.has_placed(error)),
        build_messages=tuple(copy.in_own_words(message) for message in messages),
        passes=record.passes + by_parser.passes,
        builds=record.builds + by_builder.builds,
    )


def _placed(first: ParserPass, numbers: NodeNumbers) -> tuple[list[tuple[int, ParserError]], list[ParserError]]:
    """Return the nodes that the parser named in the whole model, and the errors that lead to none."""
    found = numbers.of_errors(first.errors)
    named = [(number, error) for number, error in zip(found, first.errors, strict=True) if number is not None]
    rest = [error for number, error in zip(found, first.errors, strict=True) if number is None]
    return named, [error for error in rest if error.code != CRASH]


def _in_own_words(verdict: Verdict, number: int, numbers: NodeNumbers, words: Callable[[str], str]) -> Verdict:
    """Return a verdict with the model's own names and places."""
    node = numbers.reference(number)
    scope = (node.scope,) if node.scope else ()

    def error(item: ParserError) -> ParserError:
        return replace(
            item, text=words(item.text), node_index=node.index, node_name=node.name, operator=node.op_type, scope=scope
        )

    return replace(
        verdict,
        errors=tuple(dict.fromkeys(map(error, verdict.errors))),
        messages=tuple(map(words, verdict.messages)),
        tensor=words(verdict.tensor),
    )


def _sizes(file: ModelFile, given: ShapeProfile | None) -> dict[str, Sizes]:
    """Return the sizes of open dimensions, by input and axis and by name: what was given, else what is proposed."""
    sizes: dict[str, Sizes] = {}
    proposals = propose(describe(file))
    for item in proposals:
        chosen: Sizes = (item.min, item.opt, item.max)
        shapes = given.shapes.get(item.tensor) if given else None
        if shapes is not None and len(shapes.min) > item.axis:
            chosen = (shapes.min[item.axis], shapes.opt[item.axis], shapes.max[item.axis])
        sizes[f"{item.tensor}:{item.axis}"] = chosen
        if item.dimension:
            sizes.setdefault(item.dimension, chosen)
    return sizes


def _reporter(context: ActionContext, what: str) -> Callable[[str, int, int], None]:
    context.events.phase("start", what, None, 0, 0)

    def report(_: str, done: int, total: int) -> None:
        context.raise_if_cancelled()
        context.events.phase("step", what, None, done, total)

    return report


def tensor_types(context: ActionContext, *, names: list[str]) -> dict[str, str]:
    """Return the type and shape that TensorRT gave to tensors in the last survey, as text; unknown ones are left out."""
    imported, shown = context.state.get(TYPES_KEY, ((), {}))
    wanted = set(names)
    first = {output.name: output for node in imported for output in node.outputs if output.name in wanted}
    return {name: shown_type(first[name]) for name in names if name in first} | {
        name: shown[name] for name in names if name in shown
    }


def node_facts(context: ActionContext, *, places: list[tuple[int, str]]) -> list[dict[str, Any]]:
    """Return what the loaded model says about nodes and tensors: `RefusalFacts` as dictionaries, in the order of `places`.

    Args:
        context: Where the model is kept.
        places: For each the number of a node or -1, and the name of a tensor or an empty text.
    """
    from trtlab.model.node_facts import collect_facts_at

    file = loaded_model(context)
    wanted: Iterable[tuple[int, str]] = ((int(number), str(tensor)) for number, tensor in places)
    return [facts.to_dict() for facts in collect_facts_at(file, list(wanted))]


def reduce(
    context: ActionContext,
    *,
    number: int,
    by: str,
    flavour: str | None,
    path: str,
    journal: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Find the smallest model in which TensorRT still refuses a node, and save it; return `CutModel` as a dictionary.

    Args:
        context: Where the model is kept.
        number: The node's number.
        by: `parser` or `builder`: which of them refuses it.
        flavour: Which TensorRT.
        path: Where the new model goes; the file must not be there.
        journal: What is known of attempts in which a worker died, see `trtlab.support.journal`.
    """
    from trtlab.model.working_copy import WorkingCopy, number_in
    from trtlab.support.actions import save_cut
    from trtlab.support.cutting import finished, smallest_refused

    file = loaded_model(context)
    chosen, sink, *_ = load_flavour(context, flavour)
    survey = TensorRtSurvey(chosen, sink, context, path=str(file.path), sizes=_sizes(file, None))
    tensorrt = JournalingSurvey(survey, journal_of(journal), lambda text: context.events.phase("start", text))
    copy = WorkingCopy(file)
    said: list[str] = []

    def is_refused(model: ModelProto) -> bool:
        if by == "builder":
            built = tensorrt.build(model)
            said[:] = built.messages
            return built.is_refused
        found = tensorrt.parse(model)
        named = ((error, number_in(error.node_name or found.importing)) for error in found.errors)
        said[:] = [error.text for error, place in named if place == number or error.code == CRASH]
        return bool(said)

    model = smallest_refused(copy, number, {}, is_refused, lambda text: context.events.phase("start", text))
    is_refused(model)
    message = "\n".join(map(copy.in_own_words, said))
    return save_cut(finished(model, copy, file.path.parent), path, message=message)
