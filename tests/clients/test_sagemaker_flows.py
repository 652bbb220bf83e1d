"""AWS's own flows by the SageMaker Python SDK, versions 2 and 3, unchanged: fit, deploy, predict, transform, delete."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

pytestmark = pytest.mark.clients

PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture
def flow(python_of: Callable[[str], Path], run: Any, headrace: Any, role: str) -> Callable[[str], dict[str, Any]]:
    """Return what runs a program of an SDK through `headrace exec` and returns what it printed last."""

    def execute(program: str) -> dict[str, Any]:
        python = python_of(f"sagemaker{program[1]}")
        done = run(*headrace("exec", "--", str(python), str(PROGRAMS / f"{program}.py"), role))
        last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return last

    return execute


def endpoints(server: Any) -> list[str]:
    return [each["EndpointName"] for each in server.client("sagemaker").list_endpoints()["Endpoints"]]


def test_xgboost_is_fitted_and_deployed_by_version_2(server: Any, flow: Any) -> None:
    told = flow("v2_xgboost")
    assert told["status"] == "Completed"
    assert {"train:rmse", "validation:rmse"} <= set(told["metrics"])
    assert told["answers"] == pytest.approx(told["truth"], abs=5)
    assert told["endpoint"] not in endpoints(server)


def test_random_cut_forest_finds_the_anomaly(flow: Any) -> None:
    told = flow("v2_cut_forest")
    assert (told["highest"], told["count"]) == (1500, 2000)
    assert told["ratio"] > 2


def test_a_script_of_scikit_learn_is_trained_and_served(flow: Any) -> None:
    told = flow("v2_script")
    assert told["metrics"]["train:r2"] > 0.99
    assert told["answers"] == pytest.approx(told["truth"], abs=0.1)


def test_many_models_batches_later_answers_and_captured_ones(server: Any, flow: Any) -> None:
    told = flow("v2_models")
    assert told["one"] != told["two"]
    assert told["listed"] == ["first.tar.gz", "second.tar.gz"]
    rows = [line.split(",") for line in told["transformed"].splitlines()]
    assert [row[0] for row in rows] == [str(at) for at in range(50)]
    assert all(1 < float(row[1]) < 30 for row in rows)
    assert float(told["later"][0][0]) == pytest.approx(float(told["one"][0][0]))
    captured = server.client("s3").list_objects_v2(Bucket=told["bucket"], Prefix="many/captured/")
    assert captured["KeyCount"] >= 1


def test_version_3_trains_builds_and_invokes(server: Any, flow: Any) -> None:
    told = flow("v3_flow")
    assert told["answer"] == pytest.approx(told["truth"], abs=5)
    assert not [name for name in endpoints(server) if name.startswith("v3-")]


def test_version_3_runs_a_script_by_its_own_drivers(server: Any, flow: Any) -> None:
    told = flow("v3_script")
    assert told["status"] == "Completed"
    where = urlparse(told["artifacts"])
    archive = server.client("s3").get_object(Bucket=where.netloc, Key=where.path[1:])["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        total = files.extractfile("total.json")
        assert total is not None
        assert json.loads(total.read()) == 30


def test_built_in_algorithms_answer_records(flow: Any) -> None:
    told = flow("v2_built_in")
    groups = told["groups"]
    assert [each["predicted_label"] for each in told["linear"]] == [[float(group == 2)] for group in groups]
    clusters = [each["closest_cluster"][0] for each in told["means"]]
    assert len(set(zip(clusters, groups, strict=True))) == len(set(groups))
    assert all(each["distance_to_cluster"][0] < 3 for each in told["means"])
    assert [len(each["projection"]) for each in told["components"]] == [2] * 5
    assert [each["predicted_label"][0] for each in told["neighbors"]] == groups


def test_the_model_monitor_finds_drift(flow: Any) -> None:
    told = flow("v2_monitor")
    assert told["status"] == "CompletedWithViolations"
    drifted = {
        each["feature_name"] for each in told["violations"] if each["constraint_check_type"] == "baseline_drift_check"
    }
    assert {"length", "diameter", "height"} <= drifted
    assert 0 < told["rows"] <= 40
    assert (told["changed"], told["executions"]) == ("cron(0 5 ? * * *)", 0)


def test_version_2_tracks_runs_metrics_and_the_lineage_of_jobs(flow: Any) -> None:
    told = flow("v2_tracking")
    assert told["runs"] == ["first", "second", "third"]
    assert told["parameters"] == {
        "rate": {"NumberValue": 0.1}, "depth": {"NumberValue": 5}, "kind": {"StringValue": "boosted"},
        "later": {"StringValue": "yes"},
    }  # fmt: skip
    assert told["metrics"] == {"loss": [26, 0.01, 0.01]}
    assert set(told["inputs"]) == {"notes", "data"}
    assert told["status"] == "Completed"
    assert told["failed"] == {"PrimaryStatus": "Failed", "Message": "told by the user's program"}
    assert told["experiment"]["RunName"].endswith("-first")
    assert told["job"] == [f"{told['name']}-aws-training-job"]
    assert told["table"][0].endswith("-second")
    assert told["table"][1].endswith("-first")
    assert set(told["job"]) < set(told["table"])
    assert {"loss - Min", "train:rmse - Last", "Experiments", "SageMaker.ImageUri - Value"} <= set(told["columns"])
    assert told["curve"]
    assert told["lineage"] == ["Artifact:DataSet", "Artifact:Image", "Artifact:Model", "TrialComponent:None"]


def test_version_3_tracks_runs_and_walks_the_lineage_of_an_endpoint(flow: Any) -> None:
    told = flow("v3_tracking")
    assert told["metrics"] == {"loss": [2, 0.25]}
    assert told["status"] == "Completed"
    assert told["name"] in told["experiments"]
    assert told["datasets"] == [told["data"]]
    assert told["jobs"] == [told["job"]]
    assert told["of_job"] == ["Input:DataSet", "Input:Image", "Output:Model"]
    assert told["of_endpoint"] == ["Input:ModelDeployment"]
    assert told["versions"] == ["Approved"]


def test_automl_finds_a_model_and_serves_it(flow: Any) -> None:
    told = flow("v2_automl")
    assert told["status"] == "Completed"
    assert told["best"] in told["candidates"]
    assert told["metric"]["MetricName"] == "Accuracy"
    assert told["metric"]["Value"] > 0.8
    assert [label for label, _ in told["answers"]] == ["yes", "no"]
    assert all(0.5 <= float(probability) <= 1 for _, probability in told["answers"])
    assert told["older"] == "F1"


def test_scripts_process_files(flow: Any) -> None:
    told = flow("v2_processing")
    assert [float(each) for each in told["scaled"]] == pytest.approx([-12.2474, 0, 12.2474], abs=1e-3)
    assert told["doubled"] == ["2.0", "4.0", "6.0"]


def test_an_endpoint_is_changed_while_it_serves(flow: Any) -> None:
    told = flow("v2_updates")
    assert told["metrics"] == ["train:rmse", "validation:rmse"]
    assert told["before"] == pytest.approx(told["after"]) == pytest.approx(told["rare"])
    assert (told["instances"], told["capture"], told["monitors"]) == (2, "Started", [])


def test_version_3_runs_a_flow_by_its_resource_classes(flow: Any) -> None:
    told = flow("v3_core")
    assert told["status"] == "Completed"
    assert (told["jobs"], told["endpoints"], told["left"]) == ([told["name"]], [told["name"]], [])
    assert len(told["answers"]) == 20
    assert float(told["answers"][0]) == pytest.approx(told["answer"])
