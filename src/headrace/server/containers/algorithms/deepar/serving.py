"""What a model of DeepAR answers: mean, quantiles and paths of the periods after each series of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.networks.deepar import Network, draw_paths
from headrace.server.containers.algorithms.deepar.records import Record, check_alike, parse, read_record, sequences_of
from headrace.server.containers.contract import ClientError, Predictor
from headrace.server.containers.formats.media_types import JSON, JSON_LINES, among, negotiate

CONFIGURATION_VARIABLE = "DEEPAR_INFERENCE_CONFIG"
OUTPUT_TYPES = ("mean", "quantiles", "samples")
MOST_SAMPLES = 10_000


@dataclass(frozen=True)
class Configuration:
    """What is asked for: how many paths are drawn, and which of their facts are told."""

    num_samples: int = 100
    output_types: tuple[str, ...] = ("mean", "quantiles")
    quantiles: tuple[str, ...] = tuple(f"0.{tenth}" for tenth in range(1, 10))

    @classmethod
    def read(cls, document: Any, where: str) -> Configuration:
        """Return what a JSON object says; raises ClientError on what is unknown or out of range."""
        if not isinstance(document, Mapping):
            raise ClientError(f"The {where} must be a JSON object.")
        usual = cls()
        unknown = sorted(set(document) - {"num_samples", "output_types", "quantiles"})
        if unknown:
            raise ClientError(
                f"The {where} has the unknown field '{unknown[0][:50]}'; it takes num_samples, output_types "
                "and quantiles."
            )
        samples = document.get("num_samples", usual.num_samples)
        if type(samples) is not int or not 1 <= samples <= MOST_SAMPLES:
            raise ClientError(f"num_samples of the {where} must be a whole number from 1 to {MOST_SAMPLES:,}.")
        types = document.get("output_types", list(usual.output_types))
        if not isinstance(types, list) or not types or not all(each in OUTPUT_TYPES for each in types):
            raise ClientError(f"output_types of the {where} must be a list of {', '.join(OUTPUT_TYPES)}.")
        quantiles = document.get("quantiles", list(usual.quantiles))
        if not isinstance(quantiles, list) or not all(_is_level(each) for each in quantiles):
            raise ClientError(
                f'quantiles of the {where} must be a list of numbers from 0 to 1, such as ["0.1", "0.9"].'
            )
        return cls(samples, tuple(types), tuple(str(each) for each in quantiles))


class DeepArPredictor(Predictor):
    """Answers {"predictions": [{"mean": [...], "quantiles": {"0.5": [...]}, "samples": [[...]]}]}."""

    def __init__(
        self, network: Network, frequency: Frequency, scaling: npt.NDArray[np.float64], configuration: Configuration
    ) -> None:
        """Serve this network; `configuration` is that of JSON Lines, and of requests that bring none."""
        self.network, self.frequency, self.scaling, self.configuration = network, frequency, scaling, configuration

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the answer to one request and its content type."""
        asked = among(content_type, (JSON, JSON_LINES))
        offered = negotiate(accept, (asked.name, *(name for name in (JSON, JSON_LINES) if name != asked.name))).name
        if asked.name == JSON:
            document = parse(body, "the request")
            instances = document.get("instances") if isinstance(document, dict) else None
            if not isinstance(instances, list) or not instances:
                raise ClientError(
                    'A request needs a list of "instances": {"instances": [{"start": ..., "target": [...]}]}.'
                )
            given = document.get("configuration")
            wanted = self.configuration if given is None else Configuration.read(given, "configuration")
        else:
            lines = [line for line in body.split(b"\n") if line.strip()]
            instances = [parse(line, f"line {number} of the request") for number, line in enumerate(lines, 1)]
            wanted = self.configuration
            if not instances:
                raise ClientError("The request has no time series.")
        records = [read_record(each, f"instance {number}") for number, each in enumerate(instances, 1)]
        answers = self.answers(records, wanted)
        if offered == JSON:
            return json.dumps({"predictions": answers}).encode(), JSON
        return b"".join(json.dumps(answer).encode() + b"\n" for answer in answers), JSON_LINES

    def answers(self, records: Sequence[Record], wanted: Configuration) -> list[dict[str, Any]]:
        """Return what is asked for of each series."""
        settings = self.network.settings
        horizon, features = settings.horizon, self.scaling.shape[1]
        check_alike(records, settings.cardinality, features, lambda number: f"instance {number + 1}", horizon)
        check_domain(records, settings.likelihood, lambda number: f"instance {number + 1}")
        sequences = sequences_of(records, self.frequency, len(settings.cardinality), self.scaling, ahead=horizon)
        paths = draw_paths(self.network, sequences, samples=wanted.num_samples, seed=0).astype(np.float64)
        levels = [float(each) for each in wanted.quantiles]
        quantiles = np.quantile(paths, levels, axis=1) if levels else np.zeros((0, len(records), horizon))
        found = []
        for number, drawn in enumerate(paths):
            answer: dict[str, Any] = {}
            if "mean" in wanted.output_types:
                answer["mean"] = drawn.mean(axis=0).tolist()
            if "quantiles" in wanted.output_types:
                answer["quantiles"] = {
                    name: quantiles[place, number].tolist() for place, name in enumerate(wanted.quantiles)
                }
            if "samples" in wanted.output_types:
                answer["samples"] = drawn.tolist()
            found.append(answer)
        return found


def check_domain(records: Sequence[Record], likelihood: str, what: Any) -> None:
    """Raise ClientError on the first series with a value that the likelihood cannot give."""
    bounds = {"beta": (0.0, 1.0), "negative-binomial": (0.0, np.inf)}.get(likelihood)
    if bounds is None:
        return
    for number, record in enumerate(records):
        wrong = (record.target < bounds[0]) | (record.target > bounds[1])
        if wrong.any():
            place = int(np.argmax(wrong))
            allowed = "values from 0 to 1" if likelihood == "beta" else "counts from 0"
            raise ClientError(
                f'"target" of {what(number)} has the value {record.target[place]:g} at place {place + 1}, and the '
                f"likelihood {likelihood} takes {allowed}."
            )


def _is_level(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        return 0 < float(value) < 1
    except ValueError:
        return False
