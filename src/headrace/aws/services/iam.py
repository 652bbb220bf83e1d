"""AWS Identity and Access Management."""

from headrace.aws.services import Service
from headrace.server import errors
from headrace.server.operations.identity import (
    access_keys,
    account,
    attachments,
    authorization_details,
    credential_report,
    groups,
    inline_policies,
    instance_profiles,
    mfa,
    password_policy,
    passwords,
    policies,
    policy_versions,
    roles,
    service_linked_roles,
    simulation,
    tags,
    users,
)

SERVICE = Service(
    "iam",
    modules=(
        users,
        groups,
        roles,
        service_linked_roles,
        instance_profiles,
        policies,
        policy_versions,
        attachments,
        inline_policies,
        access_keys,
        passwords,
        password_policy,
        mfa,
        tags,
        simulation,
        authorization_details,
        credential_report,
        account,
    ),
    errors={
        errors.InvalidInput: "InvalidInput",
        errors.NotFound: "NoSuchEntity",
        errors.AlreadyExists: "EntityAlreadyExists",
        errors.InUse: "DeleteConflict",
        errors.Conflict: "ConcurrentModification",
        errors.LimitExceeded: "LimitExceeded",
        errors.Denied: "AccessDenied",
        errors.Unavailable: "ServiceFailure",
    },
)
