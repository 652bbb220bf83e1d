"""Linear Learner's hyperparameters, as its page "Linear learner hyperparameters" lists them."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.server.containers.hyperparameters import Parameter
from headrace.server.containers.values import automatic, boolean, choice, real, whole

BINARY, MULTICLASS, REGRESSOR = "binary_classifier", "multiclass_classifier", "regressor"
AUTO_LOSS = {BINARY: "logistic", MULTICLASS: "softmax_loss", REGRESSOR: "squared_loss"}
REGRESSION_LOSSES = (
    "squared_loss",
    "absolute_loss",
    "eps_insensitive_squared_loss",
    "eps_insensitive_absolute_loss",
    "quantile_loss",
    "huber_loss",
)
LOSSES = {
    BINARY: ("logistic", "hinge_loss"),
    MULTICLASS: ("softmax_loss", "hinge_loss"),
    REGRESSOR: REGRESSION_LOSSES,
}
CRITERIA = (
    "accuracy",
    "f_beta",
    "precision_at_target_recall",
    "recall_at_target_precision",
    "loss_function",
)


def _weight_mult(text: str) -> float | str:
    return text.strip().lower() if text.strip().lower() in ("balanced", "auto") else real(above=0)(text)


_positive = automatic(real(0))
_share = real(0, 1)
_small = ("continuous", 1e-7, 1, "Auto")

PARAMETERS: Mapping[str, Parameter] = {
    "predictor_type": Parameter(choice(BINARY, MULTICLASS, REGRESSOR), "what the label is", required=True),
    "num_classes": Parameter(whole(3, 1_000_000), "classes of a multiclass_classifier, labels 0 to n - 1"),
    "feature_dim": Parameter(automatic(whole(1)), "the number of features (found from the data)"),
    "mini_batch_size": Parameter(whole(1), "rows a step", default=1000, tunable=("integer", 100, 5000, "Auto")),
    "epochs": Parameter(whole(1), "passes over the data at most", default=15),
    "loss": Parameter(
        automatic(choice("logistic", "softmax_loss", "hinge_loss", *REGRESSION_LOSSES)), "what is minimised"
    ),
    "optimizer": Parameter(
        automatic(choice("sgd", "adam", "rmsprop")),
        "how: by mini-batches; auto is full-batch L-BFGS, which needs no learning rate",
    ),
    "learning_rate": Parameter(
        automatic(real(above=0)), "step size of the mini-batch optimizers", tunable=("continuous", 1e-5, 1, "Auto")
    ),
    "momentum": Parameter(automatic(real(0, below=1)), "momentum of sgd"),
    "beta_1": Parameter(automatic(real(0, below=1)), "decay of adam's first moment"),
    "beta_2": Parameter(automatic(real(0, below=1)), "decay of the second moment of adam and rmsprop"),
    "bias_lr_mult": Parameter(automatic(real(above=0)), "learning rate of the bias, as a multiple"),
    "bias_wd_mult": Parameter(_positive, "L2 penalty of the bias, as a multiple"),
    "wd": Parameter(_positive, "L2 penalty of the weights, 0 for none", tunable=_small),
    "l1": Parameter(_positive, "L1 penalty of the weights, 0 for none", tunable=_small),
    "use_bias": Parameter(boolean, "whether to fit a bias", default=True, tunable=("categorical", ("true", "false"))),
    "num_models": Parameter(automatic(whole(1)), "models with different L2 penalties; the best on validation wins"),
    "num_calibration_samples": Parameter(automatic(whole(1)), "rows that decide on the threshold (10,000,000)"),
    "binary_classifier_model_selection_criteria": Parameter(
        choice(*CRITERIA), "what decides on the threshold and the best model", default="accuracy"
    ),
    "target_recall": Parameter(_share, "recall that precision_at_target_recall keeps", default=0.8),
    "target_precision": Parameter(_share, "precision that recall_at_target_precision keeps", default=0.8),
    "f_beta": Parameter(real(above=0), "weight of recall in f_beta", default=1.0),
    "positive_example_weight_mult": Parameter(
        _weight_mult,
        "weight of positive rows, or balanced, or auto",
        default=1.0,
        tunable=("continuous", 1e-5, 1e5, "Auto"),
    ),
    "balance_multiclass_weights": Parameter(boolean, "whether all classes weigh the same", default=False),
    "accuracy_top_k": Parameter(whole(1), "k of multiclass_top_k_accuracy", default=3),
    "normalize_data": Parameter(automatic(boolean), "whether features are scaled to deviation 1", default=True),
    "normalize_label": Parameter(automatic(boolean), "whether a regressor's label is (true)"),
    "unbias_data": Parameter(automatic(boolean), "whether the mean is taken off features (of dense data)"),
    "unbias_label": Parameter(automatic(boolean), "whether the mean is taken off a regressor's label (true)"),
    "num_point_for_scaler": Parameter(whole(1), "rows that give means and deviations", default=10_000),
    "init_method": Parameter(choice("uniform", "normal"), "how the mini-batch optimizers begin", default="uniform"),
    "init_scale": Parameter(real(above=0), "range of the uniform beginning", default=0.07),
    "init_sigma": Parameter(real(above=0), "deviation of the normal beginning", default=0.01),
    "init_bias": Parameter(real(), "where the bias begins", default=0.0),
    "huber_delta": Parameter(real(above=0), "where huber_loss turns linear", default=1.0),
    "quantile": Parameter(real(above=0, below=1), "which quantile quantile_loss finds", default=0.5),
    "margin": Parameter(real(above=0), "margin of hinge_loss", default=1.0),
    "loss_insensitivity": Parameter(real(above=0), "errors that eps_insensitive losses overlook", default=0.01),
    "use_lr_scheduler": Parameter(boolean, "whether the learning rate falls", default=True),
    "lr_scheduler_step": Parameter(automatic(whole(1)), "steps between two falls of the learning rate"),
    "lr_scheduler_factor": Parameter(automatic(real(above=0, below=1)), "what it is multiplied by"),
    "lr_scheduler_minimum_lr": Parameter(automatic(real(above=0)), "where it stays"),
    "early_stopping_patience": Parameter(whole(1), "epochs without improvement that end the training", default=3),
    "early_stopping_tolerance": Parameter(real(above=0), "relative improvement that counts", default=0.001),
}
