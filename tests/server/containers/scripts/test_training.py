"""Training scripts find SageMaker's variables and folders, and nothing of the server."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.server.containers.scripts import ScriptFailed, is_script, source_uri
from headrace.server.sandbox import Isolation, isolation

pytestmark = pytest.mark.skipif(
    isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml"
)

FIT = """
import argparse, json, os, sys
import joblib
import numpy as np
from sklearn.linear_model import LinearRegression

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--intercept", type=str)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    given = parser.parse_args()
    rows = np.loadtxt(os.path.join(given.train, "rows.csv"), delimiter=",")
    model = LinearRegression(fit_intercept=given.intercept == "True").fit(rows[:, :2], rows[:, 2])
    joblib.dump(model, os.path.join(given.model_dir, "model.joblib"))
    print("epochs", given.epochs, "score", model.score(rows[:, :2], rows[:, 2]))
"""
SHOW = """
import json, os, sys
json.dump({"variables": dict(os.environ), "arguments": sys.argv[1:], "folder": os.getcwd()}, open("/opt/ml/model/seen.json", "w"))
"""


def seen(root: Path) -> Any:
    return json.loads((root / "model" / "seen.json").read_text())


def test_a_script_fits_a_model_with_its_arguments(run: Callable[..., Any]) -> None:
    ended = run({"train.py": FIT}, {"epochs": "3", "intercept": "true"})
    assert ended.code == 0, ended.output
    assert "epochs 3 score 1.0" in ended.output
    assert (ended.root / "model" / "model.joblib").stat().st_size > 100
    assert not (ended.root / "output" / "failure").exists()


def test_a_script_finds_what_the_toolkit_documents(run: Callable[..., Any]) -> None:
    hyperparameters = {"epochs": "3", "rate": "0.5", "name": '"a b"', "sagemaker_container_log_level": "10"}
    hyperparameters["_tuning_objective_metric"] = "loss"
    ended = run({"train.py": SHOW}, hyperparameters, environment={"MINE": "mine"})
    assert ended.code == 0, ended.output
    found = seen(ended.root)
    variables = found["variables"]
    assert found["arguments"] == ["--epochs", "3", "--name", "a b", "--rate", "0.5"]
    assert found["folder"] == "/opt/ml/code"
    expected = {
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_INPUT_DIR": "/opt/ml/input",
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_CURRENT_HOST": "algo-1",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": "s3://bucket/source.tar.gz",
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_FRAMEWORK_MODULE": "sagemaker_sklearn_container.training:main",
        "SM_LOG_LEVEL": "10",
        "SM_NUM_GPUS": "0",
        "SM_HP_EPOCHS": "3",
        "SM_HP_NAME": "a b",
        "TRAINING_JOB_NAME": "job-1",
        "MINE": "mine",
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert int(variables["SM_NUM_CPUS"]) >= 1
    assert json.loads(variables["SM_HOSTS"]) == ["algo-1"]
    assert json.loads(variables["SM_CHANNELS"]) == ["train"]
    assert json.loads(variables["SM_HPS"]) == {"epochs": 3, "rate": 0.5, "name": "a b"}
    assert json.loads(variables["SM_USER_ARGS"]) == found["arguments"]
    assert json.loads(variables["SM_TRAINING_ENV"])["channel_input_dirs"] == {"train": "/opt/ml/input/data/train"}
    assert json.loads(variables["SM_RESOURCE_CONFIG"])["hosts"] == ["algo-1"]
    configuration = ended.root / "input" / "config"
    assert json.loads((configuration / "hyperparameters.json").read_text())["name"] == '"a b"'
    assert json.loads((configuration / "inputdataconfig.json").read_text())["train"]["TrainingInputMode"] == "File"
    assert json.loads((configuration / "resourceconfig.json").read_text())["current_instance_type"] == "ml.m5.large"


def test_a_script_sees_nothing_of_the_server(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_SECRET", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the server's")
    script = """
import importlib.util, os
assert importlib.util.find_spec("headrace") is None
assert importlib.util.find_spec("uvicorn") is None
assert importlib.util.find_spec("pandas") is not None
assert os.environ["AWS_SECRET_ACCESS_KEY"] == "the role's"
assert not [name for name in os.environ if name.startswith("HEADRACE")], os.environ
"""
    ended = run({"train.py": script}, credentials={"AWS_SECRET_ACCESS_KEY": "the role's"})
    assert ended.code == 0, ended.output


def test_variables_of_the_users_choice_are_set_inside_only(run: Callable[..., Any]) -> None:
    ended = run({"train.py": SHOW}, environment={"LD_PRELOAD": "/opt/ml/none.so", "PATH": "/mine"})
    assert "LD_PRELOAD" not in ended.program.environment
    variables = seen(ended.root)["variables"]
    assert variables["LD_PRELOAD"] == "/opt/ml/none.so"
    assert variables["PATH"].startswith("/opt/ml/.environment/bin:")
    assert variables["PATH"].endswith(":/mine")


def test_a_failure_tells_the_end_of_what_the_script_said(run: Callable[..., Any]) -> None:
    ended = run({"train.py": "raise ValueError('no such column: Churn')"})
    assert ended.code == 1
    failure = (ended.root / "output" / "failure").read_text()
    assert failure.startswith("ExecuteUserScriptError:\nExitCode 1\n")
    assert "ValueError: no such column: Churn" in failure


def test_a_failure_that_the_script_tells_itself_stays(run: Callable[..., Any]) -> None:
    ended = run({"train.py": "open('/opt/ml/output/failure', 'w').write('mine'); raise SystemExit(7)"})
    assert (ended.code, (ended.root / "output" / "failure").read_text()) == (7, "mine")


def test_a_shell_script_runs_with_the_environment_first_on_its_path(run: Callable[..., Any]) -> None:
    script = 'echo "$@" > $SM_MODEL_DIR/arguments\npython -c "import sklearn, sys; print(sys.prefix)"\n'
    ended = run({"go.sh": script}, {"sagemaker_program": "go.sh", "x": "1"})
    assert ended.code == 0, ended.output
    assert (ended.root / "model" / "arguments").read_text() == "-x 1\n"
    assert "/opt/ml/.environment" in ended.output


def test_any_program_of_the_source_can_be_the_entry_point(run: Callable[..., Any]) -> None:
    ended = run(
        {"bin/fit": "#!/usr/bin/env python\nimport sklearn, sys; print(sys.argv)\n"}, {"sagemaker_program": "bin/fit"}
    )
    assert ended.code == 0, ended.output
    assert "['./bin/fit']" in ended.output


def test_an_entry_point_that_is_missing_is_named(run: Callable[..., Any]) -> None:
    for name in ("none.sh", "none"):
        assert f"entry point {name} is not in the source" in run({"fit.py": FIT}, {"sagemaker_program": name}).output
    ended = run({"fit.py": FIT})
    assert ended.code == 1
    assert "entry point train.py is not in the source, which holds fit.py" in ended.output


def test_the_images_own_entry_point_is_replaced(run: Callable[..., Any]) -> None:
    ended = run(
        {},
        {"sagemaker_program": "", "epochs": "3"},
        entrypoint=("/bin/bash",),
        arguments=("-c", "command -v pip3 && python3 --version && cat /opt/ml/input/config/hyperparameters.json"),
    )
    assert ended.code == 0, ended.output
    assert '"epochs": "3"' in ended.output
    assert "/opt/ml/.environment/bin/pip3" in ended.output
    assert f"Python {'.'.join(map(str, sys.version_info[:3]))}" in ended.output


def test_a_source_in_a_channel_needs_no_s3(run: Callable[..., Any], tmp_path: Path) -> None:
    channel = tmp_path / "work" / "ml" / "input" / "data" / "code"
    channel.mkdir(parents=True)
    (tmp_path / "train.py").write_text(SHOW)
    shutil.make_archive(str(channel / "sourcedir"), "gztar", tmp_path, "train.py")
    ended = run({}, {"sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz"})
    assert ended.code == 0, ended.output
    assert seen(ended.root)["folder"] == "/opt/ml/code"


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/mxnet-training:1.9", "the images that can are those of scikit"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1", "the images that can are those of scikit"),
    ],
)
def test_frameworks_that_are_not_here_are_refused(run: Callable[..., Any], image: str, reason: str) -> None:
    with pytest.raises(ScriptFailed, match=reason):
        run({"train.py": SHOW}, image=image)


def test_a_job_without_a_script_is_refused(run: Callable[..., Any]) -> None:
    with pytest.raises(ScriptFailed, match="the job names none: set the hyperparameters sagemaker_program"):
        run({}, {"sagemaker_program": ""})


def test_the_source_is_found_in_hyperparameters_or_variables() -> None:
    assert source_uri({"sagemaker_submit_directory": '"s3://bucket/a.tar.gz"'}) == "s3://bucket/a.tar.gz"
    assert source_uri({"SAGEMAKER_SUBMIT_DIRECTORY": "s3://bucket/a.tar.gz"}) == "s3://bucket/a.tar.gz"
    assert source_uri({"sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz"}) == ""
    assert source_uri({}) == ""


def test_what_is_a_script() -> None:
    registry = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
    assert is_script(f"{registry}/sagemaker-scikit-learn:1.2-1-cpu-py3", {})
    assert is_script(f"{registry}/sagemaker-xgboost:1.7-1", {"sagemaker_program": '"train.py"'})
    assert is_script(f"{registry}/sagemaker-xgboost:1.7-1", {"SAGEMAKER_PROGRAM": "train.py"})
    assert not is_script(f"{registry}/sagemaker-xgboost:1.7-1", {"num_round": "10"})
    assert not is_script("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1", {})
    assert is_script("example.com/mine:1", {})
