"""Make transformer.onnx: a two-layer transformer encoder with a dynamic batch and a dynamic sequence length.

The weights are random and seeded: the model computes something definite, and nothing meaningful. What it is good for
is its structure, that of every exported encoder: token and position embeddings, a mask, attention, LayerNormalization.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto
from sample_writing import (
    GraphWriter,
    finish_model,
    float_tensor,
    integer_tensor,
    rename_output,
    run_script,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import onnx
    from numpy.typing import NDArray

FILE = "transformer.onnx"
SEED = 17
LAYERS = 2
VOCABULARY = 128
LONGEST_SEQUENCE = 512
HIDDEN = 32
HEADS = 4
FEED_FORWARD = 64
# Large enough to switch a token off after the softmax, small enough to stay finite in FP16.
MASKED_SCORE = -10000.0


class EncoderWriter(GraphWriter):
    """Writes the parts of a transformer encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.random = np.random.default_rng(SEED)

    def random_weight(self, name: str, shape: tuple[int, ...]) -> str:
        """Append a seeded random tensor.

        Uniform numbers are made by exact arithmetic alone, so they are the same on every machine; normal ones need a
        logarithm, which differs from one C library to the next.
        """
        values: NDArray[np.float64] = self.random.random(shape) * 2.0 - 1.0
        return self.weight(name, (values / math.sqrt(shape[-1])).astype(np.float32))

    def linear(self, value: str, name: str, inputs: int, outputs: int) -> str:
        """Append a fully connected layer."""
        weight = self.random_weight(f"{name}.weight", (inputs, outputs))
        bias = self.random_weight(f"{name}.bias", (outputs,))
        product = self.node("MatMul", [value, weight], f"/{name}/MatMul")
        return self.node("Add", [product, bias], f"/{name}/Add")

    def normalize(self, value: str, name: str) -> str:
        """Append a layer normalization with a scale near one."""
        scale = self.weight(f"{name}.scale", np.ones(HIDDEN, dtype=np.float32))
        bias = self.random_weight(f"{name}.bias", (HIDDEN,))
        return self.node("LayerNormalization", [value, scale, bias], f"/{name}", axis=-1, epsilon=1e-5)

    def embed(self, tokens: str) -> str:
        """Append the embeddings of the tokens and of their positions."""
        table = self.random_weight("embeddings.tokens", (VOCABULARY, HIDDEN))
        positions = self.random_weight("embeddings.positions", (LONGEST_SEQUENCE, HIDDEN))
        embedded = self.node("Gather", [table, tokens], "/embeddings/tokens", axis=0)
        shape = self.node("Shape", [tokens], "/embeddings/Shape")
        length = self.node("Gather", [shape, self.integers("sequence_axis", [1])], "/embeddings/length")
        start = self.integers("zero", [0])
        used = self.node("Slice", [positions, start, length, start], "/embeddings/positions")
        total = self.node("Add", [embedded, used], "/embeddings/Add")
        return self.normalize(total, "embeddings/norm")

    def attention_bias(self, mask: str) -> str:
        """Append what turns a mask of ones and zeros into numbers to add to the attention scores."""
        as_float = self.node("Cast", [mask], "/mask/Cast", to=TensorProto.FLOAT)
        switched_off = self.node("Sub", [self.weight("one", np.float32(1.0)), as_float], "/mask/Sub")
        score = self.weight("masked_score", np.float32(MASKED_SCORE))
        scores = self.node("Mul", [switched_off, score], "/mask/Mul")
        axes = self.integers("head_and_query_axes", [1, 2])
        return self.node("Unsqueeze", [scores, axes], "/mask/Unsqueeze")

    def split_heads(self, value: str, name: str, permutation: Sequence[int]) -> str:
        """Append what cuts the hidden dimension into heads."""
        # A zero in a Reshape means "as in the input": this is what keeps batch and sequence dynamic.
        shape = self.integers(f"{name}.heads", [0, 0, HEADS, HIDDEN // HEADS])
        split = self.node("Reshape", [value, shape], f"/{name}/Reshape")
        return self.node("Transpose", [split], f"/{name}/Transpose", perm=list(permutation))

    def attend(self, value: str, bias: str, name: str) -> str:
        """Append multi-head self-attention."""
        query = self.split_heads(self.linear(value, f"{name}/query", HIDDEN, HIDDEN), f"{name}/query", (0, 2, 1, 3))
        # The key is transposed right away, so that the scores are one plain matrix product.
        key = self.split_heads(self.linear(value, f"{name}/key", HIDDEN, HIDDEN), f"{name}/key", (0, 2, 3, 1))
        content = self.split_heads(self.linear(value, f"{name}/value", HIDDEN, HIDDEN), f"{name}/value", (0, 2, 1, 3))
        scale = self.weight(f"{name}.scale", np.float32(math.sqrt(HIDDEN // HEADS)))
        scores = self.node("MatMul", [query, key], f"/{name}/scores")
        scaled = self.node("Div", [scores, scale], f"/{name}/Div")
        masked = self.node("Add", [scaled, bias], f"/{name}/mask")
        weights = self.node("Softmax", [masked], f"/{name}/Softmax", axis=-1)
        mixed = self.node("MatMul", [weights, content], f"/{name}/mix")
        together = self.node("Transpose", [mixed], f"/{name}/Transpose", perm=[0, 2, 1, 3])
        joined = self.node("Reshape", [together, self.integers(f"{name}.joined", [0, 0, HIDDEN])], f"/{name}/Reshape")
        return self.linear(joined, f"{name}/output", HIDDEN, HIDDEN)

    def feed_forward(self, value: str, name: str) -> str:
        """Append two fully connected layers with GELU between them, written out as exporters of this opset do."""
        wide = self.linear(value, f"{name}/up", HIDDEN, FEED_FORWARD)
        root = self.weight(f"{name}.root_of_two", np.float32(math.sqrt(2.0)))
        error = self.node("Erf", [self.node("Div", [wide, root], f"/{name}/gelu/Div")], f"/{name}/gelu/Erf")
        shifted = self.node("Add", [error, "one"], f"/{name}/gelu/Add")
        half = self.weight(f"{name}.half", np.float32(0.5))
        gate = self.node("Mul", [shifted, half], f"/{name}/gelu/gate")
        return self.linear(self.node("Mul", [wide, gate], f"/{name}/gelu/Mul"), f"{name}/down", FEED_FORWARD, HIDDEN)

    def layer(self, value: str, bias: str, name: str) -> str:
        """Append one encoder layer."""
        attended = self.attend(value, bias, f"{name}/attention")
        between = self.normalize(self.node("Add", [value, attended], f"/{name}/residual1"), f"{name}/norm1")
        widened = self.feed_forward(between, f"{name}/feed_forward")
        return self.normalize(self.node("Add", [between, widened], f"/{name}/residual2"), f"{name}/norm2")


def build_transformer() -> onnx.ModelProto:
    """Return the encoder as an ONNX model."""
    writer = EncoderWriter()
    bias = writer.attention_bias("mask")
    hidden = writer.embed("tokens")
    for index in range(LAYERS):
        hidden = writer.layer(hidden, bias, f"layer{index}")
    rename_output(writer, hidden, "hidden")
    graph = writer.graph(
        "transformer",
        [integer_tensor("tokens", ["batch", "sequence"]), integer_tensor("mask", ["batch", "sequence"])],
        [float_tensor("hidden", ["batch", "sequence", HIDDEN])],
    )
    return finish_model(
        graph,
        f"A transformer encoder with {LAYERS} layers and seeded random weights. Tokens are 0 to {VOCABULARY - 1}, at "
        f"most {LONGEST_SEQUENCE} of them; the mask is 1 for a token and 0 for padding.",
    )


def make(folder: Path) -> None:
    """Write transformer.onnx into a folder."""
    write_file(folder / FILE, build_transformer().SerializeToString())


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model in the folder given on the command line."""
    run_script(__doc__, make, arguments)


if __name__ == "__main__":
    main()
