"""S3's own errors, each made in one place; the members of `details` are named as S3 writes them."""

from __future__ import annotations

from email.utils import formatdate

from headrace.server.errors import Conflict, Denied, InvalidInput, NotFound, OperationError


def no_such_bucket(bucket: str) -> NotFound:
    """Return the error for a bucket that is not there."""
    return NotFound("The specified bucket does not exist", code="NoSuchBucket", details={"BucketName": bucket})


def no_such_key(key: str) -> NotFound:
    """Return the error for an object that is not there."""
    return NotFound("The specified key does not exist.", code="NoSuchKey", details={"Key": key})


def no_such_version(key: str, version: str) -> NotFound:
    """Return the error for a version that is not there."""
    return NotFound(
        "The specified version does not exist.", code="NoSuchVersion", details={"Key": key, "VersionId": version}
    )


def no_such_upload(upload_id: str) -> NotFound:
    """Return the error for a multipart upload that is not there."""
    return NotFound(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed.",
        code="NoSuchUpload",
        details={"UploadId": upload_id},
    )


def no_such_configuration(code: str, sentence: str, bucket: str) -> NotFound:
    """Return the error for a configuration that a bucket doesn't have."""
    return NotFound(sentence, code=code, details={"BucketName": bucket})


def denied(sentence: str = "Access Denied") -> Denied:
    """Return the error for what is not allowed."""
    return Denied(sentence, code="AccessDenied")


def invalid_argument(sentence: str, name: str = "", value: str | None = None) -> InvalidInput:
    """Return the error for a value that S3 doesn't take; `name` is that of the header or query parameter."""
    details = {"ArgumentName": name, "ArgumentValue": value} if name else {}
    return InvalidInput(
        sentence, code="InvalidArgument", details={key: each for key, each in details.items() if each is not None}
    )


def invalid_request(sentence: str) -> InvalidInput:
    """Return the error for a request that makes no sense as a whole."""
    return InvalidInput(sentence, code="InvalidRequest")


def malformed_xml() -> InvalidInput:
    """Return the error for a document whose parts don't fit its schema."""
    return InvalidInput(
        "The XML you provided was not well-formed or did not validate against our published schema",
        code="MalformedXML",
    )


def precondition_failed(condition: str) -> Conflict:
    """Return the error for a condition that does not hold; `condition` is the header that set it."""
    return Conflict(
        "At least one of the pre-conditions you specified did not hold",
        code="PreconditionFailed",
        status=412,
        details={"Condition": condition},
    )


def not_modified(etag: str, modified: int) -> OperationError:
    """Return the answer for an object that the caller has already; `modified` is in milliseconds."""
    return OperationError(
        "Not Modified",
        code="NotModified",
        status=304,
        details={"headers": {"ETag": f'"{etag}"', "Last-Modified": formatdate(modified / 1000, usegmt=True)}},
    )


def method_not_allowed(method: str, *, modified: int, version: str) -> OperationError:
    """Return the error for reading a delete marker by its version id."""
    return OperationError(
        "The specified method is not allowed against this resource.",
        code="MethodNotAllowed",
        status=405,
        details={
            "Method": method,
            "ResourceType": "DeleteMarker",
            "headers": {
                "x-amz-delete-marker": "true",
                "x-amz-version-id": version,
                "Last-Modified": formatdate(modified / 1000, usegmt=True),
                "Allow": "DELETE",
            },
        },
    )


def invalid_range(requested: str, size: int) -> OperationError:
    """Return the error for a range outside of the object."""
    return OperationError(
        "The requested range is not satisfiable",
        code="InvalidRange",
        status=416,
        details={"RangeRequested": requested, "ActualObjectSize": size},
    )
