"""The networks' gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.networks import cnn_qr, deepar
from headrace.ml.applications.forecasting.models.networks.cnn_qr import training as cnn_qr_training
from headrace.ml.applications.forecasting.models.networks.deepar import training as deepar_training
from headrace.ml.applications.forecasting.models.networks.likelihoods import LIKELIHOODS
from headrace.ml.applications.forecasting.models.networks.sequences import Cutter, Sequences

STEP = 1e-5


def some_sequences() -> Sequences:
    """Two items of positive counts below a scale of ten, with a missing value, a label and a feature of each kind."""
    random = np.random.default_rng(3)
    values = random.integers(1, 9, 34).astype(np.float32) / 10
    values[7] = np.nan
    features = random.normal(size=(34 + 6, 2)).astype(np.float32)
    return Sequences(
        frequency=Frequency("D"),
        start=np.array([100, 107]),
        offsets=np.array([0, 20, 34]),
        values=values,
        codes=np.array([[1], [-1]]),
        known=features[:, :1],
        past=features[:, 1:],
        ahead=3,
    )


def assert_slopes(loss, parameters, gradient):
    """Compare the gradient at three places of each parameter with the change of the loss around it."""
    random = np.random.default_rng(0)
    for name, values in parameters.items():
        assert gradient[name].shape == values.shape, name
        for place in random.integers(0, values.size, 3):
            kept = values.flat[place]
            values.flat[place] = kept + STEP
            above = loss()
            values.flat[place] = kept - STEP
            below = loss()
            values.flat[place] = kept
            assert gradient[name].flat[place] == pytest.approx((above - below) / (2 * STEP), rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_deepar_follows_its_loss_through_time(likelihood):
    cutter = Cutter(some_sequences())
    settings = deepar.Settings(
        context=5,
        horizon=3,
        lags=(1, 2, 7),
        features=cutter.features,
        cardinality=(2,),
        embedding=2,
        cells=4,
        layers=2,
        dropout=0.3,
        likelihood=likelihood,
    )
    network = deepar.Network.draw(settings, 1)
    parameters = {name: values.astype(np.float64) for name, values in network.parameters.items()}
    network = deepar.Network(settings, parameters)
    items, first = np.array([0, 1, 0]), np.array([9, 4, 18])

    def run():
        return deepar_training.batch_gradient(network, cutter, items, first, np.random.default_rng(5))

    assert_slopes(lambda: run()[0], parameters, run()[1])


def test_cnn_qr_follows_its_loss():
    cutter = Cutter(some_sequences())
    items, first = np.array([0, 1, 0]), np.array([9, 4, 18])
    sized = cnn_qr.Settings(3, (0.1, 0.5, 0.9), 2, 0, 0, 0, 0)
    batch = cnn_qr_training.read_batch(cutter, sized, (7,), items, first)
    settings = cnn_qr.Settings(
        horizon=3,
        quantiles=(0.1, 0.5, 0.9),
        layers=2,
        past=batch.past.shape[2],
        ahead=batch.ahead.shape[2],
        still=batch.still.shape[1],
        linear=3,
        cardinality=(2,),
        embedding=2,
        channels=4,
        hidden=6,
        slot=2,
        local=5,
    )
    network = cnn_qr.Network.draw(settings, 1)
    parameters = {name: values.astype(np.float64) for name, values in network.parameters.items()}
    network = cnn_qr.Network(settings, parameters)
    gradient = cnn_qr_training.batch_gradient(network, batch)[1]
    assert_slopes(lambda: cnn_qr_training.batch_gradient(network, batch)[0], parameters, gradient)
