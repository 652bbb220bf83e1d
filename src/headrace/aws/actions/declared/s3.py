"""Amazon S3: most operations need actions of other names, on buckets, objects or one version of them."""

from collections.abc import Iterable

from headrace.aws.actions.declarations import Declared, Parameters, Rule
from headrace.server.operations.storage.names import copy_source, object_arn
from headrace.server.resources import Place

BUCKET = ("arn:{partition}:s3:::{bucket}",)
OBJECT = ("arn:{partition}:s3:::{bucket}/{key}",)


def _source(parameters: Parameters, place: Place) -> Iterable[str]:
    source = copy_source(parameters["copy_source"])
    return [] if source.version_id else [object_arn(place.partition, source.bucket, source.key)]


def _source_version(parameters: Parameters, place: Place) -> Iterable[str]:
    source = copy_source(parameters["copy_source"])
    return [object_arn(place.partition, source.bucket, source.key)] if source.version_id else []


def _tagged_bucket(parameters: Parameters, place: Place) -> Iterable[str]:
    """Return the new bucket when the request gives it tags."""
    configuration = parameters.get("create_bucket_configuration") or {}
    return [f"arn:{place.partition}:s3:::{parameters['bucket']}"] if configuration.get("tags") else []


def _versioned(action: str, version_action: str) -> tuple[Rule, ...]:
    return (
        Rule(f"s3:{action}", OBJECT, unless="version_id"),
        Rule(f"s3:{version_action}", OBJECT, when="version_id"),
    )


def _on_buckets(**operations: str) -> dict[str, tuple[Rule, ...]]:
    return {operation: (Rule(f"s3:{action}", BUCKET),) for operation, action in operations.items()}


_LISTS = ("acl", "grant_full_control", "grant_read", "grant_read_acp", "grant_write", "grant_write_acp")
_WRITTEN = (
    Rule("s3:PutObject", OBJECT),
    Rule("s3:PutObjectTagging", OBJECT, when="tagging"),
    *(Rule("s3:PutObjectAcl", OBJECT, when=member) for member in _LISTS),
    Rule("s3:PutObjectRetention", OBJECT, when="object_lock_mode"),
    Rule("s3:PutObjectLegalHold", OBJECT, when="object_lock_legal_hold_status"),
)
_COPIED = (
    Rule("s3:GetObject", _source, keys=False),
    Rule("s3:GetObjectVersion", _source_version, keys=False),
)

DECLARED = Declared(
    operations={
        "ListBuckets": (Rule("s3:ListAllMyBuckets", ("arn:{partition}:s3:::*",)),),
        "CreateBucket": (
            Rule("s3:CreateBucket", BUCKET),
            *(Rule("s3:PutBucketAcl", BUCKET, when=member) for member in _LISTS),
            Rule("s3:TagResource", _tagged_bucket),
            Rule("s3:PutBucketObjectLockConfiguration", BUCKET, when="object_lock_enabled_for_bucket"),
            Rule("s3:PutBucketVersioning", BUCKET, when="object_lock_enabled_for_bucket"),
            Rule("s3:PutBucketOwnershipControls", BUCKET, when="object_ownership"),
        ),
        "GetObject": _versioned("GetObject", "GetObjectVersion"),
        "HeadObject": _versioned("GetObject", "GetObjectVersion"),
        "GetObjectAttributes": (
            *_versioned("GetObject", "GetObjectVersion"),
            *_versioned("GetObjectAttributes", "GetObjectVersionAttributes"),
        ),
        "GetObjectAcl": _versioned("GetObjectAcl", "GetObjectVersionAcl"),
        "PutObjectAcl": _versioned("PutObjectAcl", "PutObjectVersionAcl"),
        "GetObjectTagging": _versioned("GetObjectTagging", "GetObjectVersionTagging"),
        "PutObjectTagging": _versioned("PutObjectTagging", "PutObjectVersionTagging"),
        "DeleteObjectTagging": _versioned("DeleteObjectTagging", "DeleteObjectVersionTagging"),
        "GetObjectTorrent": (Rule("s3:GetObjectTorrent", OBJECT),),
        "GetObjectRetention": (Rule("s3:GetObjectRetention", OBJECT),),
        "GetObjectLegalHold": (Rule("s3:GetObjectLegalHold", OBJECT),),
        "PutObjectLegalHold": (Rule("s3:PutObjectLegalHold", OBJECT),),
        "PutObjectRetention": (
            Rule("s3:PutObjectRetention", OBJECT),
            Rule("s3:BypassGovernanceRetention", OBJECT, when="bypass_governance_retention"),
        ),
        "RestoreObject": (Rule("s3:RestoreObject", OBJECT),),
        "SelectObjectContent": (Rule("s3:GetObject", OBJECT),),
        "DeleteObject": (
            *_versioned("DeleteObject", "DeleteObjectVersion"),
            Rule("s3:BypassGovernanceRetention", OBJECT, when="bypass_governance_retention"),
        ),
        "DeleteObjects": (),  # it asks for each key by itself, and answers for each
        "PutObject": _WRITTEN,
        "CreateMultipartUpload": _WRITTEN,
        "CopyObject": (*_COPIED, *_WRITTEN),
        "UploadPart": (Rule("s3:PutObject", OBJECT),),
        "UploadPartCopy": (*_COPIED, Rule("s3:PutObject", OBJECT)),
        "CompleteMultipartUpload": (Rule("s3:PutObject", OBJECT),),
        "AbortMultipartUpload": (Rule("s3:AbortMultipartUpload", OBJECT),),
        "ListParts": (Rule("s3:ListMultipartUploadParts", OBJECT),),
        "RenameObject": (Rule("s3:PutObject", OBJECT), Rule("s3:DeleteObject", OBJECT)),
        **_on_buckets(
            DeleteBucket="DeleteBucket",
            DeleteBucketAnalyticsConfiguration="PutAnalyticsConfiguration",
            DeleteBucketCors="PutBucketCORS",
            DeleteBucketEncryption="PutEncryptionConfiguration",
            DeleteBucketIntelligentTieringConfiguration="PutIntelligentTieringConfiguration",
            DeleteBucketInventoryConfiguration="PutInventoryConfiguration",
            DeleteBucketLifecycle="PutLifecycleConfiguration",
            DeleteBucketMetricsConfiguration="PutMetricsConfiguration",
            DeleteBucketOwnershipControls="PutBucketOwnershipControls",
            DeleteBucketPolicy="DeleteBucketPolicy",
            DeleteBucketReplication="PutReplicationConfiguration",
            DeleteBucketTagging="PutBucketTagging",
            DeleteBucketWebsite="DeleteBucketWebsite",
            DeletePublicAccessBlock="PutBucketPublicAccessBlock",
            GetBucketAccelerateConfiguration="GetAccelerateConfiguration",
            GetBucketAcl="GetBucketAcl",
            GetBucketAnalyticsConfiguration="GetAnalyticsConfiguration",
            GetBucketCors="GetBucketCORS",
            GetBucketEncryption="GetEncryptionConfiguration",
            GetBucketIntelligentTieringConfiguration="GetIntelligentTieringConfiguration",
            GetBucketInventoryConfiguration="GetInventoryConfiguration",
            GetBucketLifecycle="GetLifecycleConfiguration",
            GetBucketLifecycleConfiguration="GetLifecycleConfiguration",
            GetBucketLocation="GetBucketLocation",
            GetBucketLogging="GetBucketLogging",
            GetBucketMetricsConfiguration="GetMetricsConfiguration",
            GetBucketNotification="GetBucketNotification",
            GetBucketNotificationConfiguration="GetBucketNotification",
            GetBucketOwnershipControls="GetBucketOwnershipControls",
            GetBucketPolicy="GetBucketPolicy",
            GetBucketPolicyStatus="GetBucketPolicyStatus",
            GetBucketReplication="GetReplicationConfiguration",
            GetBucketRequestPayment="GetBucketRequestPayment",
            GetBucketTagging="GetBucketTagging",
            GetBucketVersioning="GetBucketVersioning",
            GetBucketWebsite="GetBucketWebsite",
            GetObjectLockConfiguration="GetBucketObjectLockConfiguration",
            GetPublicAccessBlock="GetBucketPublicAccessBlock",
            HeadBucket="ListBucket",
            ListBucketAnalyticsConfigurations="GetAnalyticsConfiguration",
            ListBucketIntelligentTieringConfigurations="GetIntelligentTieringConfiguration",
            ListBucketInventoryConfigurations="GetInventoryConfiguration",
            ListBucketMetricsConfigurations="GetMetricsConfiguration",
            ListMultipartUploads="ListBucketMultipartUploads",
            ListObjects="ListBucket",
            ListObjectsV2="ListBucket",
            ListObjectVersions="ListBucketVersions",
            PutBucketAccelerateConfiguration="PutAccelerateConfiguration",
            PutBucketAcl="PutBucketAcl",
            PutBucketAnalyticsConfiguration="PutAnalyticsConfiguration",
            PutBucketCors="PutBucketCORS",
            PutBucketEncryption="PutEncryptionConfiguration",
            PutBucketIntelligentTieringConfiguration="PutIntelligentTieringConfiguration",
            PutBucketInventoryConfiguration="PutInventoryConfiguration",
            PutBucketLifecycle="PutLifecycleConfiguration",
            PutBucketLifecycleConfiguration="PutLifecycleConfiguration",
            PutBucketLogging="PutBucketLogging",
            PutBucketMetricsConfiguration="PutMetricsConfiguration",
            PutBucketNotification="PutBucketNotification",
            PutBucketNotificationConfiguration="PutBucketNotification",
            PutBucketOwnershipControls="PutBucketOwnershipControls",
            PutBucketPolicy="PutBucketPolicy",
            PutBucketReplication="PutReplicationConfiguration",
            PutBucketRequestPayment="PutBucketRequestPayment",
            PutBucketTagging="PutBucketTagging",
            PutBucketVersioning="PutBucketVersioning",
            PutBucketWebsite="PutBucketWebsite",
            PutObjectLockConfiguration="PutBucketObjectLockConfiguration",
            PutPublicAccessBlock="PutBucketPublicAccessBlock",
        ),
    },
    keys={
        "s3:prefix": ("prefix",),
        "s3:delimiter": ("delimiter",),
        "s3:max-keys": ("max_keys",),
        "s3:versionid": ("version_id",),
        "s3:locationconstraint": ("create_bucket_configuration.location_constraint",),
        "s3:x-amz-acl": ("acl",),
        "s3:x-amz-copy-source": ("copy_source",),
        "s3:x-amz-grant-full-control": ("grant_full_control",),
        "s3:x-amz-grant-read": ("grant_read",),
        "s3:x-amz-grant-read-acp": ("grant_read_acp",),
        "s3:x-amz-grant-write": ("grant_write",),
        "s3:x-amz-grant-write-acp": ("grant_write_acp",),
        "s3:x-amz-metadata-directive": ("metadata_directive",),
        "s3:x-amz-object-ownership": ("object_ownership",),
        "s3:x-amz-server-side-encryption": ("server_side_encryption",),
        "s3:x-amz-server-side-encryption-aws-kms-key-id": ("ssekms_key_id",),
        "s3:x-amz-server-side-encryption-customer-algorithm": ("sse_customer_algorithm",),
        "s3:x-amz-storage-class": ("storage_class",),
        "s3:x-amz-website-redirect-location": ("website_redirect_location",),
        "s3:object-lock-mode": ("object_lock_mode", "retention.mode"),
        "s3:object-lock-retain-until-date": ("object_lock_retain_until_date", "retention.retain_until_date"),
        "s3:object-lock-legal-hold": ("object_lock_legal_hold_status", "legal_hold.status"),
        "s3:if-match": ("if_match",),
        "s3:if-none-match": ("if_none_match",),
    },
    writes=frozenset(("DeleteObjects",)),
    principal="s3.amazonaws.com",
)
