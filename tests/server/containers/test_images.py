"""Image URIs of AWS's registries, as its SDKs and documentation write them."""

import pytest

from headrace.server.containers.images import JumpStart, resolve, resolve_jumpstart

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("uri", "built_in", "framework", "version"),
    [
        (f"{ECR}/sagemaker-xgboost:1.7-1", "xgboost", "xgboost", "1.7-1"),
        (f"{ECR}/sagemaker-xgboost:1.0-1-cpu-py3", "xgboost", "xgboost", "1.0-1"),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:latest", "xgboost", None, ""),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1", "linear-learner", None, "1"),
        ("000000000000.dkr.ecr.eu-central-1.amazonaws.com/knn", "knn", None, ""),
        ("387376663083.dkr.ecr.cn-northwest-1.amazonaws.com.cn/kmeans:1", "kmeans", None, "1"),
        ("226302683700.dkr.ecr.us-gov-west-1.amazonaws.com/pca:latest", "pca", None, ""),
        ("382416733822.dkr.ecr-fips.us-east-1.amazonaws.com/randomcutforest:1", "randomcutforest", None, "1"),
        ("382416733822.dkr-ecr.us-east-1.on.aws/randomcutforest:1", "randomcutforest", None, "1"),
        ("490574956308.dkr.ecr.us-iso-east-1.c2s.ic.gov/forecasting-deepar:1", "forecasting-deepar", None, "1"),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/blazingtext:1", "blazingtext", None, "1"),
        (f"{ECR}/sagemaker-scikit-learn:1.2-1-cpu-py3", None, "scikit-learn", "1.2-1"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.1.0-gpu-py310", None, "pytorch", "2.1.0"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:1.12.0-cpu-py38", None, "pytorch", "1.12.0"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference-graviton:2.0.1-cpu", None, "pytorch", "2.0.1"),
        ("520713654638.dkr.ecr.us-east-1.amazonaws.com/sagemaker-mxnet-py3-gpu:1.0.0", None, "mxnet", "1.0.0"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2.13-cpu-py310", None, "tensorflow", "2.13"),
        (
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-training:1.13.1-transformers4.26.0-gpu-py39-cu117-ubuntu20.04",
            None,
            "huggingface-pytorch",
            "1.13.1",
        ),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/autogluon-training:1.1.1-cpu-py311", None, "autogluon", "1.1.1"),
        (f"{ECR}/kmeans@sha256:{'0' * 64}", "kmeans", None, ""),
        (f"{ECR}/kmeans:1@sha256:{'0' * 64}", "kmeans", None, "1"),
    ],
)
def test_an_image_of_aws_is_an_algorithm_or_a_framework(
    uri: str, built_in: str | None, framework: str | None, version: str
) -> None:
    image = resolve(uri)
    assert image
    assert (image.built_in, image.framework, image.version) == (built_in, framework, version)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "xgboost",
        "xgboost:1",
        "docker.io/library/python:3.12",
        f"{ECR}/my-own-model:1",
        f"{ECR}/team/xgboost:1",
        f"{ECR}/xgboost-neo:1",
        f"{ECR}/sagemaker-inference-pytorch:1.8",
        f"{ECR}/xgboost:",
        f"{ECR}/xgboost:1\n",
        f"evil.example/{ECR}/xgboost:1",
        f"{ECR}.evil.example/xgboost:1",
        "12345.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
        f"{ECR}/../xgboost:1",
        f"{ECR}/xgboost@sha256:00",
        f"{ECR}/" + "a-" * 5000,
    ],
)
def test_any_other_image_is_none(uri: str) -> None:
    assert resolve(uri) is None


def test_region_and_account_are_told() -> None:
    image = resolve(f"{ECR}/kmeans:1")
    assert image
    assert (image.account, image.region, image.repository, image.tag) == ("683313688378", "us-east-1", "kmeans", "1")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (
            "s3://jumpstart-cache-prod-eu-west-1/source-directory-tarballs/lightgbm/inference/regression/v1.2.0/sourcedir.tar.gz",
            JumpStart("lightgbm", "regression"),
        ),
        (
            "s3://jumpstart-cache-prod-us-west-2/source-directory-tarballs/lightgbm/transfer_learning/classification/v1.0.0/sourcedir.tar.gz",
            JumpStart("lightgbm", "classification"),
        ),
        (
            "s3://jumpstart-cache-prod-us-east-1/catboost-training/train-catboost-classification-model.tar.gz",
            JumpStart("catboost", "classification"),
        ),
        (
            "s3://jumpstart-cache-prod-us-east-1/lightgbm-infer/infer-lightgbm-classification-model.tar.gz",
            JumpStart("lightgbm", "classification"),
        ),
        ("s3://my-bucket/lightgbm/transfer_learning/classification/sourcedir.tar.gz", None),
        (
            "s3://jumpstart-cache-prod-us-east-1/source-directory-tarballs/tensorflow/inference/ic/v1/sourcedir.tar.gz",
            None,
        ),
        ("", None),
    ],
)
def test_jumpstart_tells_its_algorithms_by_their_sources(uri: str, expected: JumpStart | None) -> None:
    assert resolve_jumpstart([uri]) == expected
    assert resolve_jumpstart(["s3://my-bucket/model.tar.gz", uri]) == expected
