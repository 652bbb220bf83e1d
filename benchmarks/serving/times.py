"""From CreateTrainingJob to Completed, from CreateEndpoint to InService, and the memory of an endpoint of many models."""

from __future__ import annotations

import argparse
import io
import os
import tarfile
import time
from statistics import median

import numpy as np
import psutil
import xgboost
from benchmarks.server.rows import keep, say, work_folder
from benchmarks.server.servers import Server, running
from benchmarks.serving.account import BUCKET, XGBOOST, Account, abalone, libsvm

MIB = 1 << 20
PARAMETERS = {"objective": "reg:squarederror", "max_depth": 5, "eta": 0.2, "subsample": 0.7, "seed": 0}
ROUNDS = 50


def training(account: Account, times: int) -> tuple[list[float], float, str]:
    """Train XGBoost on abalone's shape; return seconds of each job, how far its RMSE is from the library's, a model."""
    rows, rings = abalone()
    cut = len(rows) * 7 // 10
    account.upload("abalone/train/data.libsvm", libsvm(rows[:cut], rings[:cut]))
    account.upload("abalone/validation/data.libsvm", libsvm(rows[cut:], rings[cut:]))
    kind = "text/libsvm"
    channels = {name: (f"s3://{BUCKET}/abalone/{name}/", kind) for name in ("train", "validation")}
    seconds, model = [], ""
    for number in range(times):
        given = {**PARAMETERS, "num_round": ROUNDS}
        model, took = account.train(f"abalone-{number}", XGBOOST, channels, given)
        seconds.append(took)
        say(f"abalone-{number}: {took:.2f} s")
    return seconds, abs(_rmse_of(account, model, rows[cut:], rings[cut:]) - _direct(rows, rings, cut)), model


def archived(account: Account, uri: str) -> bytes:
    """Return the bytes of a model.tar.gz."""
    content: bytes = account.s3.get_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    return content


def _rmse_of(account: Account, uri: str, rows: np.ndarray, rings: np.ndarray) -> float:
    """Return the RMSE of the model that a job left."""
    with tarfile.open(fileobj=io.BytesIO(archived(account, uri))) as files, files.extractfile("xgboost-model") as file:
        booster = xgboost.Booster(model_file=bytearray(file.read()))
    return _rmse(booster.predict(_matrix(rows, rings)), rings)


def _direct(rows: np.ndarray, rings: np.ndarray, cut: int) -> float:
    """Return the RMSE of the package called directly with the same parameters."""
    booster = xgboost.train({**PARAMETERS, "eval_metric": "rmse"}, _matrix(rows[:cut], rings[:cut]), ROUNDS)
    return _rmse(booster.predict(_matrix(rows[cut:], rings[cut:])), rings[cut:])


def _matrix(rows: np.ndarray, rings: np.ndarray) -> xgboost.DMatrix:
    """Return rows as libsvm text has them: to nine digits, in places that are counted from 1."""
    values = np.full((len(rows), rows.shape[1] + 1), np.nan, np.float32)
    values[:, 1:] = [[float(f"{value:.9g}") for value in row] for row in rows.tolist()]
    return xgboost.DMatrix(values, label=rings)


def _rmse(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((predicted.astype(np.float64) - truth) ** 2)))


def many_models(account: Account, server: Server, count: int, model: bytes) -> dict[str, float]:
    """Ask `count` models of one multi-model endpoint; return the memory of its process and of all of the server's."""
    for number in range(count):
        account.upload(f"many/{number}.tar.gz", model)
    container = {"Image": XGBOOST, "ModelDataUrl": f"s3://{BUCKET}/many/", "Mode": "MultiModel"}
    account.deploy("many", container)
    row = libsvm(*(part[:1] for part in abalone())).strip()
    for _ in range(2):
        for number in range(count):
            account.runtime.invoke_endpoint(
                EndpointName="many", ContentType="text/libsvm", Body=row, TargetModel=f"{number}.tar.gz"
            )
    return {"models": count, "worker_mib": _workers(server), "server_mib": _share(server.process)}


def _workers(server: Server) -> float:
    children = server.process.children(recursive=True)
    return sum(_share(each) for each in children if "headrace.server.model_server.host" in each.cmdline())


def _share(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss) / MIB


def main() -> None:
    """Measure, print, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--models", type=int, default=50)
    arguments = parser.parse_args()
    with work_folder() as folder, running("headrace", folder) as server:
        account = Account(server)
        trained, difference, model = training(account, arguments.times)
        deployed = []
        for number in range(arguments.times):
            name = f"abalone-{number}"
            deployed.append(account.deploy(name, {"Image": XGBOOST, "ModelDataUrl": model}))
            account.sagemaker.delete_endpoint(EndpointName=name)
            say(f"{name} in service after {deployed[-1]:.2f} s")
        while any(each["EndpointStatus"] == "Deleting" for each in account.sagemaker.list_endpoints()["Endpoints"]):
            time.sleep(0.1)
        many = many_models(account, server, arguments.models, archived(account, model))
    facts = {
        "training_s": median(trained),
        "endpoint_s": median(deployed),
        "rmse_difference": difference,
        **many,
        "load": os.getloadavg()[0],
    }
    say(", ".join(f"{name} {value:.3g}" for name, value in facts.items()))
    keep("times", facts)


if __name__ == "__main__":
    main()
