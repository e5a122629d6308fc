"""The rules are sound, the generated files are what the YAML says, and no rule is slow."""

from __future__ import annotations

import time

import pytest

from trtlab.explain.catalog import DATA, catalog
from trtlab.explain.compile_catalog import compiled_files
from trtlab.explain.log.rules import Recogniser, Rule, rules


def test_the_generated_files_are_what_the_yaml_says() -> None:
    for path, content in compiled_files().items():
        assert path.read_bytes() == content, f"python -m trtlab.explain.compile_catalog makes {path.name} anew"


def test_every_rule_leads_to_a_page() -> None:
    for rule in rules():
        for identifier in filter(None, (rule.id, rule.alone, *rule.follows, *rule.absorbs)):
            assert catalog()[identifier].kind == "diagnosis"


@pytest.mark.parametrize("letter", ["x", " ", "[", "a b ", "(1, 2) ", "Error Code 3: ", "reshape "])
def test_no_pattern_takes_long_over_a_long_message(letter: str) -> None:
    message = letter * (6000 // len(letter))
    for rule in rules():
        began = time.process_time()
        rule.match(f"{rule.any[0]} {message}")
        rule.match(f"{message} {rule.any[0]}")
        assert time.process_time() - began < 0.5, f"{rule.id}: {rule.pattern}"


# Messages of releases and machines that are not here, written after what was reported of them.
REPORTED = {
    "[E] Error[10]: NVRTC Compilation failure": "build.myelin_internal",
    "[W] Skipping tactic 0 due to Myelin error: autotuning: CUDA error 3 allocating 0-byte buffer:": "build.myelin_internal",
    "[W] Skipping tactic 0 due to Myelin error: autotuning: CUDA error 2 allocating 9-byte buffer:": "build.out_of_memory",
    "Half precision has been set for a layer or layer output, but half is not configured in the builder": "config.precision",
    "the engine built with --fp16 gives only NaN values": "accuracy.fp16_overflow",
    "failed to set binding dimension to [9,3] for input 'ids' for model": "runtime.shape_out_of_profile",
    "AttributeError: 'module' object has no attribute 'infer'": "api.removed",
    "ImportError: DLL load failed: The specified procedure could not be found.": "env.cuda_mismatch",
    "2: [helpers.h::smVerHex2Dig::1] Error Code 2: Internal Error (Assertion major >= 0 && major < 10 failed. )": "env.unsupported_gpu",
    "Error Code 2: Internal Error (Assertion y->type() == signature.operandType(1) failed.": "parse.dtype",
}


@pytest.mark.parametrize("message", REPORTED)
def test_reported_messages_are_recognised(message: str) -> None:
    found = Recogniser().recognise(message)
    assert found is not None
    assert found[0].id == REPORTED[message]


def test_of_two_rules_the_one_of_higher_rank_counts() -> None:
    found = Recogniser().recognise(
        "Error Code 1: Serialization (Serialization assertion x failed.Version tag does not match)"
    )
    assert found is not None
    assert found[0].id == "deserialize.version_mismatch"


def test_alternatives_of_a_pattern_give_the_same_fact() -> None:
    rule = Rule(id="parse.shape", any=("x",), pattern=r"a(?P<node>\d)|b(?P<node_two>\d)")
    assert rule.match("b7") == {"node": "7"}
    assert rule.match("c7") is None


def test_the_data_files_lie_in_the_package() -> None:
    assert (DATA / "catalog.json").stat().st_size > 1000
