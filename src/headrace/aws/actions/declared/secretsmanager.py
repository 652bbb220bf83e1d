"""AWS Secrets Manager: a secret's ARN ends in six letters that its name doesn't tell."""

from headrace.aws.actions.declarations import Declared

DECLARED = Declared(
    parameters={"SecretId": ("secret_id", "name")},
    stored={"Secret": "secretsmanager/secret"},
    keys={
        "secretsmanager:Name": ("name",),
        "secretsmanager:SecretId": ("secret_id",),
        "secretsmanager:Description": ("description",),
        "secretsmanager:KmsKeyId": ("kms_key_id",),
        "secretsmanager:VersionId": ("version_id",),
        "secretsmanager:VersionStage": ("version_stage",),
        "secretsmanager:RotationLambdaARN": ("rotation_lambda_arn",),
        "secretsmanager:RecoveryWindowInDays": ("recovery_window_in_days",),
        "secretsmanager:ForceDeleteWithoutRecovery": ("force_delete_without_recovery",),
        "secretsmanager:BlockPublicPolicy": ("block_public_policy",),
    },
)
