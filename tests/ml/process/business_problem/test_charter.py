"""Reading the charter: what is accepted, and one sentence for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.errors import CharterError, OutputError
from headrace.ml.process.business_problem import (
    Charter,
    define_business_problem,
    read_charter,
    write_charter_template,
)

WRONG = {
    "": "is empty",
    "- a": "holds a list instead of keys and values",
    "hello": "holds plain text instead of keys and values",
    "a: [": "is not valid YAML in line 1",
    "kpi: 1": "has the unknown key 'kpi'; did you mean 'kpis'?",
    "xyzzy: 1": "has the unknown key 'xyzzy'; known keys are problem, ",
    "1: 2": "has the key 1, which is not a word; remove it",
    "? [a]\n: b": "has a key that is not a word in line 1",
    "kpis: 3": "has 3 as 'kpis'; it must be a list",
    "kpis: [3]": "has 3 as 'kpis[1]'; it must be a mapping",
    "kpis: [{metric: roc_acu, minimum: 1}]": "has 'roc_acu' as 'kpis[1].metric', which is not a metric; did you mean 'roc_auc'?",
    "kpis: [{metric: 3, minimum: 1}]": "has 3 as 'kpis[1].metric'; it must be text",
    "kpis: [{metric: roc_auc}]": "has an entry as 'kpis[1]', which has no bound; add minimum or maximum",
    "kpis: [{minimum: 1}]": "lacks the key 'kpis[1].metric'; add it",
    "kpis: [{metric: rmse, minimum: 8, maximum: 3}]": "which has minimum 8 above maximum 3",
    "kpis: [{metric: roc_auc, minimum: 80}]": "never exceeds 1; write 0.8 for 80 %",
    "kpis: [{metric: expected_value, minimum: 1}]": "has a KPI on expected_value but no money; add decisions, costs or error_cost",
    "decisions: {true_positive: {costs: -5}}": "has -5 as 'decisions.true_positive.costs'; amounts are never negative",
    "error_cost: {under: -1}": "has -1 as 'error_cost.under'; amounts are never negative",
    "decisions: {true_positive: {cost: 5}}": "has the unknown key 'decisions.true_positive.cost'; did you mean 'costs'?",
    "decisions: {true_positiv: {}}": "has the unknown key 'decisions.true_positiv'; did you mean 'true_positive'?",
    "decisions: {true_positive: {costs: 5 USD}}": "has '5 USD' as 'decisions.true_positive.costs'; it must be a number",
    "decisions: {true_positive: {costs: true}}": "has true as 'decisions.true_positive.costs', which is not a number",
    "decisions: {true_positive: {costs: .inf}}": "it must be a finite number",
    "decisions: {true_positive: {costs: .nan}}": "it must be a finite number",
    "latency_limit_ms: 0": "has 0 as 'latency_limit_ms'; it must be above zero",
    "interpretability: full": "has 'full' as 'interpretability'; it must be one of 'none', 'preferred' or 'required'",
    "scale: maybe": "has 'maybe' as 'scale'; it must be true or false",
    "problem: [1]": "has a list as 'problem'; it must be text",
    "problem: a\nproblem: b": "has the key 'problem' twice, again in line 2",
    "a: &x [1]\nb: *x": "uses a YAML alias in line 2",
    "a: !!python/object/apply:os.system [ls]": "is not valid YAML in line 1",
    "problem: \x01": "is not valid YAML",
    "a: " + "[" * 3000: "is nested too deeply",
    "a: " + "9" * 9000: "is not valid YAML",
    "problem: " + "x" * 200_000: "is larger than 100,000 bytes",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=[text[:40] for text in WRONG])
def test_a_wrong_charter_is_refused_in_one_sentence(tmp_path, text, message):
    path = tmp_path / "goal.yaml"
    path.write_text(text)
    with pytest.raises(CharterError) as caught:
        define_business_problem(path)
    assert str(caught.value).startswith(f"charter {path} ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_mistakes_are_counted(tmp_path):
    path = tmp_path / "goal.yaml"
    path.write_text("scale: x\ndata_changes: z\n")
    with pytest.raises(CharterError, match=r"\(and 1 more to correct\)$"):
        read_charter(path)


def test_files_that_cannot_be_read_are_refused(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"problem: caf\xe9")
    with pytest.raises(CharterError, match="is not UTF-8 text"):
        read_charter(tmp_path / "latin.yaml")
    with pytest.raises(CharterError, match="is a folder"):
        read_charter(tmp_path)
    with pytest.raises(CharterError, match="does not exist; `headrace charter init"):
        define_business_problem(str(tmp_path / "absent.yaml"))


def test_an_alias_bomb_is_refused_before_it_grows(tmp_path):
    levels = [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 9)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(["l0: &l0 [x]", *levels]))
    with pytest.raises(CharterError, match="uses a YAML alias"):
        read_charter(path)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_whatever_the_file_holds_the_answer_is_a_charter_or_one_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "goal.yaml"
    path.write_bytes(content)
    try:
        assert isinstance(read_charter(path), Charter)
    except CharterError as error:
        assert str(error).startswith("charter ") and "\n" not in str(error)


def test_labels_and_names_stay_text_whatever_yaml_thinks_of_them(tmp_path):
    path = tmp_path / "goal.yaml"
    path.write_text(
        "positive_class: Yes\nsensitive_columns: gender\nexcluded_columns: [2020, no]\nproblem: 2020-01-01\n"
    )
    charter = read_charter(path)
    assert charter.positive_class == "Yes"
    assert charter.sensitive_columns == ("gender",)
    assert charter.excluded_columns == ("2020", "no")
    assert charter.problem == "2020-01-01"


def test_keys_without_a_value_take_their_defaults(tmp_path):
    path = tmp_path / "goal.yaml"
    path.write_text("kpis:\ncurrency:\ndecisions:\n  true_positive:\n  false_positive: {costs: 2}\n")
    charter = read_charter(path)
    assert charter.kpis == () and charter.currency == "USD"
    assert charter.decisions.false_positive.value == -2


def test_the_other_name_of_a_metric_is_understood(tmp_path):
    path = tmp_path / "goal.yaml"
    path.write_text("kpis: [{metric: PR AUC, minimum: 0.3}]")
    assert read_charter(path).kpis[0].metric == "average_precision"


def test_the_template_is_a_charter_of_defaults_and_names_every_key(tmp_path):
    path = write_charter_template(tmp_path / "charter.yaml")
    assert read_charter(path) == Charter()
    assert all(key in path.read_text() for key in Charter.model_fields)


def test_the_examples_in_the_template_are_valid_once_uncommented(tmp_path):
    text = write_charter_template(tmp_path / "charter.yaml").read_text()
    lines = [
        line[2:] if line[:3] in ("# k", "# p", "# d", "# e", "# l", "# c", "# r", "#  ") and ":" in line else line
        for line in text.splitlines()
    ]
    (tmp_path / "all.yaml").write_text("\n".join(line for line in lines if not line.startswith("#")))
    charter = read_charter(tmp_path / "all.yaml")
    assert len(charter.kpis) == 2 and charter.decisions is not None and charter.error_cost is not None


def test_a_template_never_overwrites(tmp_path):
    path = tmp_path / "charter.yaml"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_charter_template(path)
    assert path.read_text() == "mine"
    with pytest.raises(OutputError, match="does not exist"):
        write_charter_template(tmp_path / "absent" / "charter.yaml")


def test_the_demo_charter_is_valid():
    charter = read_charter(Path(__file__).parents[4] / "examples" / "telco_churn.yaml")
    assert charter.positive_class == "Yes"
    assert {kpi.metric for kpi in charter.kpis} == {"roc_auc", "recall", "expected_value"}
