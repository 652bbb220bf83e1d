"""Amazon Fraud Detector: versions and rules are named by all that they belong to."""

from headrace.aws.actions.declarations import Declared

_ARN = "arn:${Partition}:frauddetector:${Region}:${Account}:"

DECLARED = Declared(
    parameters={
        "ModelId": ("model_id",),
        "ModelType": ("model_type",),
        "DetectorId": ("detector_id", "rule.detector_id"),
        "RuleId": ("rule_id", "rule.rule_id"),
        "RuleVersion": ("rule_version", "rule.rule_version"),
        "DetectorVersionId": ("detector_version_id",),
    },
    templates={
        "detector": f"{_ARN}detector/${{DetectorId}}",
        "detector-version": f"{_ARN}detector-version/${{DetectorId}}/${{DetectorVersionId}}",
        "external-model": f"{_ARN}external-model/${{ModelEndpoint}}",
        "model": f"{_ARN}model/${{ModelType}}/${{ModelId}}",
        "model-version": f"{_ARN}model-version/${{ModelType}}/${{ModelId}}/${{ModelVersionNumber}}",
        "rule": f"{_ARN}rule/${{DetectorId}}/${{RuleId}}/${{RuleVersion}}",
    },
)
