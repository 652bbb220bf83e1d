"""Why an AutoML job failed: the library's sentences in the words of the request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.ml.contract import Task
from headrace.server.operations.autopilot.metrics import PROBLEM_TYPES

TASK = re.compile(rf"pass --task ({'|'.join(PROBLEM_TYPES)})")
EXCLUDE = re.compile(r"pass --exclude( for each)?")


def reason_of(error: Exception, request: Mapping[str, Any], folder: Path) -> str:
    """Return the sentence of an error with S3 URIs for files below `folder`, and members for the library's options.

    >>> request = {"auto_ml_job_input_data_config": []}
    >>> reason_of(ValueError("a binary task has two; pass --task multiclass"), request, Path())
    'a binary task has two; give the ProblemType MulticlassClassification and an AutoMLJobObjective'
    """
    sentence = str(error)
    for channel in request["auto_ml_job_input_data_config"]:
        place = re.escape(str(folder / channel["channel_type"]))
        sentence = re.sub(rf"{place}[^'\"]*", channel["data_source"]["s3_data_source"]["s3_uri"], sentence)
    sentence = TASK.sub(
        lambda found: f"give the ProblemType {PROBLEM_TYPES[Task(found[1])]} and an AutoMLJobObjective", sentence
    )
    return EXCLUDE.sub("choose the others by FeatureSpecificationS3Uri", sentence)
