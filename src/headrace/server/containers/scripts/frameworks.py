"""AWS's framework images: the packages that each stands for, and the release that a tag of it means here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Release = tuple[int, ...]


@dataclass(frozen=True)
class Framework:
    """What an image of AWS's is made of.

    `distributions` hold the framework itself, the smallest build first; `companions` are other packages that scripts
    find in AWS's images. `older` are bounds that releases before the first of the pair need to work at all, as they
    were built before their dependencies changed. `module` is what AWS's image says in SM_FRAMEWORK_MODULE. `build`
    is the local version that its wheels must have where they are large otherwise.
    """

    name: str
    title: str
    distributions: tuple[str, ...]
    companions: tuple[str, ...]
    module: str
    older: tuple[Release, tuple[str, ...]] = ((), ())
    build: str = ""


SCIENCE = ("numpy", "scipy", "pandas", "scikit-learn", "boto3", "requests")
FRAMEWORKS = {
    each.name: each
    for each in (
        Framework(
            "scikit-learn",
            "scikit-learn",
            ("scikit-learn",),
            SCIENCE,
            "sagemaker_sklearn_container.training:main",
            older=((1, 5), ("numpy<2", "scipy<1.12", "pandas<2.3")),
        ),
        Framework(
            "xgboost",
            "XGBoost",
            ("xgboost-cpu", "xgboost"),
            SCIENCE,
            "sagemaker_xgboost_container.training:main",
            older=((2, 1), ("numpy<2", "scipy<1.14", "pandas<2.3", "scikit-learn<1.6")),
        ),
        Framework(
            "pytorch",
            "PyTorch",
            ("torch",),
            SCIENCE,
            "sagemaker_pytorch_container.training:main",
            older=((2, 3), ("numpy<2", "scipy<1.14", "pandas<2.3")),
            build="cpu",
        ),
        Framework(
            "tensorflow",
            "TensorFlow",
            ("tensorflow-cpu", "tensorflow"),
            ("numpy", "pandas", "boto3", "requests"),
            "sagemaker_tensorflow_container.training:main",
        ),
        Framework("python", "Python", (), SCIENCE, ""),
    )
}


def release(version: str) -> Release:
    """Return the numbers of a version: (1, 4, 1) of "1.4.1.post1", (3, 0) of an image's "3.0-5".

    >>> release("1.4.1.post1"), release("3.0-5"), release("2.13.0+cpu")
    ((1, 4, 1), (3, 0), (2, 13, 0))
    """
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def nearest(wanted: str, available: Iterable[str]) -> str:
    """Return which of the available versions stands for the wanted one, or "" where there is none.

    That is the same release, else the last patch of the same minor version, else of the next minor version above it,
    else of the last one below. An empty `wanted` is the newest.

    >>> nearest("1.2-1", ["1.1.3", "1.2.0", "1.2.2", "1.10.0"]), nearest("0.23-1", ["1.1.2", "1.1.3", "1.2.0"])
    ('1.2.2', '1.1.3')
    >>> nearest("9.0", ["1.1.3", "1.2.0"]), nearest("", ["1.9.0", "1.10.0"]), nearest("1.0", [])
    ('1.2.0', '1.10.0', '')
    """
    final = [version for version in available if not re.search(r"\d(?:a|b|rc|\.dev)\d", version)]
    versions = sorted(final, key=release)
    if not versions or not wanted:
        return versions[-1] if versions else ""
    target = release(wanted)
    exact = [version for version in versions if release(version) == target and len(target) > 2]
    if exact:
        return exact[-1]
    minors = sorted({release(version)[:2] for version in versions})
    minor = next((each for each in minors if each >= target[:2]), minors[-1])
    return next(version for version in reversed(versions) if release(version)[:2] == minor)
