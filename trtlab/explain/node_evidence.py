"""Say what the model shows about a node that was refused: its attributes, its inputs, where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trtlab._format import shorten_middle
from trtlab.explain.catalog import Language
from trtlab.explain.restrictions import FLOATS
from trtlab.model.node_description import NodeFacts, RefusalFacts, TensorFacts

_LONGEST_NAME = 60
_MOST_CLAUSES = 6
_NO_EVIDENCE_BY_DEFAULT = "graph of "  # how the value of an attribute that holds a graph begins


def evidence_sentence(facts: RefusalFacts | None, shows: Sequence[str], language: Language) -> str:
    """Return what the model shows in one sentence, empty if it shows nothing.

    Args:
        facts: What the model says.
        shows: What belongs to the reason, as in `data/restrictions.yaml`; nothing: types and attributes.
        language: Of the sentence.
    """
    if facts is None:
        return ""
    clauses: list[str] = []
    told: set[tuple[str, str]] = set()  # each input once, as what is shown first says it
    for name in shows or ("types", "attributes", "tensor"):
        clauses += _clauses(facts, name, language, told)
    shown = clauses[:_MOST_CLAUSES]
    if not shown:
        return ""
    if language == "zh":
        return f"此处{'；'.join(shown)}{'，等等' if len(clauses) > len(shown) else ''}。"
    return f"Here {'; '.join(shown)}{', and more' if len(clauses) > len(shown) else ''}."


def _clauses(facts: RefusalFacts, name: str, language: Language, told: set[tuple[str, str]]) -> Iterator[str]:
    kind, _, detail = name.partition(".")
    node = facts.node
    if kind == "tensor" and facts.tensor is not None:
        yield _tensor_clause(facts.tensor, facts.readers, language)
    elif node is None:
        return
    elif kind == "attribute":
        value = node.attribute(detail)
        if value is not None:
            yield _attribute_clause(detail, value, language)
    elif kind == "attributes":
        shown = [item for item in node.attributes if not item.value.startswith(_NO_EVIDENCE_BY_DEFAULT)]
        yield from (_attribute_clause(item.name, item.value, language) for item in shown)
    elif kind == "outputs":
        yield _outputs_clause(node, language)
    else:
        clause = _type_clause if kind == "types" else _origin_clause
        for item in _chosen(node, kind, detail):
            if (item.role, item.name) not in told:
                told.add((item.role, item.name))
                yield clause(item, language)


def _chosen(node: NodeFacts, kind: str, detail: str) -> list[TensorFacts]:
    if kind == "types":
        return [item for item in node.inputs if item.dtype or item.shape is not None]
    if kind == "input":
        return _inputs_called(node, detail)
    if kind == "computed":
        return [item for item in node.inputs if not item.is_constant]
    if kind == "floats":
        return [item for item in node.inputs if not item.is_constant and item.dtype in FLOATS]
    return [item for item in node.inputs if item.source == "missing"] if kind == "missing" else []


def _inputs_called(node: NodeFacts, detail: str) -> list[TensorFacts]:
    named = [item for item in node.inputs if item.role == detail]
    if not detail.isdigit():
        return named
    # By number only where ONNX has no names for them (a custom operator, an unknown opset).
    number = int(detail)
    return [item for item in node.inputs[number : number + 1] if not item.role]


def _attribute_clause(name: str, value: str, language: Language) -> str:
    name = shorten_middle(name, _LONGEST_NAME)
    return f"属性 {name} = {value}" if language == "zh" else f"attribute {name} = {value}"


def _called(item: TensorFacts, language: Language) -> str:
    name = shorten_middle(item.name, _LONGEST_NAME)
    word = "输入 " if language == "zh" else "input "
    if item.role not in ("", "input", item.name):
        return f"{word}{item.role}（'{name}'）" if language == "zh" else f"{word}{item.role} ('{name}')"
    return f"{word}'{name}'"


def _type(item: TensorFacts, language: Language) -> str:
    unknown = "未知类型" if language == "zh" else "of unknown type"
    if item.shape is None:
        return item.dtype or unknown
    if not item.shape:
        return f"{item.dtype or unknown} {'标量' if language == 'zh' else 'scalar'}"
    sizes = ", ".join("?" if size is None else shorten_middle(str(size), _LONGEST_NAME) for size in item.shape)
    return f"{item.dtype or unknown} [{sizes}]"


def _type_clause(item: TensorFacts, language: Language) -> str:
    values = f" = {item.values}" if item.values else ""
    return f"{_called(item, language)} {'是' if language == 'zh' else 'is'} {_type(item, language)}{values}"


def _origin_clause(item: TensorFacts, language: Language) -> str:
    """Say where the values of an input come from, which decides whether they are known when the engine is built."""
    called, maker = _called(item, language), shorten_middle(item.maker, 2 * _LONGEST_NAME)
    roots = ", ".join(f"'{shorten_middle(root, _LONGEST_NAME)}'" for root in item.roots)
    kind = _type(item, language)
    if language == "zh":
        if item.is_constant:
            return f"{called} 是常量，{kind}" + (f" = {item.values}" if item.values else "")
        if item.source == "node":
            ending = "，只由常量算出" if item.foldable else f"，取决于模型输入 {roots}" if roots else ""
            return f"{called}（{kind}）由节点 {maker} 计算，不是常量{ending}"
        if item.source == "input":
            return f"{called}（{kind}）是模型输入，运行时才知道它的值"
        return f"{called} 由循环给出" if item.source == "body" else f"{called} 没有任何来源"
    if item.is_constant:
        return f"{called} is a constant, {kind}" + (f" = {item.values}" if item.values else "")
    if item.source == "node":
        ending = (
            ", from constants alone"
            if item.foldable
            else f", and depends on the model's input {roots}"
            if roots
            else ""
        )
        return f"{called} ({kind}) is computed by node {maker}, not a constant{ending}"
    if item.source == "input":
        return f"{called} ({kind}) is an input of the model, known at run time only"
    return f"{called} is given by the loop" if item.source == "body" else f"{called} is made by nothing"


def _outputs_clause(node: NodeFacts, language: Language) -> str:
    names = [
        f"{item.role} ('{shorten_middle(item.name, _LONGEST_NAME)}')"
        if item.role
        else f"'{shorten_middle(item.name, _LONGEST_NAME)}'"
        for item in node.outputs
    ]
    listed = ", ".join(names[:_MOST_CLAUSES]) + (", …" if len(names) > _MOST_CLAUSES else "")
    return f"输出为 {listed}" if language == "zh" else f"the outputs are {listed}"


def _tensor_clause(item: TensorFacts, readers: Sequence[str], language: Language) -> str:
    name, kind = shorten_middle(item.name, _LONGEST_NAME), _type(item, language)
    listed = ", ".join(shorten_middle(reader, 2 * _LONGEST_NAME) for reader in readers)
    if language == "zh":
        word = "initializer" if item.is_constant else "模型输入"
        return f"{word} '{name}' 是 {kind}" + (f"，由 {listed} 读取" if listed else "")
    word = "the initializer" if item.is_constant else "the input"
    return f"{word} '{name}' is {kind}" + (f", read by {listed}" if listed else "")
