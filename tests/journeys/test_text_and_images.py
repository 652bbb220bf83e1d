"""Folders of pictures and of texts through the nine steps, and their models at work."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageDraw

from headrace import load, run
from headrace.ml.errors import InputError
from headrace.ml.prediction.model import Model

EACH = 40
GOOD = ("lovely", "great", "warm", "friendly", "perfect")
BAD = ("cold", "rude", "awful", "late", "broken")
OTHER = ("the", "room", "breakfast", "was", "and", "staff", "our", "stay", "very", "table", "evening")


def picture(kind: str, random: np.random.Generator, form: str = "PNG") -> bytes:
    """A circle or a square, of any colours, somewhere."""
    image = Image.new("RGB", (24, 20), tuple(random.integers(0, 120, 3).tolist()))
    left, top, size = (int(random.integers(low, high)) for low, high in ((1, 8), (1, 5), (9, 13)))
    draw = ImageDraw.Draw(image)
    shape = draw.ellipse if kind == "circle" else draw.rectangle
    shape((left, top, left + size, top + size), fill=tuple(random.integers(140, 255, 3).tolist()))
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shapes with a file that is damaged."""
    folder, random = tmp_path_factory.mktemp("shapes"), np.random.default_rng(0)
    for kind in ("circle", "square"):
        (folder / kind).mkdir()
        for number in range(EACH):
            (folder / kind / f"{number}.png").write_bytes(picture(kind, random))
    (folder / "circle" / "damaged.png").write_bytes(picture("circle", random)[:90])
    return folder


def test_a_folder_of_pictures(shapes: Path, tmp_path: Path) -> None:
    record = run(shapes, trials=1, out=tmp_path / "out")
    document = record.document
    assert document["target"] == "label"
    assert document["task"] == "binary"
    assert document["metrics"]["test"]["roc_auc"] > 0.8
    evidence = str(document["readiness"])
    assert "1 picture that cannot be read" in evidence
    assert "circle/damaged.png" in evidence
    strips = document["steps"]["exploration"]["pictures"]
    assert [strip["title"] for strip in strips] == ["image: circle", "image: square"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert f'<img src="{strips[0]["image"]}"' in page

    model = load(tmp_path / "out" / "model")
    sample = shapes / "square" / "1.png"
    assert model.predict(sample) == model.predict(sample.read_bytes()) == model.predict({"image": sample.read_bytes()})
    with pytest.raises(InputError, match=r"cannot be read: .*give a whole PNG or JPEG file"):
        model.predict(shapes / "circle" / "damaged.png")
    with pytest.raises(InputError, match="does not begin like a PNG"):
        model.predict(b"nothing")
    _check_batch(model, shapes)


def _check_batch(model: Model, shapes: Path) -> None:
    from headrace.ml.tables import read_table

    table = read_table(shapes)
    predicted = model.predict_table(table, proba=False)
    assert predicted.height == 2 * EACH + 1
    assert any("not a picture" in note for note in model.notes)
    single = [model.predict(data) for data in table.frame["image"].to_list()[:5]]
    assert predicted["prediction"].to_list()[:5] == single


def test_a_folder_of_texts(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for kind, own in (("good", GOOD), ("bad", BAD)):
        (tmp_path / "hotels" / kind).mkdir(parents=True)
        for number in range(EACH):
            words = [*random.choice(OTHER, 9), *random.choice(own, 2)]
            (tmp_path / "hotels" / kind / f"{number}.txt").write_text(" ".join(random.permutation(words)).title() + ".")
    record = run(tmp_path / "hotels", trials=1, out=tmp_path / "out", task="text_classification")
    assert record.document["metrics"]["test"]["roc_auc"] > 0.9
    assert any("thousands of words" in feature["name"] for feature in record.document["features"])
    model = load(tmp_path / "out" / "model")
    assert model.predict("Lovely, friendly and GREAT!") == "good"
    assert model.predict({"text": "the staff was rude, breakfast cold and late"}) == "bad"
    frame = pl.DataFrame({"text": ["A perfect evening, very warm.", "awful: broken table"]})
    assert model.predict(frame)["prediction"].to_list() == ["good", "bad"]
