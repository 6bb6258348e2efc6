"""The trained network → an ONNX graph of standard operators, in float and in int8. No external data.

The graph is written node by node: it is the network of `reader_model`, and nothing else can be in it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from classifier.reader import OPSET
from classifier.training.reader_model import EPSILON, FILLING, Network

IR = 10
"""Version of the file format, which onnxruntime reads from 1.18 on."""
STANDARD = ("", "ai.onnx")
Floats = npt.NDArray[np.float32]


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        name = f"{kind}_{len(self.nodes)}"
        names = [f"{name}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, name: str, x: str, weight: Floats, bias: Floats) -> str:
        found = self.add("MatMul", x, self.constant(f"{name}.weight", weight.T.astype(np.float32)))
        return str(self.add("Add", found, self.constant(f"{name}.bias", bias.astype(np.float32))))

    def norm(self, name: str, x: str, of: Any) -> str:
        scale = self.constant(f"{name}.weight", _array(of.weight))
        return str(
            self.add("LayerNormalization", x, scale, self.constant(f"{name}.bias", _array(of.bias)), epsilon=EPSILON)
        )


def graph(network: Network) -> onnx.ModelProto:
    """ids, seen: [texts, tokens] int64 → log_odds [texts, labels] and vectors [texts, width] float32."""
    shape, g = network.shape, _Graph()
    head = shape.width // shape.heads
    split = g.constant("heads", np.array([0, 0, shape.heads, head], np.int64))
    joined = g.constant("width", np.array([0, 0, shape.width], np.int64))
    last, second = g.constant("last", np.array([2], np.int64)), g.constant("second", np.array([1], np.int64))
    zero = g.constant("zero", np.array([0], np.int64))
    tokens = g.add("Gather", g.add("Shape", "ids"), second, axis=0)
    places = g.add("Slice", g.constant("positions", _array(network.positions.weight)), zero, tokens, zero)
    words = g.add("Gather", g.constant("words", _array(network.words.weight)), "ids")
    x = g.norm("norm", g.add("Add", words, places), network.norm)
    seen = g.add("Cast", "seen", to=TensorProto.FLOAT)
    missing = g.add("Sub", g.constant("one", np.array(1, np.float32)), seen)
    mask = g.add("Mul", missing, g.constant("filling", np.array(FILLING, np.float32)))
    mask = g.add("Unsqueeze", mask, g.constant("heads_and_queries", np.array([1, 2], np.int64)))
    for number, layer in enumerate(network.layers):
        name = f"layer{number}"
        weight, bias = _array(layer.qkv.weight), _array(layer.qkv.bias)
        weight[: shape.width] *= head**-0.5  # the scale of attention, part of the queries
        bias[: shape.width] *= head**-0.5
        qkv = g.linear(f"{name}.qkv", x, weight, bias)
        query, key, value = g.add("Split", qkv, outputs=3, axis=2, num_outputs=3)
        query = g.add("Transpose", g.add("Reshape", query, split), perm=[0, 2, 1, 3])
        key = g.add("Transpose", g.add("Reshape", key, split), perm=[0, 2, 3, 1])
        value = g.add("Transpose", g.add("Reshape", value, split), perm=[0, 2, 1, 3])
        attention = g.add("Softmax", g.add("Add", g.add("MatMul", query, key), mask), axis=-1)
        mixed = g.add("Transpose", g.add("MatMul", attention, value), perm=[0, 2, 1, 3])
        mixed = g.add("Reshape", mixed, joined)
        mixed = g.linear(f"{name}.out", mixed, _array(layer.out.weight), _array(layer.out.bias))
        x = g.norm(f"{name}.norm", g.add("Add", x, mixed), layer.norm)
        inner = g.add("Gelu", g.linear(f"{name}.up", x, _array(layer.up.weight), _array(layer.up.bias)))
        inner = g.linear(f"{name}.down", inner, _array(layer.down.weight), _array(layer.down.bias))
        x = g.norm(f"{name}.last", g.add("Add", x, inner), layer.last)
    share = g.add("Unsqueeze", seen, last)
    total = g.add("ReduceSum", g.add("Mul", x, share), second, keepdims=0)
    vector = g.add("Div", total, g.add("ReduceSum", share, second, keepdims=0))
    log_odds = g.linear("labels", vector, _array(network.heads.weight), _array(network.heads.bias))
    g.nodes.append(helper.make_node("Identity", [vector], ["vectors"], name="vectors"))
    g.nodes.append(helper.make_node("Identity", [log_odds], ["log_odds"], name="log_odds"))
    model = helper.make_model(
        helper.make_graph(
            g.nodes,
            "reader",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in ("ids", "seen")],
            [
                helper.make_tensor_value_info("log_odds", TensorProto.FLOAT, ["texts", network.heads.out_features]),
                helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", shape.width]),
            ],
            g.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        producer_name="classifier.training.reader_export",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def in_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with weights and embeddings in int8; activations are quantised text by text.

    Weights have seven bits: with eight, processors without VNNI overflow in 16 bits, and score another number. The heads stay in
    float."""
    heads = next(node.name for node in model.graph.node if "labels.weight" in node.input)
    with tempfile.TemporaryDirectory() as beside:
        before, after = Path(beside, "float.onnx"), Path(beside, "int8.onnx")
        onnx.save_model(model, str(before))
        quantize_dynamic(
            str(before),
            str(after),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[heads],
        )
        small = onnx.load_model(str(after))
    strange = {node.op_type for node in small.graph.node if node.domain not in STANDARD}
    if strange or any(one.external_data for one in small.graph.initializer):
        raise ValueError(f"the quantised graph is not of standard operators alone: {sorted(strange)}")
    del small.opset_import[:]
    small.opset_import.extend([helper.make_opsetid("", OPSET)])
    small.ir_version = IR
    onnx.checker.check_model(small, full_check=True)
    return small


def _array(tensor: Any) -> Floats:
    return np.array(tensor.detach().float().numpy(), np.float32)
