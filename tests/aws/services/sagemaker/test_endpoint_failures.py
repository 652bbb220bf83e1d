"""Endpoints whose models can't be served: each fails with a reason that says why."""

import io
import pickle
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
REGISTRY = "382416733822.dkr.ecr.us-east-1.amazonaws.com"
EXTRACT = 'Failed to extract model data archive for container "container_1" from URL "s3://'
PING = "The primary container for production variant AllTraffic did not pass the ping health check"


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


def member(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", size: int = 0) -> bytes:
    """Return a tar.gz with one member, of zeros."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        information = tarfile.TarInfo(name)
        information.type, information.linkname, information.size = kind, link, size
        tar.addfile(information, io.BytesIO(bytes(size)))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"this is no archive", EXTRACT),
        (b"", EXTRACT),
        (member("xgboost-model", tarfile.SYMTYPE, link="/etc/passwd"), "symbolic link"),
        (member("xgboost-model", tarfile.LNKTYPE, link="other"), "hard link"),
        (member("../xgboost-model", size=10), EXTRACT),
        (member("/xgboost-model", size=10), EXTRACT),
        (member("xgboost-model", size=64 << 20), EXTRACT),
        (member("xgboost-model", size=100), PING),
        (member("other", size=100), PING),
    ],
    ids=["text", "empty", "symlink", "hardlink", "parent", "absolute", "bomb", "zeros", "another file"],
)
def test_an_archive_that_is_none_fails(
    sagemaker: Any, configure: Make, settle: Make, unique: Make, content: bytes, reason: str
) -> None:
    name = unique("failing")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configure(content))
    found = settle(name)
    assert found["EndpointStatus"] == "Failed"
    assert reason in found["FailureReason"]
    assert "ProductionVariants" not in found
    sagemaker.delete_endpoint(EndpointName=name)


class Opened:
    """Unpickled, it would make a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


@pytest.mark.parametrize("image", ["sagemaker-xgboost:1.7-1", "xgboost:1", "kmeans:1"])
def test_a_pickle_is_never_opened(
    sagemaker: Any, configure: Make, settle: Make, unique: Make, archive: Make, tmp_path: Any, image: str
) -> None:
    name, trace = unique("pickled"), tmp_path / "opened"
    pickled = pickle.dumps(Opened(str(trace)))
    content = archive({"xgboost-model": pickled, "model_algo-1": pickled, "model.pkl": pickled})
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configure(content, image=f"{REGISTRY}/{image}"))
    found = settle(name)
    assert found["EndpointStatus"] == "Failed"
    assert PING in found["FailureReason"]
    assert not trace.exists()
    sagemaker.delete_endpoint(EndpointName=name)


def test_data_that_have_gone_fail_and_the_endpoint_can_only_be_deleted(
    sagemaker: Any, client: Make, configure: Make, settle: Make, unique: Make, bucket: str, ask: Make
) -> None:
    name, configuration = unique("gone"), configure()
    client("s3").delete_object(Bucket=bucket, Key=f"{configuration}/model.tar.gz")
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration)
    found = settle(name)
    assert found["EndpointStatus"] == "Failed"
    assert found["EndpointConfigName"] == configuration
    reason = f'Failed to download model data for container "container_1" from URL: "s3://{bucket}/{configuration}/'
    assert found["FailureReason"].startswith(reason)
    with pytest.raises(ClientError, match="Cannot update failed endpoint"):
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=configuration)
    with pytest.raises(ClientError):
        ask(name)
    sagemaker.delete_endpoint(EndpointName=name)


def test_one_variant_of_two_fails_the_endpoint_and_leaves_no_process(
    sagemaker: Any, server: Any, configure: Make, settle: Make, unique: Make, wait: Make
) -> None:
    import psutil

    name, good, bad = unique("half"), configure(), configure(b"no archive")
    before = len(psutil.Process(server.process.pid).children())
    given = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "good", "ModelName": good, **given}, {"VariantName": "bad", "ModelName": bad, **given},
        ],
    )  # fmt: skip
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert settle(name)["EndpointStatus"] == "Failed"
    wait(
        lambda: {"children": len(psutil.Process(server.process.pid).children())},
        lambda answer: answer["children"] <= before,
        10,
    )
    sagemaker.delete_endpoint(EndpointName=name)
