"""Makes a graph smaller without changing what it computes, in ways that every ONNX runtime can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


def optimise(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with equal nodes merged, and without the nodes, constants and inputs that no output needs.

    Constants are folded and nodes fused for the processor at hand when ONNX Runtime loads the graph; what it would
    write out instead is tied to the machine.
    """
    import onnx

    optimised = onnx.ModelProto()
    optimised.CopyFrom(model)
    graph = optimised.graph
    nodes = _needed(_merged(list(graph.node), {item.name for item in graph.output}), graph)
    read = {name for node in nodes for name in node.input}
    for field, kept in (
        (graph.node, nodes),
        (graph.initializer, [item for item in graph.initializer if item.name in read]),
        (graph.input, [item for item in graph.input if item.name in read]),
    ):
        copies = [type(item).FromString(item.SerializeToString()) for item in kept]
        del field[:]
        field.extend(copies)
    onnx.checker.check_model(optimised)
    return optimised


def _merged(nodes: list[onnx.NodeProto], published: set[str]) -> list[onnx.NodeProto]:
    """Drop nodes equal to an earlier one, and copies (Identity) within the graph; later nodes read what is left."""
    renamed: dict[str, str] = {}
    seen: dict[bytes, list[str]] = {}
    kept = []
    for node in nodes:
        for position, name in enumerate(node.input):
            node.input[position] = renamed.get(name, name)
        outputs = list(node.output)
        if not published & set(outputs):
            if node.op_type == "Identity":
                renamed[outputs[0]] = node.input[0]
                continue
            key = _meaning(node)
            if key in seen:
                renamed.update(zip(outputs, seen[key], strict=True))
                continue
            seen[key] = outputs
        kept.append(node)
    return kept


def _meaning(node: onnx.NodeProto) -> bytes:
    anonymous = type(node).FromString(node.SerializeToString())
    anonymous.name = ""
    del anonymous.output[:]
    anonymous.output.extend([""] * len(node.output))
    meaning: bytes = anonymous.SerializeToString(deterministic=True)
    return meaning


def _needed(nodes: list[onnx.NodeProto], graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    wanted = {item.name for item in graph.output}
    kept = []
    for node in reversed(nodes):
        if wanted & set(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]
