"""Make digits.onnx and digits_test.npz: a small convolutional network, really trained, and the data it never saw.

It reads the 8x8 handwritten digits that scikit-learn ships and is trained with plain numpy, so that no deep learning
framework is needed. The seed is fixed; still, another machine's linear algebra rounds differently, and a network
trained there has slightly different weights. The accuracy printed at the end is that of the held-out images.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sample_writing import GraphWriter, finish_model, float_tensor, rename_output, run_script, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import onnx
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int64]
    Weights = dict[str, Floats]

FILE = "digits.onnx"
TEST_FILE = "digits_test.npz"
SEED = 8
HELD_OUT = 450
EPOCHS = 20
BATCH = 64
LEARNING_RATE = 0.003
SHAPES = {
    "features.conv1.weight": (8, 1, 3, 3),
    "features.conv1.bias": (8,),
    "features.conv2.weight": (16, 8, 3, 3),
    "features.conv2.bias": (16,),
    "classifier.linear1.weight": (32, 256),
    "classifier.linear1.bias": (32,),
    "classifier.linear2.weight": (10, 32),
    "classifier.linear2.bias": (10,),
}


class Digits(NamedTuple):
    """Images (float32, 0 to 1, [n, 1, 8, 8]) and labels, for training and held out."""

    train_image: Floats
    train_label: Integers
    test_image: Floats
    test_label: Integers


def load_digits() -> Digits:
    """Read scikit-learn's digits, shuffle them with the fixed seed, and hold some out."""
    from sklearn import datasets

    images, labels = datasets.load_digits(return_X_y=True)
    order = np.random.default_rng(SEED).permutation(len(labels))
    image = (images[order].reshape(-1, 1, 8, 8) / 16.0).astype(np.float32)
    label = labels[order].astype(np.int64)
    return Digits(image[HELD_OUT:], label[HELD_OUT:], image[:HELD_OUT], label[:HELD_OUT])


def columns_of(image: Floats) -> Floats:
    """Lay the 3x3 neighbourhood of every pixel, padded with zeros, out as a row: convolution is then one product."""
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = sliding_window_view(padded, (3, 3), axis=(2, 3))
    columns: Floats = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, image.shape[1] * 9)
    return columns


def convolve(columns: Floats, weight: Floats) -> Floats:
    """Return a 3x3 convolution of 8x8 images that keeps their size."""
    product: Floats = columns @ weight.reshape(len(weight), -1).T
    image: Floats = product.reshape(-1, 8, 8, len(weight)).transpose(0, 3, 1, 2)
    return image


def forward(weights: Weights, image: Floats) -> dict[str, Floats]:
    """Run the network and keep what the backward pass needs."""
    columns1 = columns_of(image)
    bias1, bias2 = (weights[f"features.conv{index}.bias"][:, None, None] for index in (1, 2))
    relu1 = np.maximum(convolve(columns1, weights["features.conv1.weight"]) + bias1, 0)
    columns2 = columns_of(relu1)
    relu2 = np.maximum(convolve(columns2, weights["features.conv2.weight"]) + bias2, 0)
    flat = relu2.reshape(-1, 16, 4, 2, 4, 2).max(axis=(3, 5)).reshape(-1, 256)
    relu3 = np.maximum(flat @ weights["classifier.linear1.weight"].T + weights["classifier.linear1.bias"], 0)
    logits = relu3 @ weights["classifier.linear2.weight"].T + weights["classifier.linear2.bias"]
    return {
        "columns1": columns1,
        "relu1": relu1,
        "columns2": columns2,
        "relu2": relu2,
        "flat": flat,
        "relu3": relu3,
        "logits": logits,
    }


def gradients(weights: Weights, seen: dict[str, Floats], label: Integers) -> Weights:
    """Return the gradient of the mean cross-entropy for every weight."""
    count = len(label)
    powers = np.exp(seen["logits"] - seen["logits"].max(axis=1, keepdims=True))
    to_logits = powers / powers.sum(axis=1, keepdims=True)
    to_logits[np.arange(count), label] -= 1
    to_logits /= count
    to_relu3 = to_logits @ weights["classifier.linear2.weight"] * (seen["relu3"] > 0)
    to_flat = to_relu3 @ weights["classifier.linear1.weight"]
    # The gradient of a maximum goes to where the maximum was; equal values, frequent in blank areas, share it. Where
    # nothing was positive the Relu lets none through.
    pooled = seen["flat"].reshape(count, 16, 4, 1, 4, 1)
    largest = (seen["relu2"].reshape(count, 16, 4, 2, 4, 2) == pooled) & (pooled > 0)
    shares = largest / np.maximum(largest.sum(axis=(3, 5), keepdims=True), 1).astype(np.float32)
    to_relu2 = (shares * to_flat.reshape(count, 16, 4, 1, 4, 1)).reshape(count, 16, 8, 8)
    # Seen from its output, a convolution is one with the kernel turned around and its channels swapped.
    turned = weights["features.conv2.weight"][:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    to_relu1 = convolve(columns_of(to_relu2), turned) * (seen["relu1"] > 0)
    rows1, rows2 = (value.transpose(1, 0, 2, 3).reshape(value.shape[1], -1) for value in (to_relu1, to_relu2))
    return {
        "features.conv1.weight": (rows1 @ seen["columns1"]).reshape(SHAPES["features.conv1.weight"]),
        "features.conv1.bias": rows1.sum(axis=1),
        "features.conv2.weight": (rows2 @ seen["columns2"]).reshape(SHAPES["features.conv2.weight"]),
        "features.conv2.bias": rows2.sum(axis=1),
        "classifier.linear1.weight": to_relu3.T @ seen["flat"],
        "classifier.linear1.bias": to_relu3.sum(axis=0),
        "classifier.linear2.weight": to_logits.T @ seen["relu3"],
        "classifier.linear2.bias": to_logits.sum(axis=0),
    }


def initial_weights(random: np.random.Generator) -> Weights:
    """Return random weights of the size that keeps the activations' variance (He), and zero biases."""
    weights: Weights = {}
    for name, shape in SHAPES.items():
        spread = np.sqrt(2.0 / np.prod(shape[1:])) if name.endswith("weight") else 0.0
        weights[name] = (random.standard_normal(shape) * spread).astype(np.float32)
    return weights


def train(digits: Digits) -> Weights:
    """Train the network with Adam and a learning rate that falls to zero."""
    random = np.random.default_rng(SEED)
    weights = initial_weights(random)
    mean = {name: np.zeros_like(weight) for name, weight in weights.items()}
    square = {name: np.zeros_like(weight) for name, weight in weights.items()}
    count = len(digits.train_label)
    steps = EPOCHS * (count // BATCH)
    order: Integers = np.zeros(0, dtype=np.int64)
    for step in range(steps):
        if len(order) < BATCH:
            order = random.permutation(count)
        chosen, order = order[:BATCH], order[BATCH:]
        gradient = gradients(weights, forward(weights, digits.train_image[chosen]), digits.train_label[chosen])
        rate = LEARNING_RATE * (1 - step / steps)
        for name in SHAPES:
            mean[name] += 0.1 * (gradient[name] - mean[name])
            square[name] += 0.001 * (gradient[name] ** 2 - square[name])
            direction = mean[name] / (1 - 0.9 ** (step + 1))
            size = np.sqrt(square[name] / (1 - 0.999 ** (step + 1))) + 1e-8
            weights[name] -= (rate * direction / size).astype(np.float32)
    return weights


def accuracy(weights: Weights, image: Floats, label: Integers) -> float:
    """Return the share of images that the network names correctly."""
    return float((forward(weights, image)["logits"].argmax(axis=1) == label).mean())


def build_digits(weights: Weights) -> onnx.ModelProto:
    """Return the trained network as an ONNX model."""
    writer = GraphWriter()
    for name, weight in weights.items():
        writer.weight(name, weight)
    value = "image"
    for index in (1, 2):
        inputs = [value, f"features.conv{index}.weight", f"features.conv{index}.bias"]
        value = writer.node("Conv", inputs, f"/features/conv{index}", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        value = writer.node("Relu", [value], f"/features/relu{index}")
    value = writer.node("MaxPool", [value], "/features/pool", kernel_shape=[2, 2], strides=[2, 2])
    value = writer.node("Flatten", [value], "/flatten", axis=1)
    inputs = [value, "classifier.linear1.weight", "classifier.linear1.bias"]
    value = writer.node("Relu", [writer.node("Gemm", inputs, "/classifier/linear1", transB=1)], "/classifier/relu")
    inputs = [value, "classifier.linear2.weight", "classifier.linear2.bias"]
    rename_output(writer, writer.node("Gemm", inputs, "/classifier/linear2", transB=1), "logits")
    graph = writer.graph("digits", [float_tensor("image", ["batch", 1, 8, 8])], [float_tensor("logits", ["batch", 10])])
    return finish_model(
        graph, "A convolutional network trained on scikit-learn's handwritten digits. Pixels are 0 to 1, dark is 1."
    )


def pack_test_data(digits: Digits) -> bytes:
    """Return the held-out data as the content of an .npz file."""
    stream = io.BytesIO()
    np.savez_compressed(stream, image=digits.test_image, label=digits.test_label)
    return stream.getvalue()


def make(folder: Path) -> None:
    """Train the network and write digits.onnx and digits_test.npz into a folder."""
    digits = load_digits()
    weights = train(digits)
    write_file(folder / FILE, build_digits(weights).SerializeToString())
    write_file(folder / TEST_FILE, pack_test_data(digits))
    right = accuracy(weights, digits.test_image, digits.test_label)
    print(f"held-out accuracy {right:.4f} on {len(digits.test_label)} images")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model in the folder given on the command line."""
    run_script(__doc__, make, arguments)


if __name__ == "__main__":
    main()
