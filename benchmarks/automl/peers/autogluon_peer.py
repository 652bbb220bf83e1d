"""Fits AutoGluon's TabularPredictor, with `best_quality` where a second argument says so."""

import sys

from judging import Job


def main() -> None:
    """Arguments: the job's file, and the presets."""
    job = Job.read()
    from autogluon.tabular import TabularPredictor

    metric = {"roc_auc": "roc_auc", "log_loss": "log_loss", "rmse": "root_mean_squared_error"}[job.metric]
    learner = TabularPredictor(
        job.target, problem_type=job.task, eval_metric=metric, path=str(job.folder / "model"), verbosity=1
    )
    predictor = learner.fit(job.learning(), time_limit=job.seconds, presets=sys.argv[2:] or None)
    predictor.persist()

    def predict(frame: object) -> object:
        if job.task == "regression":
            return predictor.predict(frame)
        chances = predictor.predict_proba(frame)
        return chances[job.positive] if job.task == "binary" else chances[sorted(chances.columns)]

    job.judge(predict, model=job.folder / "model", chosen=predictor.model_best)


main()
