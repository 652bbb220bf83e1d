"""What an endpoint needs around it: the SDK's default bucket, and a role with the rights to read the model."""

from __future__ import annotations

import json
from typing import Any

from headrace.cli.deployment.clients import Clients

ROLE = "HeadraceExecutionRole"
POLICY = "HeadraceModels"
FIRST_REGION = "us-east-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def ensure_bucket(clients: Clients) -> str:
    """Return the bucket that SageMaker's SDK takes by default, made where it is absent."""
    from botocore.exceptions import ClientError

    bucket = f"sagemaker-{clients.region}-{clients.account}"
    try:
        clients.s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        where: dict[str, Any] = {}
        if clients.region != FIRST_REGION:
            where = {"CreateBucketConfiguration": {"LocationConstraint": clients.region}}
        clients.s3.create_bucket(Bucket=bucket, **where)
    return bucket


def ensure_role(clients: Clients) -> str:
    """Return the ARN of the role that endpoints of this command have, made where it is absent.

    SageMaker may assume it; it may read what the command uploads, and write logs, and nothing else.
    """
    try:
        return str(clients.iam.get_role(RoleName=ROLE)["Role"]["Arn"])
    except clients.iam.exceptions.NoSuchEntityException:
        made = clients.iam.create_role(
            RoleName=ROLE,
            AssumeRolePolicyDocument=json.dumps(TRUST),
            Description="What endpoints of headrace deploy may do",
        )
    clients.iam.put_role_policy(RoleName=ROLE, PolicyName=POLICY, PolicyDocument=json.dumps(_policy(clients)))
    return str(made["Role"]["Arn"])


def _policy(clients: Clients) -> dict[str, Any]:
    partition = clients.sts.get_caller_identity()["Arn"].split(":")[1]
    buckets = f"arn:{partition}:s3:::sagemaker-*-{clients.account}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{buckets}/headrace/*"},
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": buckets,
                "Condition": {"StringLike": {"s3:prefix": "headrace/*"}},
            },
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"arn:{partition}:logs:*:{clients.account}:log-group:/aws/sagemaker/*",
            },
        ],
    }
