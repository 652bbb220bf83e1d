"""AWS IAM: entities are named without their path, and a call that names no user is about the caller."""

from collections.abc import Callable, Iterable

from headrace.aws.actions.declarations import Declared, Parameters, Rule
from headrace.server.resources import Place
from headrace.server.security.policy import Unresolved


def _user(parameters: Parameters, place: Place) -> Iterable[str]:
    """Return the user that the request names, or the caller's own."""
    name = parameters.get("user_name") or ""
    return [Unresolved(f"arn:{place.partition}:iam::{place.account}:user/{name or '*'}", "iam/user", name)]


def _passed(parameters: Parameters, place: Place) -> Iterable[str]:
    name = parameters["role_name"]
    return [Unresolved(f"arn:{place.partition}:iam::{place.account}:role/{name}", "iam/role", name)]


def _renamed(kind: str) -> Callable[[Parameters, Place], Iterable[str]]:
    """Return what finds an entity under its present name and under the one that it is to have."""

    def found(parameters: Parameters, place: Place) -> Iterable[str]:
        name = parameters[f"{kind}_name"]
        entities = f"arn:{place.partition}:iam::{place.account}:{kind}"
        target = f"{parameters.get('new_path') or '/'}{parameters.get(f'new_{kind}_name') or name}"
        return [Unresolved(f"{entities}/{name}", f"iam/{kind}", name), f"{entities}{target}"]

    return found


_TAGGED = ("User", "Role", "Policy", "InstanceProfile")
_DEVICE = "arn:{partition}:iam::{account}:mfa/{virtual_mfa_device_name}"
_OF_A_USER = (
    "ChangePassword", "CreateAccessKey", "CreateLoginProfile", "DeactivateMFADevice", "DeleteAccessKey",
    "DeleteLoginProfile", "DeleteSigningCertificate", "GetLoginProfile", "GetUser", "ListAccessKeys",
    "ListServiceSpecificCredentials", "ListSigningCertificates", "ListSSHPublicKeys", "UpdateAccessKey",
    "UpdateSigningCertificate", "UploadSigningCertificate",
)  # fmt: skip

DECLARED = Declared(
    operations={
        **{name: (Rule(f"iam:{name}", _user),) for name in _OF_A_USER},
        "AddRoleToInstanceProfile": (
            Rule("iam:AddRoleToInstanceProfile"),
            Rule("iam:PassRole", _passed, keys=False, given={"iam:PassedToService": ("ec2.amazonaws.com",)}),
        ),
        **{f"Create{kind}": (Rule(f"iam:Create{kind}"), Rule(f"iam:Tag{kind}", when="tags")) for kind in _TAGGED},
        "CreateVirtualMFADevice": (
            Rule("iam:CreateVirtualMFADevice", (_DEVICE,)),
            Rule("iam:TagMFADevice", (_DEVICE,), when="tags"),
        ),
        "EnableMFADevice": (Rule("iam:EnableMFADevice", _user),),
        "ListMFADevices": (Rule("iam:ListMFADevices", _user),),
        "ResyncMFADevice": (Rule("iam:ResyncMFADevice", _user),),
        "CreateServiceLinkedRole": (
            Rule(
                "iam:CreateServiceLinkedRole",
                ("arn:{partition}:iam::{account}:role/aws-service-role/{aws_service_name}/*",),
            ),
        ),
        "DeleteServiceLinkedRole": (
            Rule(
                "iam:DeleteServiceLinkedRole", ("arn:{partition}:iam::{account}:role/aws-service-role/*/{role_name}",)
            ),
        ),
        "SimulateCustomPolicy": (Rule("iam:SimulateCustomPolicy", ("*",)),),
        "SimulatePrincipalPolicy": (Rule("iam:SimulatePrincipalPolicy", ("{policy_source_arn}",)),),
        "UpdateGroup": (Rule("iam:UpdateGroup", _renamed("group")),),
        "UpdateUser": (Rule("iam:UpdateUser", _renamed("user")),),
        "ListPoliciesGrantingServiceAccess": (Rule("iam:ListPoliciesGrantingServiceAccess", ("{arn}",)),),
        "GetAccessKeyLastUsed": (Rule("iam:GetAccessKeyLastUsed", ("*",)),),
        "GenerateServiceLastAccessedDetails": (Rule("iam:GenerateServiceLastAccessedDetails", ("{arn}",)),),
        "CreateSAMLProvider": (
            Rule("iam:CreateSAMLProvider", ("arn:{partition}:iam::{account}:saml-provider/{name}",)),
        ),
    },
    parameters={
        "RoleNameWithPath": ("role_name",),
        "UserNameWithPath": ("user_name",),
        "GroupNameWithPath": ("group_name",),
        "PolicyNameWithPath": ("policy_name",),
        "InstanceProfileNameWithPath": ("instance_profile_name",),
        "CertificateNameWithPath": ("server_certificate_name",),
        "MfaTokenIdWithPath": ("serial_number",),
    },
    stored={
        "role": "iam/role",
        "user": "iam/user",
        "group": "iam/group",
        "instance-profile": "iam/instance-profile",
        "server-certificate": "iam/server-certificate",
        "mfa": "iam/mfa",
        "policy": "iam/policy",
    },
    keys={
        "iam:PolicyARN": ("policy_arn",),
        "iam:PermissionsBoundary": ("permissions_boundary",),
        "iam:AWSServiceName": ("aws_service_name",),
    },
    writes=frozenset(
        ("GenerateCredentialReport", "GenerateServiceLastAccessedDetails", "GenerateOrganizationsAccessReport")
    ),
)
