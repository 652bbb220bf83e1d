"""DeepAR forecasting: one network for many series, by Headrace's own network in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.networks.deepar import Network, Schedule, Settings, draw_paths, train
from headrace.ml.applications.forecasting.models.networks.deepar.network import lags_of
from headrace.ml.applications.forecasting.models.networks.sequences import Cutter
from headrace.ml.errors import HeadraceError
from headrace.server.containers.algorithms.deepar.hyperparameters import HYPERPARAMETERS, IGNORE
from headrace.server.containers.algorithms.deepar.records import Record, check_alike, read_records, sequences_of
from headrace.server.containers.algorithms.deepar.serving import (
    CONFIGURATION_VARIABLE,
    Configuration,
    DeepArPredictor,
    check_domain,
)
from headrace.server.containers.artifacts import ARRAYS, load_facts, load_model, save_model
from headrace.server.containers.contract import BuiltIn, ChannelRule, ClientError, Metric, TrainingRun
from headrace.server.containers.formats.media_types import JSON, JSON_LINES, PARQUET
from headrace.server.containers.hyperparameters import Parameter
from headrace.server.containers.logs import LOSS, PROGRESS, progress_line, quality_line, quality_metric

TYPES = (JSON_LINES, JSON, PARQUET, "json", "json.gz")
LEAST_BATCHES, MOST_BATCHES = 10, 5_000


class DeepAR(BuiltIn):
    """The image `forecasting-deepar`."""

    name, title = "forecasting-deepar", "DeepAR forecasting"
    repositories: ClassVar[tuple[str, ...]] = ("forecasting-deepar",)
    hyperparameters: ClassVar[Mapping[str, Parameter]] = HYPERPARAMETERS
    channels: ClassVar[Mapping[str, ChannelRule]] = {
        "train": ChannelRule(True, TYPES),
        "test": ChannelRule(False, TYPES),
    }
    metrics: ClassVar[Sequence[Metric]] = (
        quality_metric("train", "final_loss", LOSS),
        quality_metric("train", "loss", LOSS, each_epoch=True),
        quality_metric("test", "RMSE", LOSS),
        quality_metric("test", "mean_wQuantileLoss", LOSS),
        PROGRESS,
    )
    distributed = True

    def train(self, run: TrainingRun) -> None:
        """Train on the series of `train`; the last prediction_length values of those of `test` give the metrics."""
        given = run.hyperparameters
        if "train" not in run.channels:
            raise ClientError("Missing required channel: train; add it to InputDataConfig")
        records = read_records(run.channels["train"])
        cardinality, features = _cardinality(given, records), _features(given, records)
        check_alike(records, cardinality, features, lambda number: f"time series {number + 1} of channel 'train'")
        check_domain(records, given["likelihood"], lambda number: f"time series {number + 1} of channel 'train'")
        tested = read_records(run.channels["test"]) if "test" in run.channels else []
        _check_tested(tested, given, cardinality, features)
        scaling, frequency = _scaling(records, features), Frequency.parse(given["time_freq"])
        sequences = sequences_of(records, frequency, len(cardinality), scaling)
        if int(np.isfinite(sequences.values).sum()) < 2 or not (sequences.lengths > 1).any():
            raise ClientError("Channel 'train' has no time series with two values; give longer ones")
        settings = Settings(
            context=given["context_length"],
            horizon=given["prediction_length"],
            lags=lags_of(frequency, int(sequences.lengths.max()) - 1),
            features=Cutter(sequences).features,
            cardinality=tuple(cardinality),
            embedding=given["embedding_dimension"],
            cells=given["num_cells"],
            layers=given["num_layers"],
            dropout=given["dropout_rate"],
            likelihood=given["likelihood"],
        )
        windows = len(sequences.values) // given["prediction_length"]

        def report(epoch: int, loss: float) -> None:
            run.log(quality_line("train", "loss", loss, LOSS, epoch))
            run.log(progress_line(epoch + 1, given["epochs"]))

        schedule = Schedule(
            epochs=given["epochs"],
            batches=int(np.clip(windows // given["mini_batch_size"], LEAST_BATCHES, MOST_BATCHES)),
            rows=given["mini_batch_size"],
            step=given["learning_rate"],
            patience=given["early_stopping_patience"],
            report=report,
            stopped=run.stopped,
        )
        network, loss = train(sequences, settings, schedule, run.seed)
        if not np.isfinite(loss):
            raise ClientError("The training loss is not finite; lower learning_rate or scale the targets")
        run.log(quality_line("train", "final_loss", loss, LOSS))
        arrays = network.to_arrays() | {"scaling": scaling}
        facts = {"time_freq": given["time_freq"], "arrays": sorted(arrays)}
        save_model(run.model, self.name, arrays, facts)
        if tested:
            _log_accuracy(run, network, tested, frequency, scaling)

    def load(self, folder: Path, environment: Mapping[str, str] | None = None) -> DeepArPredictor:
        """Return the model that `train` left; DEEPAR_INFERENCE_CONFIG says what requests without a wish are told."""
        facts, _ = load_facts(folder, self.name, ARRAYS)
        try:
            arrays, _ = load_model(folder, self.name, [str(name) for name in facts["arrays"]])
            network, frequency = Network.from_arrays(arrays), Frequency.parse(str(facts["time_freq"]))
            scaling = arrays["scaling"]
        except (HeadraceError, KeyError, TypeError) as error:
            raise ClientError(f"{ARRAYS} is damaged or foreign ({error}); train '{self.name}' again") from error
        text = (environment or {}).get(CONFIGURATION_VARIABLE, "{}")
        try:
            wanted = Configuration.read(_json(text), f"environment variable {CONFIGURATION_VARIABLE}")
        except ValueError:
            raise ClientError(f"The environment variable {CONFIGURATION_VARIABLE} is no JSON") from None
        return DeepArPredictor(network, frequency, scaling, wanted)


def _json(text: str) -> Any:
    import json

    return json.loads(text)


def _cardinality(given: Mapping[str, Any], records: Sequence[Record]) -> list[int]:
    """The categories of each label: as told, or counted; none where the first series has none."""
    told = given["cardinality"]
    if told == IGNORE:
        return []
    if told is not None:
        return list(told)
    width = len(records[0].codes or ())
    for number, record in enumerate(records):
        if len(record.codes or ()) != width:
            raise ClientError(
                f"\"cat\" of time series {number + 1} of channel 'train' has {len(record.codes or ())} categories, and "
                f"the first has {width}; all must have as many, or set cardinality to ignore"
            )
    return [1 + max((record.codes or ())[place] for record in records) for place in range(width)]


def _features(given: Mapping[str, Any], records: Sequence[Record]) -> int:
    told = given["num_dynamic_feat"]
    if told == IGNORE:
        return 0
    return int(told) if told is not None else 0 if records[0].features is None else len(records[0].features)


def _scaling(records: Sequence[Record], features: int) -> npt.NDArray[np.float64]:
    """Mean and deviation of each feature, [2, features]."""
    if not features:
        return np.zeros((2, 0))
    joined = np.concatenate([each.features for each in records if each.features is not None], axis=1)
    spread = joined.std(axis=1)
    return np.stack([joined.mean(axis=1), np.where(spread > 0, spread, 1.0)])


def _check_tested(tested: Sequence[Record], given: Mapping[str, Any], cardinality: list[int], features: int) -> None:
    def where(number: int) -> str:
        return f"time series {number + 1} of channel 'test'"

    check_alike(tested, cardinality, features, where)
    check_domain(tested, given["likelihood"], where)
    for number, record in enumerate(tested):
        if len(record.target) <= given["prediction_length"]:
            raise ClientError(
                f"The target of {where(number)} has {len(record.target)} values, and must have more than "
                f"prediction_length ({given['prediction_length']}): the last ones are what is tested"
            )


def _log_accuracy(
    run: TrainingRun, network: Network, tested: Sequence[Record], frequency: Frequency, scaling: npt.NDArray[np.float64]
) -> None:
    """Forecast the end of each series, and log AWS's scores: RMSE of the mean, weighted loss of the quantiles."""
    horizon, given = network.settings.horizon, run.hyperparameters
    labels = len(network.settings.cardinality)
    sequences = sequences_of(tested, frequency, labels, scaling, ahead=horizon, cut=horizon)
    paths = draw_paths(network, sequences, samples=given["num_eval_samples"], seed=run.seed).astype(np.float64)
    truth = np.stack([record.target[-horizon:] for record in tested])
    there = ~np.isnan(truth)
    if not there.any():
        return
    total = max(float(np.abs(truth[there]).sum()), 1e-12)
    losses = []
    for level in given["test_quantiles"]:
        away = (truth - np.quantile(paths, level, axis=1))[there]
        losses.append(2 * float(np.maximum(level * away, (level - 1) * away).sum()) / total)
        run.log(f"#test_score (algo-1, wQuantileLoss[{level:g}]): {losses[-1]}")
    scores = {
        "RMSE": float(np.sqrt(np.mean((truth - paths.mean(axis=1))[there] ** 2))),
        "mean_wQuantileLoss": float(np.mean(losses)),
    }
    for name, value in scores.items():
        run.log(f"#test_score (algo-1, {name}): {value}")
        run.log(quality_line("test", name, value, LOSS))
