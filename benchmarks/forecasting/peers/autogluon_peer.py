"""Fits AutoGluon-TimeSeries; without its pretrained models, whose weights it would have to download."""

import time

from judging import Job

PRETRAINED = ["Chronos", "Chronos2", "Toto", "Toto2"]


def main() -> None:
    """Argument: the job's file, whose argument names the presets."""
    job = Job.read()
    import pandas as pd
    from autogluon.timeseries import TimeSeriesDataFrame, TimeSeriesPredictor

    history = job.frame()
    static = None if job.items is None else pd.read_csv(job.items, dtype=str)
    columns = {"id_column": "item", "timestamp_column": "time", "static_features_df": static}
    data = TimeSeriesDataFrame.from_data_frame(history, **columns)
    predictor = TimeSeriesPredictor(
        target="target", prediction_length=job.horizon, freq=job.frequency, quantile_levels=job.levels, eval_metric="WQL",
        known_covariates_names=job.known or None, path=f"{job.folder}/model", verbosity=2,
    )  # fmt: skip
    left = job.seconds - (time.monotonic() - job.begun)
    predictor.fit(data, presets=job.argument, time_limit=left, excluded_model_types=PRETRAINED, random_seed=0)
    ahead = None
    if job.known:
        ends = history.groupby("item")["time"].max().rename("end")
        known = job.ahead().merge(ends, left_on="item", right_index=True)
        known = known[known["time"] > known["end"]].drop(columns="end")
        ahead = TimeSeriesDataFrame.from_data_frame(known, id_column="item", timestamp_column="time")
    found = predictor.predict(data, known_covariates=ahead)
    order = history["item"].drop_duplicates().to_list()
    values = found.loc[order, [str(level) for level in job.levels]].to_numpy()
    models = predictor.model_names()
    job.judge(
        values.reshape(len(order), job.horizon, len(job.levels)), models=len(models), chosen=str(predictor.model_best)
    )


if __name__ == "__main__":
    main()
