"""What a served model imports: nothing that trains."""

import subprocess
import sys

BANNED = {"sklearn", "lightgbm", "xgboost", "catboost", "onnx", "optuna", "scipy", "pandas", "torch", "skl2onnx"}

SCRIPT = """
import sys
import headrace
from headrace.ml.prediction.explanation import explain_rows
from headrace.ml.tables import read_table
from headrace.ml.tables.columns import parse_column
model = headrace.load(sys.argv[1])
row = {"age": 50, "joined": "2020-01-11", "plan": "pro", "note": "good"}
assert model.predict(row) == "yes"
assert model.predict_table(read_table(sys.argv[2]))["prediction"].to_list() == ["yes"]
typed = {c.name: parse_column(read_table(sys.argv[2]).frame[c.name], c)[0] for c in model.manifest.columns}
import polars
explain_rows(model, polars.DataFrame(typed), [0], samples=2)
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_predicting_and_explaining_imports_no_training_library(folder, tmp_path):
    table = tmp_path / "rows.csv"
    table.write_text("age,joined,plan,note\n50,2020-01-11,pro,good\n")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), str(table)], capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.strip().split(","))
    assert {"headrace", "onnxruntime", "polars"} <= imported
    assert not imported & BANNED
