"""`headrace predict` and `headrace explain`: a compiled model at work; nothing that trains is imported."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from headrace.cli.joins import join_for_model
from headrace.ml.errors import OptionError, OutputError

if TYPE_CHECKING:
    import polars as pl

_WRITERS = {".csv": "write_csv", ".parquet": "write_parquet", ".jsonl": "write_ndjson", ".ndjson": "write_ndjson"}


def predict_command(
    model_folder: Path, source: str, *, output: Path | None, proba: bool, sets: bool = False, joins: Sequence[str] = ()
) -> None:
    """Predict every row of a table, to `output` or to the screen as CSV; what was handled is said on stderr."""
    if output is not None and output.suffix.lower() not in _WRITERS:
        raise OptionError(f"'{output}' ends in no format that can be written; choose from {', '.join(_WRITERS)}")
    from headrace.ml.prediction import load
    from headrace.ml.tables import read_table

    model = load(model_folder)
    table = join_for_model(model, read_table(source), joins)
    predictions = model.predict_table(table, proba=proba, sets=sets)
    if sets and (output is None or output.suffix.lower() == ".csv"):
        predictions = predictions.with_columns(predictions["prediction_set"].list.join(" | "))
    for note in (*table.notes, *model.notes):
        typer.echo(f"note: {note}", err=True)
    if output is None:
        sys.stdout.write(predictions.write_csv())
        sys.stdout.flush()
    else:
        _write(predictions, output)


def _write(predictions: pl.DataFrame, output: Path) -> None:
    """Write the file whole or not at all."""
    partial = output.with_name(f".{output.name}.partial")
    try:
        content = io.BytesIO()
        getattr(predictions, _WRITERS[output.suffix.lower()])(content)
        partial.write_bytes(content.getvalue())
        partial.replace(output)
    except OSError as error:
        raise OutputError(
            f"'{output}' cannot be written ({error.strerror}); free space or choose another place"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def explain_command(
    model_folder: Path, source: str, *, row: int, seed: int, as_json: bool, joins: Sequence[str] = ()
) -> None:
    """Print the contributions of one row's values to its prediction, the largest first."""
    from headrace.ml.explanation import explain
    from headrace.ml.prediction import load
    from headrace.ml.prediction.reader import read_rows
    from headrace.ml.tables import read_table

    model = load(model_folder)
    table = join_for_model(model, read_table(source), joins)
    positions = (table.rows == row).nonzero()[0].tolist()
    if not positions:
        raise OptionError(f"there is no row {row} in {source}; its rows are 1 to {table.rows.max()}")
    typed = read_rows(table.frame[positions], model.manifest.inputs, [row])
    explanation = explain(model, typed.frame, [0], seed=seed)[0]
    if as_json:
        typer.echo(json.dumps(explanation, ensure_ascii=False))
        return
    from rich.console import Console

    Console(highlight=False).print(_bars(explanation, row))


def _bars(explanation: dict[str, Any], row: int) -> Any:
    """Draw the contributions as bars to the left and right of zero."""
    from rich.table import Table
    from rich.text import Text

    contributions = explanation["contributions"]
    largest = max((abs(c["contribution"]) for c in contributions), default=0.0) or 1.0
    how = {"tree_shap": "exact", "sampled": "sampled"}.get(explanation["method"], "partly sampled")
    title = f"row {row}: prediction {explanation['prediction']}, usual {explanation['base']:.4g} ({how})"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    for heading in ("column", "value", "contribution", ""):
        table.add_column(heading, justify="right" if heading == "contribution" else "left")
    for item in contributions[:20]:
        amount = item["contribution"]
        bar = Text("█" * max(1, round(20 * abs(amount) / largest)), style="red" if amount < 0 else "green")
        table.add_row(Text(item["column"]), Text(str(item["value"])[:40]), f"{amount:+.4f}", bar)
    if len(contributions) > 20:
        rest = sum(c["contribution"] for c in contributions[20:])
        table.add_row(f"{len(contributions) - 20} more", "", f"{rest:+.4f}", "")
    return table
