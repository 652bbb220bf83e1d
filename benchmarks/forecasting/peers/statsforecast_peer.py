"""Forecasts with one model of statsforecast, on both cores."""

import os

os.environ |= {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}  # its two processes would else have two threads each

import numpy as np
from judging import Job
from statsforecast import StatsForecast, models


def main() -> None:
    """Argument: the job's file, whose argument names the model."""
    job = Job.read()
    history = job.frame()[["item", "time", "target"]]
    told = {"approximation": True} if job.argument == "AutoARIMA" else {}  # as R does for long series
    model = getattr(models, job.argument)(season_length=job.season, **told)
    forecaster = StatsForecast([model], job.frequency, n_jobs=2, fallback_model=models.Naive())
    widths = [round(100 * (1 - 2 * level)) for level in job.levels if level < 0.5]
    found = forecaster.forecast(
        df=history, h=job.horizon, level=widths, id_col="item", time_col="time", target_col="target"
    )
    names = [
        f"{job.argument}{'' if level == 0.5 else f'-lo-{round(100 - 200 * level)}' if level < 0.5 else f'-hi-{round(200 * level - 100)}'}"
        for level in job.levels
    ]
    order = history["item"].drop_duplicates().to_list()
    values = found.set_index("item").loc[order, names].to_numpy().reshape(len(order), job.horizon, len(job.levels))
    job.judge(values, not_finite=int((~np.isfinite(values)).sum()))


if __name__ == "__main__":  # the processes that it starts import this file
    main()
