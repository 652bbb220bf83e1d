"""What the rest of the platform is told of changes of model packages."""

from __future__ import annotations

from headrace.server import events
from headrace.server.context import Context
from headrace.server.resources import Stored

_TOLD = {
    "model_package_name": "ModelPackageName",
    "model_package_group_name": "ModelPackageGroupName",
    "model_package_version": "ModelPackageVersion",
    "model_package_description": "ModelPackageDescription",
    "model_approval_status": "ModelApprovalStatus",
    "approval_description": "ApprovalDescription",
    "certify_for_marketplace": "CertifyForMarketplace",
    "customer_metadata_properties": "CustomerMetadataProperties",
}


def tell(context: Context, stored: Stored, *, status: str = "") -> None:
    """Append the event of a new, changed or deleted package. AWS page: EventBridge events from SageMaker AI."""
    detail = {
        **{told: stored.record[name] for name, told in _TOLD.items() if name in stored.record},
        "ModelPackageArn": stored.arn,
        "ModelPackageStatus": status or stored.state,
        "CreationTime": stored.created,
        "LastModifiedTime": context.now,
    }
    kind = "SageMaker Model Package State Change"
    place = context.place
    event = events.Event(kind, "aws.sagemaker", place.account, place.region, stored.arn, context.now, detail)
    events.append(context.connection, event)
