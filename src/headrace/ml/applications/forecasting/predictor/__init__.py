"""AutoPredictor: models weighed item by item in backtests, calibrated, and kept as one predictor."""

from headrace.ml.applications.forecasting.predictor.predictor import ENSEMBLE, Backtested, Predictor
from headrace.ml.applications.forecasting.predictor.records import WindowAccuracy
from headrace.ml.applications.forecasting.predictor.saving import load_predictor, save_predictor
from headrace.ml.applications.forecasting.predictor.training import train

__all__ = ["ENSEMBLE", "Backtested", "Predictor", "WindowAccuracy", "load_predictor", "save_predictor", "train"]
