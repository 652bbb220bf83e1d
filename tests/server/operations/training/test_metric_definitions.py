"""Whose metric definitions a training job may bring: an algorithm's own image takes none."""

from typing import Any

import pytest

from headrace.server.errors import InvalidInput
from headrace.server.operations.training.requests import check_request

MINE = [{"name": "loss", "regex": "loss=(.*)"}]
JUMPSTART = (
    "s3://jumpstart-cache-prod-us-east-1/source-directory-tarballs/lightgbm/transfer_learning/regression/v1.tar.gz"
)


def request(image: str, **hyperparameters: str) -> dict[str, Any]:
    return {
        "algorithm_specification": {
            "training_image": image, "training_input_mode": "File", "metric_definitions": MINE,
        },
        "hyper_parameters": hyperparameters,
        "output_data_config": {"s3_output_path": "s3://bucket/models"},
        "resource_config": {"instance_type": "ml.m5.large", "instance_count": 1},
    }  # fmt: skip


def test_the_image_of_an_algorithm_takes_none() -> None:
    with pytest.raises(InvalidInput, match="You can't override the metric definitions"):
        check_request(request("683313688378.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"))


def test_algorithms_that_run_in_a_frameworks_image_take_them() -> None:
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.0-cpu-py310"
    assert check_request(request(image, sagemaker_submit_directory=JUMPSTART)).algorithm == "lightgbm-regression"
    assert check_request(request(image, sagemaker_program="train.py")).user_code
