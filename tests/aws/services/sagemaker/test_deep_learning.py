"""Scripts of PyTorch, TensorFlow and older releases, trained and served for real in environments that pip makes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from headrace.server.sandbox import Isolation, isolation

pytestmark = [
    pytest.mark.deep,
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml"),
]
REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
OLDER = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
ROWS = """
import os
import numpy as np
rows = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"), delimiter=",", dtype=np.float32)
x, y = rows[:, 1:], rows[:, :1]
folder = os.environ["SM_MODEL_DIR"]
"""
PYTORCH = (
    ROWS
    + """
import torch
torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.LBFGS(model.parameters(), max_iter=200)
def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(torch.from_numpy(x)), torch.from_numpy(y))
    loss.backward()
    return loss
print("loss", float(optimizer.step(closure)), "->", float(closure()))
"""
)
SCRIPTED = PYTORCH + "torch.jit.trace(model, torch.zeros(1, 2)).save(os.path.join(folder, 'model.pt'))\n"
STATE = PYTORCH + "torch.save(model.state_dict(), os.path.join(folder, 'model.pth'))\n"
OF_STATE = """
import os, torch

def model_fn(folder):
    model = torch.nn.Linear(2, 1)
    model.load_state_dict(torch.load(os.path.join(folder, "model.pth"), weights_only=True))
    return model
"""
TENSORFLOW = (
    ROWS
    + """
import tensorflow as tf
tf.keras.utils.set_random_seed(0)
model = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(1)])
model.compile(tf.keras.optimizers.Adam(0.3), "mse")
model.fit(x, y, epochs=400, verbose=0)
print("loss", model.evaluate(x, y, verbose=0))
(getattr(model, "export", None) or (lambda path: tf.saved_model.save(model, path)))(os.path.join(folder, "1"))
"""
)
HANDLERS = """
import json

def input_handler(data, context):
    assert context.request_content_type == "text/csv"
    rows = [[float(cell) for cell in line.split(",")] for line in data.read().decode().split()]
    return json.dumps({"instances": rows})

def output_handler(response, context):
    return json.dumps([row[0] for row in json.loads(response.content)["predictions"]]), "application/mine"
"""
RIDGE = (
    ROWS
    + """
import joblib, sklearn
from sklearn.linear_model import LinearRegression
assert sklearn.__version__.startswith("1.2."), sklearn.__version__
joblib.dump(LinearRegression().fit(x, y[:, 0]), os.path.join(folder, "model.joblib"))
"""
)
OF_RIDGE = "import joblib\nmodel_fn = lambda folder: joblib.load(folder + '/model.joblib')\n"


@pytest.fixture
def trained(client: Callable[..., Any], job: Any, until: Any, logged: Any) -> Callable[..., tuple[str, list[str]]]:
    """Return what trains a script in an image, and returns the URI of its model and the lines of its log."""

    def run(image: str, script: str) -> tuple[str, list[str]]:
        request = job({"train.py": script}, image=image)
        client("sagemaker").create_training_job(**request)
        ended = until(request["TrainingJobName"], seconds=1800)
        lines = logged(request["TrainingJobName"], "" if ended["TrainingJobStatus"] != "Completed" else "train.py")
        assert ended["TrainingJobStatus"] == "Completed", (ended["FailureReason"], lines)
        return ended["ModelArtifacts"]["S3ModelArtifacts"], lines

    return run


@pytest.fixture
def answers(
    client: Callable[..., Any], role: str, unique: Any, settle: Any, upload: Any, archive: Any
) -> Callable[..., Any]:
    """Return what serves a model in an image, with a script or none, and returns what it answers."""

    def ask(image: str, model: str, body: bytes, content_type: str, script: str = "") -> tuple[str, Any]:
        name, sagemaker = unique("deep"), client("sagemaker")
        container: dict[str, Any] = {"Image": image, "ModelDataUrl": model}
        if script:
            source = upload("inference/sourcedir.tar.gz", archive({"inference.py": script.encode()}))
            container["Environment"] = {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": source,
                "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            }
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
        variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        found = settle(name, 900)
        assert found["EndpointStatus"] == "InService", found
        said = client("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType=content_type, Body=body)
        sagemaker.delete_endpoint(EndpointName=name)
        return said["ContentType"], json.loads(said["Body"].read())

    return ask


def test_pytorch(trained: Any, answers: Any) -> None:
    training, inference = (
        f"{REGISTRY}/pytorch-training:2.1.0-cpu-py310",
        f"{REGISTRY}/pytorch-inference:2.1.0-cpu-py310",
    )
    model, lines = trained(training, SCRIPTED)
    assert [line for line in lines if line.startswith("PyTorch 2.1.0 has no wheel for Python")]
    kind, said = answers(inference, model, b"[[3, 2], [0, 0]]", "application/json")
    assert kind == "application/json"
    assert [row[0] for row in said] == pytest.approx([8, 1], abs=0.05)
    model, _ = trained(training, STATE)
    kind, said = answers(inference, model, b"3,2\n0,0\n", "text/csv", OF_STATE)
    assert [row[0] for row in said] == pytest.approx([8, 1], abs=0.05)


def test_tensorflow(trained: Any, answers: Any) -> None:
    model, _ = trained(f"{REGISTRY}/tensorflow-training:2.19.0-cpu-py312", TENSORFLOW)
    image = f"{REGISTRY}/tensorflow-inference:2.19.0-cpu"
    kind, said = answers(image, model, b'{"instances": [[3, 2], [0, 0]]}', "application/json")
    assert (kind, list(said)) == ("application/json", ["predictions"])
    assert [row[0] for row in said["predictions"]] == pytest.approx([8, 1], abs=0.05)
    kind, said = answers(image, model, b"3,2\n0,0\n", "text/csv", HANDLERS)
    assert kind == "application/mine"
    assert said == pytest.approx([8, 1], abs=0.05)


def test_an_older_release_of_scikit_learn(trained: Any, answers: Any) -> None:
    image = f"{OLDER}/sagemaker-scikit-learn:1.2-1-cpu-py3"
    model, _ = trained(image, RIDGE)
    _, said = answers(image, model, b"3,2\n0,0\n", "text/csv", OF_RIDGE)
    assert said == pytest.approx([8, 1], abs=1e-3)
