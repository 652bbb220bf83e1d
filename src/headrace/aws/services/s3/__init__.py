"""Amazon S3: its operations, its codes, and what its answers have that its model does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from headrace.aws.services import Service
from headrace.aws.services.s3.forms import form_answer
from headrace.server.errors import InvalidInput
from headrace.server.messages import Request, Response
from headrace.server.operations.storage import (
    access_control,
    attributes,
    buckets,
    checksums,
    completion,
    configuration,
    copying,
    cross_origin,
    deletion,
    encryption,
    lifecycle,
    listing,
    multipart,
    object_lock,
    objects,
    policies,
    tags,
    version_listing,
)
from headrace.server.operations.storage.names import bucket_arn

DATA_EVENTS = frozenset(
    (
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObject",
        "DeleteObjects", "DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectAttributes",
        "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging", "HeadObject", "ListMultipartUploads",
        "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListParts", "PutObject", "PutObjectAcl",
        "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "UploadPart", "UploadPartCopy",
    )
)  # fmt: skip

ANONYMOUS = (DATA_EVENTS - {"DeleteObjects"}) | {
    "GetBucketAcl", "GetBucketCors", "GetBucketLocation", "GetBucketPolicyStatus", "HeadBucket", "PutBucketAcl",
}  # fmt: skip
"""What unsigned callers may try: a policy or an access list must allow it."""


def digests(operation: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the digest that S3 keeps of a body: the one asked for, else its default."""
    wanted = checksums.wanted(parameters.get("checksum_algorithm"))
    return (*wanted, checksums.DEFAULT) if operation == "UploadPart" else wanted


def prepare(operation: str, request: Request, parameters: dict[str, Any]) -> dict[str, Any]:
    """Refuse headers that make no sense for an operation, and that its model does not have."""
    if operation in ("GetObject", "HeadObject") and "x-amz-server-side-encryption" in request.header:
        raise InvalidInput(
            "x-amz-server-side-encryption header is not supported for this operation.", code="InvalidArgument"
        )
    return parameters


def finish(
    operation: str, request: Request, parameters: Mapping[str, Any], answer: Mapping[str, Any], response: Response
) -> Response:
    """Give an answer the status and headers that S3's have beyond the model."""
    del parameters
    form = request.notes.get("form")
    if form is not None:
        return form_answer(form, answer, response)
    if operation in ("GetObject", "HeadObject") and "content_range" in answer:
        response.status = 206
    if operation == "PutBucketPolicy":
        response.status = 204
    if operation == "GetBucketPolicy":
        response.headers["Content-Type"] = "application/json"
    return response


def cross_origin_headers(connection: Connection, request: Request, labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers that let a page of another origin read an answer about a bucket."""
    if request.method == "OPTIONS":
        return {}
    method = request.header.get("access-control-request-method") or request.method
    arn = bucket_arn("aws", labels.get("Bucket", ""))
    return cross_origin.headers_for_origin(connection, arn, request.header["origin"], method)


SERVICE = Service(
    "s3",
    modules=(
        objects,
        listing,
        deletion,
        copying,
        multipart,
        completion,
        buckets,
        version_listing,
        attributes,
        tags,
        object_lock,
        access_control,
        policies,
        encryption,
        lifecycle,
        cross_origin,
        configuration,
    ),
    data_events=DATA_EVENTS,
    anonymous=ANONYMOUS,
    prepare=prepare,
    digests=digests,
    finish=finish,
    cross_origin=cross_origin_headers,
)
