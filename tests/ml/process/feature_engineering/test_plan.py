"""What a plan promises: shapes, names, inputs, privacy, sharing and repeatability."""

import gc
import weakref

import numpy as np
import polars as pl
import pytest
from onnx import TensorProto

from headrace.ml.adapters.onnx_graph import OnnxGraph
from headrace.ml.contract import View
from headrace.ml.errors import ColumnError
from headrace.ml.process.feature_engineering.categories import LARGEST_VOCABULARY
from headrace.ml.process.feature_engineering.parity import compare_executions
from headrace.ml.tables.columns import Column, ColumnKind


def write(plan, views):
    graph = OnnxGraph()
    inputs = {}
    for column in plan.columns_used:
        text = column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT)
        inputs[column.name] = graph.input(column.name, TensorProto.STRING if text else TensorProto.DOUBLE, ["rows", 1])
    for view in views:
        graph.output(view.value, plan.to_onnx(graph, inputs, view), TensorProto.FLOAT, ["rows", "features"])
    return graph.model()


def operators(model):
    return [node.op_type for node in model.graph.node]


def test_matrices_are_float32_and_named(fit):
    plan, matrices, frame, _ = fit(3)
    for view in View:
        matrix = plan.transform(frame, view)
        assert matrix.dtype == matrices[view].dtype == np.float32
        assert matrix.shape == matrices[view].shape == (frame.height, len(plan.names(view)))
        assert len(set(plan.names(view))) == len(plan.names(view))


def test_only_target_encodings_differ_on_the_rows_fitted_on(fit):
    plan, matrices, frame, _ = fit(2)
    for view in View:
        same = (np.nan_to_num(matrices[view]) == np.nan_to_num(plan.transform(frame, view))).all(axis=0)
        differing = [name for name, equal in zip(plan.names(view), same, strict=True) if not equal]
        assert differing
        assert all(name.endswith("rate") or "words say" in name for name in differing)


def test_the_same_seed_gives_the_same_bytes(fit):
    for imputation in ("knn", "iterative"):
        (first, one, *_), (second, two, *_) = fit(2, imputation), fit(2, imputation)
        assert all(one[view].tobytes() == two[view].tobytes() for view in View)
        assert write(first, list(View)).SerializeToString() == write(second, list(View)).SerializeToString()
    assert fit(2, seed=1)[1][View.TREES].tobytes() != fit(2, seed=2)[1][View.TREES].tobytes()


def test_views_share_their_nodes_in_one_graph(fit):
    plan, *_ = fit(2)
    both = operators(write(plan, list(View)))
    apart = [operators(write(plan, [view])) for view in View]
    assert both.count("LabelEncoder") == max(each.count("LabelEncoder") for each in apart) == 2, "categories, and words"
    assert both.count("StringSplit") == 1
    assert len(both) < sum(map(len, apart))


def test_graphs_do_not_live_on_after_they_were_written(fit):
    plan, *_ = fit(2)
    graph = OnnxGraph()
    inputs = {column.name: column.name for column in plan.columns}
    plan.to_onnx(graph, inputs, View.TREES)
    seen = weakref.ref(graph)
    del graph
    gc.collect()
    assert seen() is None


def test_columns_that_never_change_are_not_read(fit):
    from .conftest import COLUMNS, make_frame

    frame = make_frame().with_columns(pl.lit(3.0).alias("price"), pl.lit("red").alias("colour"))
    plan, *_ = fit(2, frame=frame, families=())
    assert [c.name for c in plan.columns_used] == [c.name for c in COLUMNS if c.name not in ("price", "colour")]
    assert plan.columns == COLUMNS


@pytest.mark.parametrize(
    ("kind", "value"),
    [(ColumnKind.NUMBER, None), (ColumnKind.NUMBER, 1.0), (ColumnKind.CATEGORY, ""), (ColumnKind.DATE, 0.0)],
)
def test_a_table_without_any_variation_still_gives_a_matrix(fit, kind, value):
    series = pl.Series("only", [value] * 20, dtype=pl.String if kind == ColumnKind.CATEGORY else pl.Float64)
    from headrace.ml.process.feature_engineering.fitting import fit_plan

    plan, matrices = fit_plan(
        pl.DataFrame([series]),
        np.arange(20) % 2,
        columns=[Column("only", kind)],
        classes=2,
        families=(),
        imputation="iterative",
        indicators=True,
        views=list(View),
        seed=0,
    )
    assert all(matrices[view].shape[0] == 20 and matrices[view].shape[1] >= 1 for view in View)
    assert compare_executions(plan, pl.DataFrame([series]), list(View)) == 0


def test_one_row_can_be_fitted_and_no_row_transformed(fit):
    from .conftest import make_frame

    frame = make_frame(1)
    plan, matrices, *_ = fit(0, "knn", frame=frame, families=())
    assert all(matrix.shape[0] == 1 for matrix in matrices.values())
    assert plan.transform(frame[:0], View.SCALED).shape[0] == 0


def test_no_column_is_refused(fit):
    with pytest.raises(ColumnError, match="no column is left"):
        fit(2, columns=())


def test_a_view_that_was_not_fitted_is_refused(fit):
    plan, _, frame, _ = fit(2, views=[View.TREES])
    with pytest.raises(KeyError, match="not fitted for the view 'scaled'"):
        plan.transform(frame, View.SCALED)


def test_many_levels_are_cut_by_frequency():
    from headrace.ml.process.feature_engineering.categories import Vocabulary

    levels = [f"level {i}" for i in range(LARGEST_VOCABULARY + 500)]
    vocabulary = Vocabulary.fit(pl.DataFrame({"a": levels + levels[-3:]}), ["a"])
    assert len(vocabulary.levels[0]) == LARGEST_VOCABULARY
    assert set(vocabulary.levels[0][:3]) == set(levels[-3:])


def test_chunks_join_seamlessly(fit):
    from headrace.ml.process.feature_engineering.plan import CHUNK

    plan, _, frame, _ = fit(2)
    many = pl.concat([frame] * (CHUNK // frame.height + 2))
    for view in View:
        tail = plan.transform(many, view)[-frame.height :]
        np.testing.assert_array_equal(tail, plan.transform(frame, view))


def test_families_of_columns_that_never_change_are_left_out(fit):
    from .conftest import make_frame

    constant = {"price": 3.0, "size": 1.0, "colour": "red", "signed up": 0.0}
    frame = make_frame().with_columns(pl.lit(value).alias(name) for name, value in constant.items())
    plan, matrices, *_ = fit(2, frame=frame)
    assert not {"price", "size", "colour", "signed up"} & {column.name for column in plan.columns_used}
    assert not any(" and " in name or "size" in name for view in View for name in plan.names(view))
    assert compare_executions(plan, make_frame(seed=1), list(View)) <= 1e-6
    assert np.isfinite(matrices[View.SCALED]).all()


def test_a_plan_of_text_alone(fit):
    from .conftest import COLUMNS

    plan, _, frame, _ = fit(0, columns=COLUMNS[-1:], families=())
    assert [column.name for column in plan.columns_used] == ["remark"]
    assert compare_executions(plan, frame, list(View)) <= 1e-6
