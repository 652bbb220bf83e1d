"""What a job of the model monitor's image is asked for by its environment (AWS page: Container contract inputs)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

PROCESSING = PurePosixPath("/opt/ml/processing")
SIDES = ("endpointOutput", "endpointInput")
"""The sides of captured data, in the order in which their columns are joined."""
METHODS = ("LInfinity", "ChiSquared")
"""How the drift of categories is told, unless the baseline says otherwise: first the default."""
SCRIPTS = ("record_preprocessor_script", "post_analytics_processor_script")


class AnalysisFailed(Exception):  # noqa: N818
    """The data can't be analysed: one sentence, which becomes the FailureReason after "AlgorithmError: "."""


@dataclass(frozen=True)
class DatasetFormat:
    """How data is written: `kind` is "csv", "json", "parquet" or "capture" (of `sides`)."""

    kind: str
    header: bool = False
    sides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What to analyse and where to write; without `constraints` a baseline is made."""

    dataset: Path
    shown: str
    format: DatasetFormat
    output: Path
    constraints: Path | None = None
    statistics: Path | None = None
    publish: bool = False
    endpoint: str = ""
    schedule: str = ""
    drift_method: str = METHODS[0]


def read_request(environment: Mapping[str, str], root: Path) -> Request:
    """Return the request of a job's variables; `root` is what it finds as /opt/ml. Raises AnalysisFailed."""
    for name in SCRIPTS:
        if environment.get(name):
            raise AnalysisFailed(f"{name} is set, and this analyzer runs no scripts of users; leave it out")
    kind = environment.get("analysis_type", "DATA_QUALITY")
    if kind != "DATA_QUALITY":
        raise AnalysisFailed(f"the analysis_type {kind} is not built here; use DATA_QUALITY")
    source = _named(environment, "dataset_source")
    baselines = [environment.get(name, "") for name in ("baseline_constraints", "baseline_statistics")]
    schedule = environment.get("sagemaker_monitoring_schedule_name", "")
    publish = environment.get("publish_cloudwatch_metrics") == "Enabled"
    if publish and not schedule:
        raise AnalysisFailed("CloudWatch publishing is available only for jobs from MonitoringSchedules.")
    method = environment.get("categorical_drift_method", METHODS[0])
    if method not in METHODS:
        raise AnalysisFailed(f"the categorical_drift_method {method!r} is none; use {' or '.join(METHODS)}")
    return Request(
        inside(root, source),
        source,
        _read_format(_named(environment, "dataset_format")),
        inside(root, _named(environment, "output_path")),
        inside(root, baselines[0]) if baselines[0] else None,
        inside(root, baselines[1]) if baselines[1] else None,
        publish,
        environment.get("sagemaker_endpoint_name", ""),
        schedule,
        method,
    )


def inside(root: Path, path: str) -> Path:
    """Return where a path below /opt/ml/processing lies under a job's root; raises AnalysisFailed on another."""
    given = PurePosixPath(path)
    if not given.is_relative_to(PROCESSING) or ".." in given.parts:
        raise AnalysisFailed(f"the path {path!r} is not below {PROCESSING}; name one that is")
    return root / given.relative_to(PROCESSING.parent)


def _named(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise AnalysisFailed(f"the variable {name} is missing in Environment; set it")
    return value


def _read_format(text: str) -> DatasetFormat:
    try:
        given = json.loads(text)
        ((kind, options),) = given.items()
        options = options or {}
        if kind == "csv":
            return DatasetFormat("csv", header=_truth(options.get("header", False)))
        if kind == "json":
            return DatasetFormat("json")
        if kind == "parquet":
            return DatasetFormat("parquet")
        if kind in ("sagemakerCaptureJson", "sagemaker_capture_json"):
            names = options.get("captureIndexNames") or SIDES
            return DatasetFormat("capture", sides=tuple(side for side in SIDES if side in names))
    except (ValueError, TypeError, AttributeError):
        pass
    raise AnalysisFailed(
        f'the dataset_format {text!r} is none; write {{"csv": {{"header": true}}}}, {{"json": {{"lines": true}}}}, '
        '{"parquet": {}} or {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}'
    )


def _truth(value: Any) -> bool:
    return str(value).lower() == "true"
