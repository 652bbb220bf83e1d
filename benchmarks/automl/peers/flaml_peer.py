"""Fits FLAML's AutoML."""

import numpy as np
from judging import Job


def main() -> None:
    """Argument: the job's file."""
    job = Job.read()
    from flaml import AutoML

    learn = job.learning()
    automl = AutoML()
    automl.fit(
        learn.drop(columns=[job.target]),
        learn[job.target],
        task="regression" if job.task == "regression" else "classification",
        metric=job.metric,
        time_budget=job.seconds,
        seed=0,
        verbose=0,
    )

    def predict(frame: object) -> object:
        if job.task == "regression":
            return automl.predict(frame)
        chances = automl.predict_proba(frame)
        labels = list(map(str, automl.classes_))
        return chances[:, labels.index(job.positive)] if job.task == "binary" else chances[:, np.argsort(labels)]

    job.judge(predict, model=None, chosen=str(automl.best_estimator))


main()
