"""The algorithms that forecast, by name; each is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.models.contract import Model

_CLASSES = {
    "naive": "Naive",
    "seasonal_naive": "SeasonalNaive",
    "ets": "Ets",
    "arima": "Arima",
    "theta": "Theta",
    "ces": "Ces",
    "additive": "Additive",
    "npts": "Npts",
    "gradient_boosting": "GradientBoosting",
    "deepar": "DeepAr",
    "cnn_qr": "CnnQr",
}


class _Models(Mapping[str, "type[Model]"]):
    """The model classes by name: each in the module of its name."""

    def __getitem__(self, name: str) -> type[Model]:
        return cast("type[Model]", getattr(import_module(f"{__name__}.{name}"), _CLASSES[name]))

    def __iter__(self) -> Iterator[str]:
        return iter(_CLASSES)

    def __len__(self) -> int:
        return len(_CLASSES)

    def __contains__(self, name: object) -> bool:
        return name in _CLASSES


MODELS: Mapping[str, type[Model]] = _Models()
