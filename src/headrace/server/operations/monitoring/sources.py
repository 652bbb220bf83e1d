"""The data that a monitoring job looks at: what an endpoint captures, or what batch transforms read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints.serving import Serving, read_serving
from headrace.server.operations.endpoints.states import ENDPOINT, arn_of
from headrace.server.operations.storage.transfer import parse_uri
from headrace.server.resources import find

CAPTURED = {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}


@dataclass(frozen=True)
class Watched:
    """Captured data below an S3 URI, in a folder an hour below each of `places`.

    `path` is where a job finds it, `form` its dataset_format, `endpoint` "" where it is of batch transforms: what is
    captured of those are manifests of the data.
    """

    uri: str
    places: tuple[str, ...]
    path: str
    form: Mapping[str, Any]
    endpoint: str = ""

    def inputs(self, hours: list[int]) -> list[dict[str, Any]]:
        """Return a ProcessingInput for each hour, which may be empty."""
        below = [f"{place}/{moment(hour):%Y/%m/%d/%H}" for place in self.places for hour in hours]
        kind, name = ("S3Prefix", "endpoint_input") if self.endpoint else ("ManifestFile", "batch_transform_input")
        return [
            {
                "input_name": f"{name}_{number}",
                "app_managed": True,
                "s3_input": {
                    "s3_uri": f"{self.uri.rstrip('/')}/{each}",
                    "local_path": f"{self.path}/{each}",
                    "s3_data_type": kind,
                },
            }
            for number, each in enumerate(below, 1)
        ]


def watched(context: Context, job: Mapping[str, Any]) -> Watched:
    """Return what a MonitoringJobDefinition looks at; raises InvalidInput on what there is not, or is not captured."""
    given = job["monitoring_inputs"][0]
    endpoint, batch = given.get("endpoint_input"), given.get("batch_transform_input")
    if bool(endpoint) == bool(batch):
        raise _invalid("MonitoringInputs needs one of EndpointInput and BatchTransformInput")
    if batch:
        parse_uri(batch["data_captured_destination_s3_uri"])
        form = _form(batch["dataset_format"])
        return Watched(batch["data_captured_destination_s3_uri"], ("input",), batch["local_path"], form)
    found = _capturing(context, endpoint["endpoint_name"])
    places = tuple(f"{found.name}/{variant.name}" for variant in found.variants)
    destination = (found.data_capture or {})["destination_s3_uri"]
    return Watched(destination, places, endpoint["local_path"], CAPTURED, found.name)


def _capturing(context: Context, name: str) -> Serving:
    """Return what serves, or is to serve, at an endpoint that captures."""
    stored = find(context.connection, ENDPOINT, context.place, name)
    if stored is None:
        raise _invalid(f'Could not find endpoint "{arn_of(context.place, name)}"')
    for which in ("deployment", "pending"):
        record = {"deployment": stored.record.get(which)}
        found = read_serving(stored.arn, name, context.place, stored.state, record)
        if found.data_capture and found.data_capture.get("enable_capture") is not False:
            return found
    raise _invalid(
        f"The endpoint {name} captures no data; give its configuration a DataCaptureConfig with EnableCapture"
    )


def _form(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dataset_format that a MonitoringDatasetFormat means."""
    named = [name for name in ("csv", "json", "parquet") if given.get(name) is not None]
    if len(named) != 1:
        raise _invalid("DatasetFormat needs one of Csv, Json and Parquet")
    options: dict[str, dict[str, Any]] = {
        "csv": {"header": bool((given.get("csv") or {}).get("header"))},
        "json": {"lines": True},
        "parquet": {},
    }
    return {named[0]: options[named[0]]}


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(f"{sentence}.", code="ValidationException")
