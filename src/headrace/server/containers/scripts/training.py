"""How a training job's script is started: the /opt/ml that it finds, its variables and its environment."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headrace.server.containers.images import resolve
from headrace.server.containers.scripts import engine, installing
from headrace.server.containers.scripts.contract import Program, ScriptFailed, Training
from headrace.server.containers.scripts.environments import Environment, layer, prepare
from headrace.server.containers.scripts.requirements import layered
from headrace.server.containers.scripts.starting import start, values_of
from headrace.server.containers.scripts.variables import CODE, ROOT, resource_config, split, variables
from headrace.server.sandbox import Folder

FOLDERS = ("input/config", "input/data", "model", "output/data", "output/intermediate", "code", "checkpoints")
LAYER = ".environment"


def training_program(training: Training, *, environments: Path, log: Callable[[str], None]) -> Program:
    """Return how to start the script of a training job, after making what it finds in its root and its environment.

    `environments` is the folder of all environments, which outlive jobs. Raises ScriptFailed.
    """
    inputs = _lay_out(training)
    if resolve(training.image) is None:
        return engine.training_program(training)
    sagemaker = split(training.hyperparameters)[1]
    named = values_of({**training.environment, **training.hyperparameters})
    program, place = named("program"), named("submit_directory")
    if not program and not training.entrypoint:
        raise ScriptFailed(
            f"image {training.image} runs a script, and the job names none: set the hyperparameters sagemaker_program "
            "and sagemaker_submit_directory, or AlgorithmSpecification.ContainerEntrypoint"
        )
    environment = prepare(training.image, environments, log)
    below, install = _with_requirements(training, environment, environments, log)
    own = _fresh_layer(training.root / LAYER, below)
    variables_ = variables(training, inputs, environment.framework.module, program, place)
    variables_ |= {"TRAINING_JOB_NAME": training.name, "TRAINING_JOB_ARN": training.arn}
    settings: dict[str, Any] = {"failure": f"{ROOT}/output/failure"}
    if training.entrypoint:
        settings["command"] = [*training.entrypoint, *training.arguments]
    else:
        settings |= {"program": program, "code": CODE, "install": install}
        settings["arguments"] = json.loads(variables_["SM_USER_ARGS"])
        if place.startswith("/"):
            settings["source"] = place
    pip, folders = installing.shown(environment.python)
    region = str(sagemaker.get("sagemaker_region") or training.region)
    return start(
        "train",
        settings,
        python=f"{ROOT}/{LAYER}/bin/python",
        environment={**pip, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, **training.credentials, **variables_},
        given=training.environment,
        folders=(
            Folder(training.root, at=ROOT, writable=True),
            *training.shown,
            *(Folder(path.parents[2]) for path in own.below),
            *map(Folder, folders if training.network else ()),
        ),
        network=training.network,
    )


def _with_requirements(
    training: Training, environment: Environment, environments: Path, log: Callable[[str], None]
) -> tuple[Environment, bool]:
    """Return what the job's own environment is layered on, and whether packages are left to install in the sandbox."""
    path = training.source / "requirements.txt" if training.source else None
    if path is None or not path.is_file():
        return environment, False
    made = layered(path, environment, environments, log, network=training.network)
    return made or environment, made is None


def _fresh_layer(folder: Path, on: Environment) -> Environment:
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    return layer(folder, on)


def _lay_out(training: Training) -> Mapping[str, Any]:
    """Make the folders and files that a script finds in /opt/ml; return the content of inputdataconfig.json."""
    for name in FOLDERS:
        (training.root / name).mkdir(parents=True, exist_ok=True)
    if training.source and training.source != training.root / "code":
        shutil.copytree(training.source, training.root / "code", dirs_exist_ok=True)
    configuration = training.root / "input" / "config"
    inputs = configuration / "inputdataconfig.json"
    if not inputs.exists():
        channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        inputs.write_text(json.dumps(dict.fromkeys(training.channels, channel)))
    (configuration / "hyperparameters.json").write_text(json.dumps(dict(training.hyperparameters)))
    (configuration / "resourceconfig.json").write_text(json.dumps(resource_config(training)))
    content: Mapping[str, Any] = json.loads(inputs.read_text())
    return content


def source_uri(hyperparameters: Mapping[str, str]) -> str:
    """Return the S3 URI of a script's source, or "" where there is none.

    `hyperparameters` may also be a model's environment variables, which say SAGEMAKER_SUBMIT_DIRECTORY.
    """
    place = values_of(hyperparameters)("submit_directory")
    return place if place.startswith("s3://") else ""


def is_script(image_uri: str, variables: Mapping[str, str]) -> bool:
    """Tell whether a user's code runs in an image: a framework's with a script, or a user's own image.

    `variables` are a job's hyperparameters or a container's environment; they tell for images that are both a built-in
    algorithm and a framework.
    """
    image = resolve(image_uri)
    if image is None:
        return True
    if image.built_in and image.framework:
        named = values_of(variables)
        return bool(named("program") or named("submit_directory"))
    return image.framework is not None
