"""The variables and arguments by which AWS's framework images tell a training script of its job.

After "Environment variables" of SageMaker's training toolkit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from headrace.server.containers.hyperparameters import PREFIX_OF_CLIENTS, TUNING_OBJECTIVE
from headrace.server.containers.scripts.contract import Training

ROOT = "/opt/ml"
MODEL, CODE, DATA = f"{ROOT}/model", f"{ROOT}/code", f"{ROOT}/input/data"
HOST, GROUP, INTERFACE = "algo-1", "homogeneousCluster", "eth0"
LOG_LEVEL = 20


def decoded(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Return hyperparameters as the SDK meant them: it writes each as JSON; what is no JSON is a string.

    >>> decoded({"epochs": "3", "optimizer": "adam", "program": '"train.py"', "early": "true"})
    {'epochs': 3, 'optimizer': 'adam', 'program': 'train.py', 'early': True}
    """
    return {name: _decoded(value) for name, value in hyperparameters.items()}


def split(hyperparameters: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the script's own hyperparameters, and those with which clients and tuning jobs talk to the image."""
    values = decoded(hyperparameters)
    own = {
        name: value
        for name, value in values.items()
        if not name.startswith(PREFIX_OF_CLIENTS) and name != TUNING_OBJECTIVE
    }
    return own, {name: value for name, value in values.items() if name not in own}


def arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """Return hyperparameters as command-line arguments: in the order of their names, -x for names of one letter.

    >>> arguments({"epochs": 3, "a": True, "layers": {"x": 1, "b": 2}})
    ['-a', 'True', '--epochs', '3', '--layers', 'b=2,x=1']
    """
    words: list[str] = []
    for name, value in sorted(hyperparameters.items()):
        pairs = sorted(value.items()) if isinstance(value, dict) else ()
        words.append(f"--{name}" if len(name) > 1 else f"-{name}")
        words.append(",".join(f"{key}={each}" for key, each in pairs) if isinstance(value, dict) else str(value))
    return words


def resource_config(training: Training) -> dict[str, Any]:
    """Return what resourceconfig.json says: one host, as that is what there is."""
    group = {"instance_group_name": GROUP, "instance_type": training.instance_type, "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": training.instance_type,
        "current_group_name": GROUP,
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": INTERFACE,
    }


def variables(training: Training, inputs: Mapping[str, Any], module: str, program: str, place: str) -> dict[str, str]:
    """Return the SM_* variables of a training job.

    `inputs` is inputdataconfig.json's content, `module` the image's own, `program` the script's name, `place` where
    its source came from.
    """
    own, sagemaker = split(training.hyperparameters)
    resources = resource_config(training)
    folders = {channel: f"{DATA}/{channel}" for channel in sorted(training.channels)}
    name = program.removesuffix(".py")
    values: dict[str, Any] = {
        "HOSTS": [HOST],
        "NETWORK_INTERFACE_NAME": INTERFACE,
        "HPS": own,
        "USER_ENTRY_POINT": program,
        "FRAMEWORK_PARAMS": {},
        "RESOURCE_CONFIG": resources,
        "INPUT_DATA_CONFIG": inputs,
        "OUTPUT_DATA_DIR": f"{ROOT}/output/data",
        "CHANNELS": list(folders),
        "CURRENT_HOST": HOST,
        "CURRENT_INSTANCE_TYPE": training.instance_type,
        "CURRENT_INSTANCE_GROUP": GROUP,
        "CURRENT_INSTANCE_GROUP_HOSTS": [HOST],
        "INSTANCE_GROUPS": [GROUP],
        "INSTANCE_GROUPS_DICT": {GROUP: resources["instance_groups"][0]},
        "DISTRIBUTION_INSTANCE_GROUPS": [],
        "IS_HETERO": False,
        "MODULE_NAME": name,
        "LOG_LEVEL": sagemaker.get("sagemaker_container_log_level", LOG_LEVEL),
        "FRAMEWORK_MODULE": module,
        "INPUT_DIR": f"{ROOT}/input",
        "INPUT_CONFIG_DIR": f"{ROOT}/input/config",
        "OUTPUT_DIR": f"{ROOT}/output",
        "OUTPUT_INTERMEDIATE_DIR": f"{ROOT}/output/intermediate",
        "NUM_CPUS": os.cpu_count() or 1,
        "NUM_GPUS": 0,
        "NUM_NEURONS": 0,
        "MODEL_DIR": MODEL,
        "MODULE_DIR": place or CODE,
        "USER_ARGS": arguments(own),
        "MASTER_ADDR": HOST,
        "MASTER_PORT": 7777,
    }
    values |= {f"CHANNEL_{channel.upper()}": folder for channel, folder in folders.items()}
    values |= {f"HP_{key.upper()}": value for key, value in own.items()}
    values["TRAINING_ENV"] = _training_environment(training, values, folders)
    return {f"SM_{key}": value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _training_environment(training: Training, values: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, Any]:
    named = (
        "current_host", "current_instance_group", "current_instance_group_hosts", "current_instance_type",
        "distribution_instance_groups", "framework_module", "hosts", "input_config_dir", "input_data_config",
        "input_dir", "instance_groups", "instance_groups_dict", "is_hetero", "log_level", "model_dir", "module_dir",
        "module_name", "network_interface_name", "num_cpus", "num_gpus", "num_neurons", "output_data_dir", "output_dir",
        "output_intermediate_dir", "resource_config", "user_entry_point",
    )  # fmt: skip
    return {name: values[name.upper()] for name in named} | {
        "additional_framework_parameters": {},
        "channel_input_dirs": dict(folders),
        "hyperparameters": values["HPS"],
        "is_master": True,
        "is_modelparallel_enabled": None,
        "job_name": training.name,
        "master_hostname": HOST,
    }


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
