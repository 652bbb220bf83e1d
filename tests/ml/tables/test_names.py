from headrace.ml.tables.names import nearest, suggest


def test_nearest_ignores_case_and_spaces():
    assert nearest(" churn", ["tenure", "Churn"]) == "Churn"
    assert suggest("chrn", ["tenure", "Churn"]) == "; did you mean 'Churn'?"


def test_nothing_is_suggested_when_nothing_is_close():
    assert nearest("price", ["tenure", "Churn"]) is None
    assert suggest("price", []) == ""
