"""What starting costs: nothing heavy is imported before it is needed."""

import subprocess
import sys

import pytest

TRAINING = {"sklearn", "lightgbm", "xgboost", "catboost", "optuna", "onnx", "scipy", "pandas"}


def imported(code: str) -> set[str]:
    """Return the top-level modules that are loaded after `code` has run in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import headrace", TRAINING | {"polars", "onnxruntime", "pydantic", "typer", "rich", "numpy"}),
        ("import headrace.cli.application", TRAINING | {"polars", "onnxruntime", "pydantic", "numpy", "jinja2"}),
        ("import headrace; headrace.load", TRAINING | {"pydantic", "typer", "jinja2"}),
        ("import headrace.cli.predict", TRAINING | {"jinja2"}),
    ],
)
def test_nothing_heavy_is_imported_early(code: str, forbidden: set[str]) -> None:
    assert imported(code) & forbidden == set()
