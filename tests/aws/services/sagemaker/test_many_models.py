"""Multi-model endpoints through boto3: models by name, found at once when they are added, within bounded memory."""

from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
MOST_MIB = 600


@pytest.fixture
def many(client: Make, role: str, bucket: str, unique: Make, endpoint: Make) -> str:
    """Return the name of an endpoint of the models under the prefix `many/` of the bucket, of which there are none."""
    sagemaker, name = client("sagemaker"), unique("many")
    container = {
        "Image": f"{REGISTRY}/sagemaker-xgboost:1.7-1", "ModelDataUrl": f"s3://{bucket}/many/", "Mode": "MultiModel",
        "MultiModelConfig": {"ModelCacheSetting": "Enabled"},
    }  # fmt: skip
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    made: str = endpoint(name)
    return made


@pytest.fixture
def workers(server: Any) -> Iterator[Callable[[], list[psutil.Process]]]:
    """Return what lists the model processes that were started since."""
    before = {each.pid for each in psutil.Process(server.process.pid).children()}

    def found() -> list[psutil.Process]:
        children = psutil.Process(server.process.pid).children()
        return [each for each in children if each.pid not in before and "host" in " ".join(each.cmdline())]

    yield found


def test_a_model_is_served_as_soon_as_it_is_there(
    many: str, upload: Make, slope_model: Make, ask: Make, bucket: str
) -> None:
    upload("many/one.tar.gz", slope_model(1.0))
    upload("many/deep/three.tar.gz", slope_model(3.0))
    assert ask(many, TargetModel="one.tar.gz") == pytest.approx(0.5, abs=0.05)
    assert ask(many, TargetModel="/deep/three.tar.gz") == pytest.approx(1.5, abs=0.15)
    with pytest.raises(ClientError) as raised:
        ask(many, TargetModel="two.tar.gz")
    assert raised.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": f"Failed to download model data(bucket: {bucket}, key: many/two.tar.gz). Please ensure that there "
        "is an object located at the URL and that the role passed to CreateModel has permissions to download the "
        "model.",
    }
    upload("many/two.tar.gz", slope_model(2.0))
    assert ask(many, TargetModel="two.tar.gz") == pytest.approx(1.0, abs=0.1)
    upload("many/two.tar.gz", slope_model(4.0))
    assert ask(many, TargetModel="two.tar.gz") == pytest.approx(2.0, abs=0.2)


def test_a_target_that_is_none_is_refused(client: Make, many: str, upload: Make, archive: Make, ask: Make) -> None:
    upload("outside.tar.gz", b"secret")
    upload("many/text.tar.gz", b"no archive")
    upload("many/pickle.tar.gz", archive({"xgboost-model": b"\x80\x04K\x01."}))
    runtime = client("sagemaker-runtime")
    for given, code, said in (
        ({}, "ValidationError", "name one as TargetModel"),
        ({"TargetModel": "../outside.tar.gz"}, "ValidationError", "no path below the model's prefix"),
        ({"TargetModel": "a//b"}, "ValidationError", "no path below the model's prefix"),
        ({"TargetModel": "text.tar.gz"}, "ValidationError", "Failed to load model text.tar.gz: The archive is no"),
        ({"TargetModel": "pickle.tar.gz"}, "ModelError", "xgboost-model is a pickle"),
    ):
        with pytest.raises(ClientError, match=said) as raised:
            runtime.invoke_endpoint(EndpointName=many, ContentType="text/csv", Body=b"0.5", **given)
        assert raised.value.response["Error"]["Code"] == code
    upload("many/good.tar.gz", archive({"xgboost-model": b"still no model"}))
    with pytest.raises(ClientError, match=r"\(500\) from primary"):
        ask(many, TargetModel="good.tar.gz")


@pytest.mark.slow
def test_fifty_models_stay_within_their_memory(
    workers: Callable[[], list[psutil.Process]], many: str, upload: Make, ask: Make, archive: Make
) -> None:
    import numpy as np
    import xgboost

    random = np.random.default_rng(0)
    features = random.random((2000, 1), dtype=np.float32)
    parameters = {"max_depth": 8, "nthread": 1}
    trained = xgboost.train(parameters, xgboost.DMatrix(features, label=random.random(2000)), 100)
    content = archive({"xgboost-model": bytes(trained.save_raw("ubj"))})
    answers = set()
    for number in range(50):
        upload(f"many/{number}.tar.gz", content)
        answers.add(ask(many, TargetModel=f"{number}.tar.gz"))
    (worker,) = workers()
    assert len(answers) == 1
    assert sum(each.memory_full_info().pss for each in (worker, *worker.children(recursive=True))) <= MOST_MIB << 20
