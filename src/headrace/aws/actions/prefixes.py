"""The IAM prefix of the actions of each service that Headrace builds or will build, by botocore's name of it."""

from __future__ import annotations

from collections.abc import Mapping

PREFIXES: Mapping[str, str] = {
    "application-autoscaling": "application-autoscaling",
    "athena": "athena",
    "bedrock": "bedrock",
    "bedrock-runtime": "bedrock",
    "cloudtrail": "cloudtrail",
    "cloudwatch": "cloudwatch",
    "comprehend": "comprehend",
    "dynamodb": "dynamodb",
    "ecr": "ecr",
    "events": "events",
    "forecast": "forecast",
    "forecastquery": "forecast",
    "frauddetector": "frauddetector",
    "glue": "glue",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "personalize": "personalize",
    "personalize-events": "personalize",
    "personalize-runtime": "personalize",
    "polly": "polly",
    "rekognition": "rekognition",
    "resourcegroupstaggingapi": "tag",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "sagemaker-featurestore-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker",
    "sagemaker-runtime": "sagemaker",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "stepfunctions": "states",
    "sts": "sts",
    "textract": "textract",
    "transcribe": "transcribe",
    "translate": "translate",
}
"""A new service is one line here and `make actions`; what its names don't tell is declared in `declared/`."""
