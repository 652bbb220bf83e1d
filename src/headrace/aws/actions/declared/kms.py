"""AWS KMS: keys are named by ID, ARN or alias; re-encryption needs leave on both keys."""

from collections.abc import Callable, Iterable

from headrace.aws.actions.declarations import Declared, Parameters, Rule
from headrace.server.resources import Place
from headrace.server.security.policy import Unresolved


def _key(member: str) -> Callable[[Parameters, Place], Iterable[str]]:
    """Return what finds the key that a parameter names; a ciphertext names its key itself, which only KMS can read."""

    def found(parameters: Parameters, place: Place) -> Iterable[str]:
        name = parameters.get(member) or "*"
        keys = f"arn:{place.partition}:kms:{place.region}:{place.account}:"
        if ":alias/" in name or name.startswith("alias/"):
            alias = name.rpartition(":")[2]
            return [Unresolved(name if name.startswith("arn:") else keys + alias, "kms/alias", alias)]
        return [name if name.startswith("arn:") else f"{keys}key/{name}"]

    return found


_BY_KEY = (
    "CancelKeyDeletion", "CreateGrant", "Decrypt", "DeleteImportedKeyMaterial", "DeriveSharedSecret", "DescribeKey",
    "DisableKey", "DisableKeyRotation", "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac",
    "GetKeyPolicy", "GetKeyRotationStatus", "GetParametersForImport", "GetPublicKey", "ImportKeyMaterial", "ListGrants",
    "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "ReplicateKey", "RevokeGrant",
    "RotateKeyOnDemand", "ScheduleKeyDeletion", "Sign", "TagResource", "UntagResource", "UpdateKeyDescription",
    "UpdatePrimaryRegion", "Verify", "VerifyMac",
)  # fmt: skip
_ALIAS = ("arn:{partition}:kms:{region}:{account}:{alias_name}",)

DECLARED = Declared(
    operations={
        **{name: (Rule(f"kms:{name}", _key("key_id")),) for name in _BY_KEY},
        "ReEncrypt": (
            Rule("kms:ReEncryptFrom", _key("source_key_id")),
            Rule("kms:ReEncryptTo", _key("destination_key_id")),
        ),
        "CreateAlias": (Rule("kms:CreateAlias", _ALIAS), Rule("kms:CreateAlias", _key("target_key_id"))),
        "UpdateAlias": (Rule("kms:UpdateAlias", _ALIAS), Rule("kms:UpdateAlias", _key("target_key_id"))),
        "DeleteAlias": (Rule("kms:DeleteAlias", _ALIAS), Rule("kms:DeleteAlias", _key("alias_name"))),
        "ListAliases": (Rule("kms:ListAliases", ("*",)),),
    },
    keys={
        "kms:EncryptionAlgorithm": ("encryption_algorithm",),
        "kms:SigningAlgorithm": ("signing_algorithm",),
        "kms:MessageType": ("message_type",),
        "kms:MacAlgorithm": ("mac_algorithm",),
        "kms:GranteePrincipal": ("grantee_principal",),
        "kms:GrantOperations": ("operations[]",),
        "kms:KeySpec": ("key_spec",),
        "kms:KeyUsage": ("key_usage",),
        "kms:DataKeyPairSpec": ("key_pair_spec",),
        "kms:ScheduleKeyDeletionPendingWindowInDays": ("pending_window_in_days",),
        "kms:BypassPolicyLockoutSafetyCheck": ("bypass_policy_lockout_safety_check",),
    },
)
