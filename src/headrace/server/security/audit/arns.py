"""Reads of an ARN what kind of resource it names, in CloudFormation's words, and its name."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

SPELLED = {
    "iam": "IAM",
    "s3": "S3",
    "sts": "STS",
    "kms": "KMS",
    "sns": "SNS",
    "sqs": "SQS",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "sagemaker": "SageMaker",
    "mfa": "MFADevice",
    "frauddetector": "FraudDetector",
    "ecr": "ECR",
}


class Described(NamedTuple):
    """What an ARN names: `kind` is "AWS::IAM::Role"."""

    kind: str
    name: str


@lru_cache(maxsize=4096)
def described(arn: str) -> Described:
    """Return kind and name of the resource of an ARN; text that is no ARN is its own name."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return Described("", arn)
    service, resource = parts[2], parts[5]
    if service == "s3":
        bucket, slash, key = resource.partition("/")
        return Described("AWS::S3::Object", arn) if slash and key else Described("AWS::S3::Bucket", bucket)
    if service == "logs":
        group, _, stream = resource.removeprefix("log-group:").partition(":log-stream:")
        named = stream or group.removesuffix(":*")
        return Described("AWS::Logs::LogStream" if stream else "AWS::Logs::LogGroup", named)
    separator = "/" if "/" in resource else ":"
    kind, _, name = resource.partition(separator)
    return Described(f"AWS::{_spelled(service)}::{_spelled(kind)}", name.rpartition("/")[2] or resource)


def _spelled(word: str) -> str:
    return SPELLED.get(word) or "".join(part[:1].upper() + part[1:] for part in word.split("-"))
