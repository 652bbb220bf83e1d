"""AWS's second flow through boto3: Random Cut Forest on half-hours of taxi rides, alone and in shingles."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.clients

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
RECORDS = "application/x-recordio-protobuf"
STRANGE = 1500
PROGRAM = Path(__file__).with_name("programs") / "records.py"


@pytest.fixture(scope="module")
def rides() -> np.ndarray:
    """Return rides by the hour: a day's wave, and one hour that no day has."""
    hours = np.arange(2000)
    waves = 10_000 + 4_000 * np.sin(hours / 24 * 2 * np.pi) + np.random.default_rng(1).normal(0, 300, len(hours))
    waves[STRANGE] = 40_000
    return waves.astype(np.float32)


@pytest.mark.parametrize("width", [1, 48])
def test_the_strange_hour_scores_highest(
    aws: Any, python_of: Callable[[str], Path], run: Any, tmp_path: Path, upload: Any, train: Any, create_model: Any,
    deploy: Any, rides: np.ndarray, width: int,
) -> None:  # fmt: skip
    rows = np.lib.stride_tricks.sliding_window_view(rides, width)
    np.save(tmp_path / "rows.npy", rows)
    run(python_of("sagemaker2"), PROGRAM, tmp_path / "rows.npy", tmp_path / "rows.pbr")
    data = upload(f"taxi/{width}/rows.pbr", (tmp_path / "rows.pbr").read_bytes())
    given = {"feature_dim": str(width), "num_trees": "50", "num_samples_per_tree": "512", "mini_batch_size": "1000"}
    job = train("taxi", IMAGE, {"train": (data, RECORDS)}, given)
    name = deploy({"ModelName": create_model(job["ModelArtifacts"]["S3ModelArtifacts"], IMAGE), "VariantName": "all"})
    body = "".join(",".join(map(str, row)) + "\n" for row in rows)
    answer = aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Accept="application/json", Body=body
    )
    assert answer["ContentType"] == "application/json"
    scores = np.array([each["score"] for each in json.loads(answer["Body"].read())["scores"]])
    assert len(scores) == len(rows)
    assert STRANGE - width < int(np.argmax(scores)) <= STRANGE
    inside = (np.arange(len(rows)) > STRANGE - width) & (np.arange(len(rows)) <= STRANGE)
    assert scores[inside].min() > np.median(scores[~inside]) + 3 * scores[~inside].std()
