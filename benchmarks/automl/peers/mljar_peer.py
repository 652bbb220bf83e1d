"""Fits mljar's AutoML in its Compete mode."""

from judging import Job


def main() -> None:
    """Argument: the job's file."""
    job = Job.read()
    from supervised.automl import AutoML

    learn = job.learning()
    automl = AutoML(
        mode="Compete",
        results_path=str(job.folder / "model"),
        total_time_limit=round(job.seconds),
        eval_metric={"roc_auc": "auc", "log_loss": "logloss", "rmse": "rmse"}[job.metric],
        ml_task={"binary": "binary_classification", "multiclass": "multiclass_classification"}.get(job.task, job.task),
        random_state=1,
        verbose=0,
    )
    automl.fit(learn.drop(columns=[job.target]), learn[job.target])

    def predict(frame: object) -> object:
        if job.task == "regression":
            return automl.predict(frame)
        answers = automl.predict_all(frame)
        columns = sorted(name for name in answers.columns if name.startswith("prediction_"))
        return answers[f"prediction_{job.positive}"] if job.task == "binary" else answers[columns]

    job.judge(predict, model=job.folder / "model")


main()
