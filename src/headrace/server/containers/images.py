"""Image URIs of AWS's registries: which built-in algorithm or framework they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

URI = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\."
    r"(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn|c2s\.ic\.gov|sc2s\.sgov\.gov"
    r"|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)"
    r"/(?P<repository>[a-z0-9]+(?:[._/-][a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@sha256:[0-9a-f]{64})?"
)
BUILT_IN = {
    "xgboost": "xgboost",
    "sagemaker-xgboost": "xgboost",
    "headrace": "headrace",
    "sagemaker-model-monitor-analyzer": "model-monitor",
    **{
        name: name
        for name in (
            "linear-learner",
            "knn",
            "kmeans",
            "pca",
            "randomcutforest",
            "factorization-machines",
            "lda",
            "ntm",
            "ipinsights",
            "forecasting-deepar",
            "blazingtext",
            "object2vec",
            "seq2seq",
            "image-classification",
            "object-detection",
            "semantic-segmentation",
        )
    },
}
FRAMEWORKS = {
    "sagemaker-xgboost": "xgboost",
    "sagemaker-scikit-learn": "scikit-learn",
    "sagemaker-sparkml-serving": "sparkml",
    "sagemaker-base-python": "python",
    "sagemaker-distribution-prod": "python",
    "sagemaker-tritonserver": "triton",
    "djl-inference": "djl",
}
FRAMEWORK_REPOSITORY = re.compile(
    r"(?:sagemaker-)?(?P<name>huggingface-(?:pytorch|tensorflow|vllm)|pytorch|tensorflow|mxnet|autogluon|chainer)"
    r"(?:-(?:tgi|trcomp|scriptmode|serving|training|inference|graviton|arm64|eia|neuronx?|py2|py3|cpu|gpu))*"
)
JUMPSTART_BUCKET = re.compile(r"s3://jumpstart-(?:private-)?cache-(?:prod|alpha|beta|gamma)[a-z0-9-]*/(?P<key>.+)")
JUMPSTART_ALGORITHM = re.compile(
    r"(?P<name>lightgbm|catboost|tabtransformer|autogluon)[a-z0-9/_.-]*?(?P<task>classification|regression)"
)


@dataclass(frozen=True)
class Image:
    """What an image URI says.

    `built_in` names AWS's own algorithm, `framework` what runs a user's script; sagemaker-xgboost is both, and the
    request tells which: it has a script or none. `tag` is empty where the URI has a digest or nothing.
    """

    repository: str
    tag: str
    region: str
    account: str
    built_in: str | None = None
    framework: str | None = None

    @property
    def version(self) -> str:
        """The version of the framework or algorithm at the start of the tag: "1.7-1", "2.1.0", "1"."""
        found = re.match(r"\d+(?:\.\d+)*(?:-\d+(?=$|-cpu|-gpu|-py))?", self.tag)
        return found[0] if found else ""


@dataclass(frozen=True)
class JumpStart:
    """An algorithm of JumpStart's: its name and its task, "classification" or "regression"."""

    name: str
    task: str


def resolve(uri: str) -> Image | None:
    """Return what the URI of an image means, in any region, account and tag; None where it is none of AWS's."""
    found = URI.fullmatch(uri)
    if not found:
        return None
    repository = found["repository"]
    built_in, framework = BUILT_IN.get(repository), FRAMEWORKS.get(repository)
    if framework is None and (named := FRAMEWORK_REPOSITORY.fullmatch(repository)):
        framework = named["name"]
    if built_in is None and framework is None:
        return None
    return Image(repository, found["tag"] or "", found["region"], found["account"], built_in, framework)


def resolve_jumpstart(uris: Iterable[str]) -> JumpStart | None:
    """Return the tabular algorithm that JumpStart's S3 URIs mean, or None.

    LightGBM and its like have no image of their own: they run in PyTorch's, and what tells them apart is the source
    (hyperparameter `sagemaker_submit_directory`, environment SAGEMAKER_SUBMIT_DIRECTORY) and the model artifact, both
    in JumpStart's buckets: `.../source-directory-tarballs/lightgbm/transfer_learning/classification/...`,
    `.../lightgbm-training/train-lightgbm-classification-model.tar.gz`.
    """
    for uri in uris:
        bucket = JUMPSTART_BUCKET.fullmatch(uri)
        named = JUMPSTART_ALGORITHM.search(bucket["key"]) if bucket else None
        if named:
            return JumpStart(named["name"], named["task"])
    return None
