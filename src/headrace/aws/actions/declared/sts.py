"""AWS STS: who asks who they are needs no permission; trust policies decide on federated sign-in."""

from headrace.aws.actions.declarations import Declared, Rule

DECLARED = Declared(
    operations={
        "GetCallerIdentity": (),
        "GetSessionToken": (),
        "AssumeRoleWithSAML": (),
        "AssumeRoleWithWebIdentity": (),
        "AssumeRole": (
            Rule("sts:AssumeRole", ("{role_arn}",)),
            Rule("sts:TagSession", ("{role_arn}",), when="tags"),
            Rule("sts:SetSourceIdentity", ("{role_arn}",), when="source_identity"),
        ),
        "GetFederationToken": (
            Rule("sts:GetFederationToken", ("arn:{partition}:sts::{account}:federated-user/{name}",)),
            Rule("sts:TagSession", ("arn:{partition}:sts::{account}:federated-user/{name}",), when="tags"),
        ),
        "GetAccessKeyInfo": (Rule("sts:GetAccessKeyInfo", ("*",)),),
        "DecodeAuthorizationMessage": (Rule("sts:DecodeAuthorizationMessage", ("*",)),),
    },
    keys={
        "sts:ExternalId": ("external_id",),
        "sts:RoleSessionName": ("role_session_name",),
        "sts:SourceIdentity": ("source_identity",),
        "sts:TransitiveTagKeys": ("transitive_tag_keys",),
        "sts:DurationSeconds": ("duration_seconds",),
    },
)
