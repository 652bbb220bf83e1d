"""DeepAR: a network of long short-term memory that draws each next value from a distribution (Salinas et al., 2020)."""

from headrace.ml.applications.forecasting.models.networks.deepar.network import Network, Settings
from headrace.ml.applications.forecasting.models.networks.deepar.sampling import draw_paths
from headrace.ml.applications.forecasting.models.networks.deepar.training import Schedule, train

__all__ = ["Network", "Schedule", "Settings", "draw_paths", "train"]
