"""XGBoost's models at serving: compiled to ONNX where the trees allow it, by the library elsewhere; no pickle."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headrace.ml.adapters.links import IDENTITY, SIGMOID, SOFTMAX
from headrace.ml.adapters.threads import import_library
from headrace.ml.adapters.xgboost_trees import learner_form
from headrace.server.containers.algorithms.xgboost.soundness import check_booster
from headrace.server.containers.algorithms.xgboost.ubjson import read_ubjson
from headrace.server.containers.compiled import compiled
from headrace.server.containers.contract import ClientError, Floats

LINKS: Mapping[str, str] = {
    "reg:squarederror": IDENTITY,
    "reg:linear": IDENTITY,
    "reg:pseudohubererror": IDENTITY,
    "reg:squaredlogerror": IDENTITY,
    "reg:absoluteerror": IDENTITY,
    "rank:pairwise": IDENTITY,
    "rank:ndcg": IDENTITY,
    "rank:map": IDENTITY,
    "reg:logistic": SIGMOID,
    "binary:logistic": SIGMOID,
    "multi:softprob": SOFTMAX,
}
"""How sums of trees become answers, by objective; models of the other objectives are run by the library."""
WITHOUT = ("sklearn",)
"""What XGBoost would load for interfaces that are not used here."""
PICKLES = (b"\x80", b"(", b"c")
"""How a pickle of any protocol can begin."""

Predict = Callable[[Floats], Floats]


class Booster:
    """One model: its objective, the columns it reads, and `predict`, which is safe from several threads.

    `predict` takes float32 features [rows, columns] and returns [rows] or [rows, classes].
    """

    def __init__(self, content: bytes, source: str) -> None:
        """Read the library's JSON or UBJSON model; raises ClientError on anything else, a pickle above all."""
        if content[:1] in PICKLES:
            raise ClientError(
                f"{source} is a pickle, which may run any code when it is read; save the model with "
                "Booster.save_model (JSON or UBJSON) and upload that"
            )
        try:
            learner = _read(content)
            attributes = learner["learner_model_param"]
            self.objective = str(learner["objective"]["name"])
            self.width = int(attributes["num_feature"])
            self.classes = int(attributes["num_class"])
            kind = learner["gradient_booster"]["name"]
            targets = int(attributes.get("num_target", 1))
            check_booster(learner["gradient_booster"], self.width, max(self.classes, targets, 1))
            graph = self._compiled(learner) if kind == "gbtree" and targets == 1 else None
            self.predict = graph or _by_library(_booster(content), by_matrix=kind == "gblinear")
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise ClientError(
                f"{source} cannot be loaded as a model of XGBoost ({type(error).__name__}: {error}); "
                "save it with Booster.save_model and upload that"
            ) from error

    def _compiled(self, learner: Mapping[str, Any]) -> Predict | None:
        """Return the ONNX graph's predict, or None where the trees can't be written as one."""
        link = LINKS.get(self.objective)
        trees = learner["gradient_booster"]["model"]["trees"]
        if link is None or any(len(tree["categories_nodes"]) or _vector_leaves(tree) for tree in trees):
            return None
        run = compiled(learner_form(learner, link), self.width)
        if link == SOFTMAX:
            return run
        answer = 1 if link == SIGMOID else 0
        return lambda rows: run(rows)[:, answer]


def _vector_leaves(tree: Mapping[str, Any]) -> bool:
    return int(tree["tree_param"].get("size_leaf_vector", 1)) > 1


def _by_library(booster: Any, *, by_matrix: bool) -> Predict:
    """Return the library's own predict; `by_matrix` for a linear booster, which lets in one caller at a time."""
    booster.set_param({"nthread": 1})
    if not by_matrix:
        return lambda rows: np.asarray(booster.inplace_predict(rows, missing=np.nan), np.float32)
    xgboost, lock = import_library("xgboost", without=WITHOUT), threading.Lock()

    def predict(rows: Floats) -> Floats:
        with lock:
            return np.asarray(booster.predict(xgboost.DMatrix(rows, nthread=1)), np.float32)

    return predict


def _read(content: bytes) -> dict[str, Any]:
    """Return the learner of a model in JSON or UBJSON."""
    model = json.loads(content) if content[:2] == b'{"' else read_ubjson(content)
    learner: dict[str, Any] = model["learner"]
    return learner


def _booster(content: bytes) -> Any:
    xgboost = import_library("xgboost", without=WITHOUT)
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    return booster


def load_boosters(folder: Path) -> list[Booster]:
    """Return the models of an archive, which may be several (an ensemble); raises ClientError where there is none."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not paths:
        raise ClientError("the model archive holds no file; it must hold xgboost-model at its top")
    return [Booster(path.read_bytes(), path.name) for path in paths]
