"""Fits H2O's AutoML; its server, a Java process, is started and ended here."""

import time

from judging import Job


def main() -> None:
    """Argument: the job's file."""
    job = Job.read()
    import h2o
    from h2o.automl import H2OAutoML

    h2o.init(nthreads=2, max_mem_size="6G", verbose=False)
    h2o.no_progress()
    learn = h2o.upload_file(str(job.train))
    if job.task != "regression":
        learn[job.target] = learn[job.target].asfactor()
    metric = {"roc_auc": "AUC", "log_loss": "logloss", "rmse": "RMSE"}[job.metric]
    left = max(5, round(job.seconds - (time.monotonic() - job.begun)))
    automl = H2OAutoML(max_runtime_secs=left, seed=1, sort_metric=metric, verbosity=None)
    automl.train(y=job.target, training_frame=learn)
    types = {name: kind for name, kind in learn.types.items() if name != job.target}

    def predict(frame: object) -> object:
        kinds = {name: types[name] for name in frame.columns}
        answers = automl.leader.predict(h2o.H2OFrame(frame, column_types=kinds)).as_data_frame(use_multi_thread=False)
        if job.task == "regression":
            return answers["predict"]
        chances = answers.drop(columns=["predict"])
        if job.task == "binary":
            return chances.iloc[:, 1] if learn[job.target].levels()[0][1] == job.positive else chances.iloc[:, 0]
        return chances[sorted(chances.columns)]

    path = h2o.save_model(automl.leader, path=str(job.folder / "model"), force=True)
    job.judge(predict, model=job.folder / "model", chosen=path.rpartition("/")[2])
    h2o.cluster().shutdown()


main()
