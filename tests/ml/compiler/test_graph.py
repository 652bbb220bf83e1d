"""The compiled graph: inputs, outputs, averages, labels and bounds."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from headrace.ml.compiler import compile_model, describe_inputs, describe_outputs
from headrace.ml.compiler.parity import training_predictions
from headrace.ml.contract import Task, View
from headrace.ml.errors import ModelError
from headrace.ml.prediction.model import Model
from headrace.ml.prediction.session import tensors


def run(proto, frame, outputs=None):
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    results = session.run(outputs, tensors(frame.select(names)))
    return dict(zip([item.name for item in session.get_outputs()], results, strict=True))


def expected(plan, members, frame):
    return training_predictions({View.SCALED: plan.transform(frame, View.SCALED)}, members)


@pytest.mark.parametrize(("threshold", "bound"), [(None, 0.5), (0.3, 0.3), (0.0, 0.0), (1.0, 1.0)])
def test_binary_probabilities_and_labels_by_the_threshold(small_plan, members, frame, threshold, bound):
    plan, models = small_plan(), members(2)
    got = run(compile_model(plan, models, Task.BINARY, ("no", "yes"), threshold), frame)
    np.testing.assert_allclose(got["probabilities"], expected(plan, models, frame), rtol=1e-5)
    np.testing.assert_allclose(got["probabilities"].sum(axis=1), 1, rtol=1e-6)
    labels = ["yes" if p >= np.float32(bound) else "no" for p in got["probabilities"][:, 1]]
    assert got["prediction"].tolist() == labels


def test_multiclass_labels_are_the_likeliest(small_plan, members, frame):
    plan, models = small_plan(), members(3)
    got = run(compile_model(plan, models, Task.MULTICLASS, ("à", "b", "c c")), frame)
    np.testing.assert_allclose(got["probabilities"], expected(plan, models, frame), rtol=1e-5)
    assert got["prediction"].tolist() == [("à", "b", "c c")[i] for i in got["probabilities"].argmax(axis=1)]


def test_regression_with_and_without_a_band(small_plan, members, frame):
    plan, models = small_plan(), members(0)
    got = run(compile_model(plan, models, Task.REGRESSION, (), interval=2.5), frame)
    np.testing.assert_allclose(got["prediction"], expected(plan, models, frame), rtol=1e-5)
    np.testing.assert_allclose(got["lower"], got["prediction"] - np.float32(2.5))
    np.testing.assert_allclose(got["upper"], got["prediction"] + np.float32(2.5))
    bare = compile_model(plan, models, Task.REGRESSION, ())
    assert [item.name for item in bare.graph.output] == ["prediction"]


def test_weights_need_not_sum_to_one_and_a_weight_of_zero_leaves_the_model_out(small_plan, members, frame):
    plan, models = small_plan(), members(2)
    alone = compile_model(plan, models[:1], Task.BINARY, ("no", "yes"))
    dropped = type(models[1])(0.0, models[1].view, models[1].form)
    both = compile_model(plan, [models[0], dropped], Task.BINARY, ("no", "yes"))
    assert len(both.graph.node) == len(alone.graph.node)
    np.testing.assert_array_equal(run(alone, frame)["probabilities"], run(both, frame)["probabilities"])


@pytest.mark.parametrize("weights", [[], [0.0], [-1.0], [2.0, -1.0], [float("nan")]])
def test_weights_that_average_nothing_are_refused(small_plan, members, weights):
    form = members(2)[0].form
    models = [type(members(2)[0])(weight, View.SCALED, form) for weight in weights]
    with pytest.raises(ModelError, match="weights of the models sum to"):
        compile_model(small_plan(), models, Task.BINARY, ("no", "yes"))


def test_a_view_shared_by_models_is_written_once_and_columns_not_read_are_no_inputs(small_plan, members):
    plan = small_plan()
    proto = compile_model(plan, members(2), Task.BINARY, ("no", "yes"))
    assert sum(node.op_type == "LabelEncoder" for node in proto.graph.node) == 1
    assert [item.name for item in proto.graph.input] == ["age", "joined", "plan"]
    assert [(item.column.name, item.required) for item in describe_inputs(proto, plan.columns)] == [
        ("age", True),
        ("joined", True),
        ("plan", True),
        ("unread", False),
    ]


def test_outputs_are_described_as_the_graph_declares_them(small_plan, members):
    proto = compile_model(small_plan(), members(2), Task.BINARY, ("no", "yes"))
    assert [(o.name, o.kind, o.shape) for o in describe_outputs(proto)] == [
        ("probabilities", "float", ("rows", 2)),
        ("prediction", "string", ("rows",)),
    ]


def test_the_same_parts_compile_to_the_same_bytes(small_plan, members):
    first, second = (compile_model(small_plan(), members(2), Task.BINARY, ("no", "yes"), 0.4) for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


@pytest.mark.parametrize(("task", "width", "classes"), [(Task.BINARY, 2, ("no", "yes")), (Task.REGRESSION, 0, ())])
def test_columns_may_be_called_as_the_outputs_are(small_plan, members, frame, manifest, tmp_path, task, width, classes):
    named = {"age": "prediction", "joined": "lower", "plan": "probabilities", "unread": "prediction_"}
    plain, plan = small_plan(), small_plan()
    plan.columns = tuple(replace(column, name=named[column.name]) for column in plain.columns)
    plan.to_onnx = lambda graph, inputs, view: plain.to_onnx(
        graph, {old: inputs[new] for old, new in named.items()}, view
    )
    interval = None if classes else 2.5
    proto = compile_model(plan, members(width), task, classes, interval=interval)
    reference = compile_model(plain, members(width), task, classes, interval=interval)
    model = Model(manifest(proto, plan, task, classes, interval=interval), proto.SerializeToString(), tmp_path)
    expected = Model(
        manifest(reference, plain, task, classes, interval=interval), reference.SerializeToString(), tmp_path
    )
    assert model.predict_columns(frame.rename(named)).equals(expected.predict_columns(frame))
    row = {"age": 20.0, "joined": "2020-09-13", "plan": "basic", "unread": ""}
    renamed = {named[name]: value for name, value in row.items()}
    assert model.predict(renamed, True) == expected.predict(row, True)
