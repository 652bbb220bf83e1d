"""The frequencies that Amazon Forecast takes. AWS pages: CreateDataset, CreateAutoPredictor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headrace.ml.errors import OptionError
from headrace.server.errors import InvalidInput

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.frequencies import Frequency


def parse_frequency(text: str, what: str) -> Frequency:
    """Return a frequency; raises InvalidInput on what overlaps with a larger unit; `what` is the parameter's name."""
    from headrace.ml.applications.forecasting.frequencies import Frequency

    try:
        return Frequency.parse(text, strict=True)
    except OptionError as error:
        raise InvalidInput(f"{what}: {error}") from None
