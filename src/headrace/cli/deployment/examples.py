"""How a deployed model is asked, ready to paste: boto3 and the AWS CLI, with a row of usual values."""

from __future__ import annotations

import csv
import io
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from headrace.cli.deployment.clients import Clients
from headrace.ml.errors import ModelError
from headrace.ml.tables.columns import ColumnKind

if TYPE_CHECKING:
    from headrace.ml.prediction.baseline import ColumnBaseline
    from headrace.ml.prediction.model import Model

PYTHON = """\
import boto3

runtime = boto3.client("sagemaker-runtime")
answer = runtime.invoke_endpoint(
    EndpointName={name!r}, ContentType="text/csv", Accept="application/json",
    Body={body!r},
)
print(answer["Body"].read().decode())"""


def show_examples(model: Model, name: str, clients: Clients) -> None:
    """Print both examples; where the credentials are a data folder's, also how programs get them."""
    body = usual_row(model)
    data = f" --data {shlex.quote(str(clients.data))}" if clients.data else ""
    prefix = f"headrace exec{data} -- " if clients.local else ""
    lines = " ".join(map(shlex.quote, body.splitlines()))
    typer.echo(
        f"Ask it with the AWS CLI:\n\nprintf '%s\\n' {lines} | \\\n  {prefix}aws sagemaker-runtime invoke-endpoint \\"
    )
    typer.echo(f"  --endpoint-name {name} --content-type text/csv --accept application/json \\")
    typer.echo("  --body fileb:///dev/stdin /dev/stdout\n")
    hint = f' (after: eval "$(headrace env{data})")' if clients.local else ""
    typer.echo(f"or with boto3{hint}:\n\n{PYTHON.format(name=name, body=body)}")


def usual_row(model: Model) -> str:
    """Return a header and a row of usual values as CSV; a value is left out where none is known."""
    try:
        known = {column.name: column for column in model.baseline.columns}
    except ModelError:
        known = {}
    text = io.StringIO()
    names = [column.name for column in model.manifest.columns]
    csv.writer(text, lineterminator="\n").writerows([names, [_usual(known.get(name)) for name in names]])
    return text.getvalue()


def _usual(column: ColumnBaseline | None) -> str:
    if column is None:
        return ""
    if column.categories:
        return column.categories[0][0]
    if not column.quantiles:
        return ""
    middle = column.quantiles[len(column.quantiles) // 2]
    if column.kind is ColumnKind.DATE:
        return datetime.fromtimestamp(middle, UTC).strftime("%Y-%m-%d")
    return f"{middle:.6g}"
