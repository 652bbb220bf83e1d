"""CNN-QR: causal convolutions over the past, and all quantiles of all periods ahead at once (Wen et al., 2017)."""

from headrace.ml.applications.forecasting.models.networks.cnn_qr.network import Network, Settings
from headrace.ml.applications.forecasting.models.networks.cnn_qr.training import Schedule, predict, train

__all__ = ["Network", "Schedule", "Settings", "predict", "train"]
