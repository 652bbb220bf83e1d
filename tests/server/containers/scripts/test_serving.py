"""Models of users' scripts answer as AWS's framework images do, by their functions or by the framework's own."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headrace.server.containers.scripts import ScriptFailed
from headrace.server.sandbox import Isolation, isolation

pytestmark = pytest.mark.skipif(
    isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml"
)
Serve = Callable[..., Any]
SUM = """
class Model:
    def predict(self, rows):
        return rows.sum(axis=1)

def model_fn(folder):
    return Model()
"""
BOOSTER = """
import os, xgboost

def model_fn(folder):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(folder, "model.json"))
    return booster
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def npy(array: Any) -> bytes:
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


def test_scikit_learn_reads_and_writes_what_its_image_does(serve: Serve, model: Path) -> None:
    served = serve(model, SUM)
    assert served.ask("ping")[0]["status"] == 200
    assert served.invoke(b"[[1, 2], [3, 4]]", "application/json") == (200, "application/json", b"[3.0, 7.0]")
    assert served.invoke(b"1,2\n3,4\n", "text/csv", "text/csv") == (200, "text/csv", b"3.0\n7.0\n")
    assert served.invoke(b"1,2", "text/csv; charset=utf-8") == (200, "application/json", b"[3.0]")
    status, kind, said = served.invoke(npy(np.eye(2)), "application/x-npy", "application/x-npy")
    assert (status, kind, np.load(io.BytesIO(said)).tolist()) == (200, "application/x-npy", [1, 1])
    status, _, said = served.invoke(b"x", "image/png")
    assert (status, said.decode()) == (
        415,
        "content type image/png is not supported; send application/json, text/csv or application/x-npy",
    )
    assert served.invoke(b"[[1]]", "application/json", "image/png")[0] == 406
    assert served.invoke(b"[[1,", "application/json")[0] == 400
    assert served.invoke(npy(np.array([{}], dtype=object)), "application/x-npy")[0] == 400, "nothing is unpickled"


def test_xgboost_reads_and_writes_what_its_image_does(serve: Serve, model: Path) -> None:
    import xgboost

    rows = np.arange(40, dtype=np.float32).reshape(20, 2)
    booster = xgboost.train({"max_depth": 3}, xgboost.DMatrix(rows, label=rows.sum(axis=1)), 5)
    booster.save_model(model / "model.json")
    expected = booster.predict(xgboost.DMatrix(rows[:2]))
    variables = {"SAGEMAKER_PROGRAM": "inference.py"}
    served = serve(model, BOOSTER, framework="xgboost", environment=variables)
    status, kind, said = served.invoke(b"0,1\n2,3\n", "text/csv")
    assert (status, kind) == (200, "text/csv")
    np.testing.assert_allclose(np.array(said.split(), np.float32), expected, rtol=1e-6)
    status, kind, said = served.invoke(b"9 0:0 1:1\n9 0:2 1:3", "text/libsvm", "application/json")
    assert (status, kind) == (200, "application/json")
    np.testing.assert_allclose(json.loads(said), expected, rtol=1e-6)
    status, _, said = served.invoke(b"1,long", "text/csv")
    assert (status, said.decode().partition(":")[0]) == (400, "the body is no text/csv of numbers")


def test_the_scripts_own_functions_answer(serve: Serve, model: Path) -> None:
    script = """
import json

def model_fn(folder, context):
    assert context is None
    return open(folder + "/factor").read()

def input_fn(body, content_type):
    return body.decode(), content_type

def predict_fn(data, model):
    return [*data, model]

def output_fn(prediction, accept):
    return json.dumps([*prediction, accept]), "application/mine"
"""
    (model / "factor").write_text("7")
    answer = serve(model, script).invoke(b"x", "text/mine", "text/yours")
    assert answer == (200, "application/mine", b'["x", "text/mine", "7", "text/yours"]')


def test_transform_fn_answers_by_itself_and_in_parts(serve: Serve, model: Path) -> None:
    script = """
from beside import WORDS
model_fn = lambda folder: None
def transform_fn(model, body, content_type, accept):
    return iter(WORDS), "text/plain"
"""
    (model / "code").mkdir()
    (model / "code" / "beside.py").write_text("WORDS = ['one ', b'two']")
    served = serve(model, script)
    assert served.invoke(b"") == (200, "text/plain", b"one two")
    assert served.ask("stream")[0] == {"status": 200, "content_type": "text/plain", "more": True}
    assert [served.more() for _ in range(3)] == [
        ({"status": 200, "more": True}, b"one "),
        ({"status": 200, "more": True}, b"two"),
        ({"status": 200}, b""),
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "scikit-learn needs model_fn(model_dir) in the script"),
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("def model_fn(folder): raise SystemExit('no weights')", "SystemExit: no weights"),
        (SUM + "input_fn = transform_fn = print", "the script has transform_fn and input_fn"),
    ],
)
def test_a_model_that_can_not_be_loaded_says_why(serve: Serve, model: Path, script: str, reason: str) -> None:
    head, body = serve(model, script).ask("ping")
    assert head["status"] == 500
    assert body.decode().startswith("the model could not be loaded: ")
    assert reason in body.decode()


def test_code_that_raises_fails_its_request_only(serve: Serve, model: Path) -> None:
    served = serve(model, SUM + "def predict_fn(data, model): return model.predict(data, 1)")
    status, _, said = served.invoke(b"[[0]]")
    assert (status, said.decode().partition(":")[0]) == (500, "TypeError")
    assert served.invoke(b'["a"]')[0] == 500
    assert served.ask("ping")[0]["status"] == 200
    assert "Traceback" in served.output.read_text()


def test_source_may_lie_beside_the_model(serve: Serve, model: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "answer.py").write_text("model_fn = transform_fn = lambda *given: given[0]")
    served = serve(model, source=str(source), environment={"SAGEMAKER_PROGRAM": "answer.py"})
    assert served.invoke(b"")[2] == b"/opt/ml/model"
    missing = serve(model, source=str(source), environment={"SAGEMAKER_PROGRAM": "other.py"})
    assert "other.py, which SAGEMAKER_PROGRAM names, is not in" in missing.ask("ping")[1].decode()


def test_many_models_share_a_process(serve: Serve, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "inference.py").write_text(
        "model_fn = lambda folder: open(folder + '/name').read()\ntransform_fn = lambda model, *_: model"
    )
    served = serve(tmp_path, source=str(source), folder="", multi_model=True)
    own = served.output.with_suffix("")
    for name in ("a", "b"):
        (own / name).mkdir()
        (own / name / "name").write_text(name)
        assert served.invoke(b"", target_folder=str(own / name))[2] == name.encode()
    (own / "a" / "name").write_text("changed")
    assert served.invoke(b"", target_folder=str(own / "a"))[2] == b"a"
    served.ask("unload", target_folder=str(own / "a"))
    assert served.invoke(b"", target_folder=str(own / "a"))[2] == b"changed"


def test_requirements_without_a_network_are_refused(serve: Serve, model: Path) -> None:
    (model / "code").mkdir()
    (model / "code" / "requirements.txt").write_text("--index-url https://example.com\nmine")
    with pytest.raises(ScriptFailed, match="has more than names and versions of packages"):
        serve(model, SUM, network=False)
