from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from headrace.ml.adapters.processes import available_cores
from headrace.ml.process.training.fitting import Fit, find_result
from headrace.ml.process.training.pool import FitFailedError, FitStoppedError, Workers

PATIENCE = 60.0


@pytest.fixture(scope="module")
def setting(make_case, workers, workspace):
    prepared = make_case(rows=2000).setting(workers, workspace, ("linear_logistic", "gradient_boosting_lightgbm"))
    prepared.prepare_fold()
    return prepared


def quick_fit(setting, **how) -> Fit:
    return setting.fit_of(setting.algorithms[0], {}, setting.folds[0], **how)


def endless_fit(setting, rate: float = 0.001) -> Fit:
    configuration = {"num_iterations": 20_000, "learning_rate": rate, "num_leaves": 200, "min_data_in_leaf": 1}
    return setting.fit_of(setting.algorithms[1], configuration, setting.folds[0], stop_early=False)


def children_of(process: int, count: int) -> list[psutil.Process]:
    """Wait until the process has that many children."""
    pause = threading.Event()
    for _ in range(int(PATIENCE * 100)):
        if len(children := psutil.Process(process).children()) >= count:
            return children
        pause.wait(0.01)
    raise AssertionError("the workers did not start")


def test_a_fit_leaves_its_figures_and_files(setting, workers, workspace) -> None:
    fit = quick_fit(setting, keep=True)
    result = workers.submit(fit.request()).result(PATIENCE)
    assert 0.7 < result["score"] <= 1.0
    assert result["predict_microseconds"] > 0
    assert find_result(workspace, fit) == result
    names = {path.name for path in (workspace / "fits" / fit.identity).iterdir()}
    assert names == {"held.npy", "in_sample.npy", "form.npz", "result.json"}


def test_a_wrong_hyperparameter_is_an_answer_and_not_the_end(setting, workers) -> None:
    wrong = setting.fit_of(setting.algorithms[0], {"nonsense": 1}, setting.folds[0])
    with pytest.raises(FitFailedError, match="no hyperparameter 'nonsense'"):
        workers.submit(wrong.request()).result(PATIENCE)
    assert workers.submit(quick_fit(setting, rows=200).request()).result(PATIENCE)["rows"] == 200


def test_a_fit_past_its_time_is_stopped_and_one_in_the_queue_taken_back(setting, workers) -> None:
    running = [workers.submit(endless_fit(setting, rate).request()) for rate in (0.001, 0.002)]
    queued = workers.submit(quick_fit(setting, rows=300).request())
    children_of(workers._process.pid, 2)
    workers.stop([*running, queued])
    assert queued.cancelled()
    for future in running:
        with pytest.raises(FitStoppedError, match="out of time"):
            future.result(PATIENCE)
    assert workers.submit(quick_fit(setting, rows=310).request()).result(PATIENCE)["rows"] == 310


def test_a_killed_worker_is_named_and_replaced(setting, workers) -> None:
    future = workers.submit(endless_fit(setting).request())
    children_of(workers._process.pid, 1)[0].kill()
    with pytest.raises(FitFailedError, match="killed by signal 9"):
        future.result(PATIENCE)
    assert workers.submit(quick_fit(setting, rows=320).request()).result(PATIENCE)["rows"] == 320


def test_the_process_that_workers_come_from_is_replaced_too(setting, workers) -> None:
    future = workers.submit(endless_fit(setting).request())
    children_of(workers._process.pid, 1)
    os.kill(workers._process.pid, signal.SIGKILL)
    with pytest.raises(FitFailedError, match="ended with code -9"):
        future.result(PATIENCE)
    assert workers.submit(quick_fit(setting, rows=330).request()).result(PATIENCE)["rows"] == 330


def test_closing_ends_every_process(setting, tmp_path: Path) -> None:
    with Workers(setting.workspace, count=1, modules=()) as own:
        future = own.submit(endless_fit(setting).request())
        waiting = own.submit(quick_fit(setting).request(), (9,))
        processes = [psutil.Process(own._process.pid), *children_of(own._process.pid, 1)]
    assert waiting.cancelled()
    with pytest.raises(FitFailedError):
        future.result(PATIENCE)
    assert psutil.wait_procs(processes, PATIENCE)[1] == []
    own.close()


PARENT = """
import json, sys
from pathlib import Path
from headrace.ml.process.training.pool import Workers

with Workers(Path(sys.argv[1]), count=1, modules=()) as workers:
    future = workers.submit(json.loads(sys.argv[2]))
    print(workers._process.pid, flush=True)
    future.result()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_die_with_their_parent(setting, number: signal.Signals) -> None:
    import json

    command = [sys.executable, "-c", PARENT, str(setting.workspace), json.dumps(endless_fit(setting).request())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        nursery = psutil.Process(int(parent.stdout.readline()))
        processes = [nursery, *children_of(nursery.pid, 1)]
        parent.send_signal(number)
        parent.wait(PATIENCE)
    assert psutil.wait_procs(processes, PATIENCE)[1] == []


def test_at_least_one_core_is_available() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
