"""Texts and pictures: `headrace run` beside tuned scikit-learn pipelines, on the same split of each data set."""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RESULTS = Path(__file__).parent / "results" / "text_and_images.json"
FOLDS, TESTED, SEED = 3, 0.2, 0
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
Frames = tuple[pl.DataFrame, pl.DataFrame]


def sms_spam(data: Path) -> Frames:
    """Messages, spam or ham; quotes are text."""
    lines = (data / "sms_spam" / "SMSSpamCollection.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t", 1) for line in lines if line.split("\t", 1)[0] in ("ham", "spam")]
    return split(pl.DataFrame({"text": [text for _, text in rows], "label": [label for label, _ in rows]}))


def ag_news_test(data: Path) -> Frames:
    """Headlines and first sentences of four kinds of news."""
    with (data / "ag_news_test" / "test.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    labels = [("world", "sports", "business", "science")[int(row[0]) - 1] for row in rows]
    return split(pl.DataFrame({"text": [f"{row[1]} {row[2]}" for row in rows], "label": labels}))


def movie_sentence_polarity(data: Path) -> Frames:
    """Sentences of reviews, positive or negative."""
    return split(pl.read_csv(data / "movie_sentence_polarity" / "rt-polarity.csv").select("text", "label"))


def fashion_mnist_subset(data: Path) -> Frames:
    """Ten kinds of clothes, the split that they come with."""
    folder = data / "fashion_mnist_subset"
    return pl.read_parquet(folder / "train.parquet"), pl.read_parquet(folder / "test.parquet")


def flowers_daisy_tulips(data: Path) -> Frames:
    """Photographs of two kinds of flowers."""
    with zipfile.ZipFile(data / "flowers_daisy_tulips" / "flowers.zip") as archive:
        names = [name for name in sorted(archive.namelist()) if name.lower().endswith((".jpg", ".jpeg"))]
        rows = [(archive.read(name), Path(name).parent.name) for name in names]
    return split(pl.DataFrame(rows, schema={"image": pl.Binary, "label": pl.String}, orient="row"))


def digits_8x8(data: Path) -> Frames:
    """Handwritten digits, a table of pixels."""
    frame = pl.read_csv(data / "digits_8x8" / "digits.csv")
    return split(frame.rename({"target": "label"}))


SETS: dict[str, Callable[[Path], Frames]] = {
    each.__name__: each
    for each in (
        sms_spam,
        ag_news_test,
        movie_sentence_polarity,
        fashion_mnist_subset,
        flowers_daisy_tulips,
        digits_8x8,
    )
}


def split(frame: pl.DataFrame) -> Frames:
    """Take a fifth of each class for the test."""
    order = np.random.default_rng(SEED).permutation(frame.height)
    frame = frame[order].with_columns(place=pl.int_range(pl.len()).over("label"), size=pl.len().over("label"))
    tested = pl.col("place") < TESTED * pl.col("size")
    parts = frame.filter(~tested), frame.filter(tested)
    return parts[0].drop("place", "size"), parts[1].drop("place", "size")


def headrace(train: pl.DataFrame, test: pl.DataFrame, budget: int) -> dict[str, Any]:
    """Run the main job on the two tables, as a user would; returns what the test part and the model showed."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train.write_parquet(place / "train.parquet")
        test.write_parquet(place / "test.parquet")
        command = [sys.executable, "-m", "headrace", "run", "train.parquet", "--target", "label"]
        command += ["--test", "test.parquet", "--budget", f"{budget}s", "--out", "out"]
        started = time.perf_counter()
        subprocess.run(command, check=True, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        document = json.loads((place / "out" / "report.json").read_text())
        predictions = pl.read_csv(place / "out" / "predictions.csv", infer_schema_length=0).sort(
            pl.col("row").cast(int)
        )
        truth = test["label"].cast(pl.String)
        right = predictions["prediction"] == truth
        from headrace.ml.prediction import load

        model = load(place / "out" / "model")
        names = [column.name for column in model.columns]
        rows = test.select(names).head(200).to_dicts()
        times = []
        for row in rows:
            begin = time.perf_counter()
            model.predict(row)
            times.append(time.perf_counter() - begin)
        size = (place / "out" / "model" / "model.onnx").stat().st_size
    return {
        "accuracy": float(right.mean()),  # type: ignore[arg-type]
        "seconds": seconds,
        "one_row_ms": float(np.median(times)) * 1000,
        "model_mb": size / 1e6,
        "decision": document["decision"],
    }


def tuned(train: pl.DataFrame, test: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Fit what a good hand would write in scikit-learn, its penalty chosen by cross-validation."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, LinearSVC

    if "text" in train.columns:
        known, asked = train["text"].to_list(), test["text"].to_list()
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        models: dict[str, Any] = {
            "tf-idf, logistic regression": (words, LogisticRegression(solver="liblinear"), STRENGTHS),
            "tf-idf, linear SVM": (words, LinearSVC(random_state=SEED), STRENGTHS),
        }
        if train["label"].n_unique() > 2:
            del models["tf-idf, logistic regression"]
    else:
        known, asked = pixels(train), pixels(test)
        models = {"pixels, RBF SVM": (StandardScaler(), SVC(), (1.0, 3.0, 10.0))}
    found = {}
    for name, (first, last, strengths) in models.items():
        key = f"{type(last).__name__.lower()}__C"
        started = time.perf_counter()
        search = GridSearchCV(make_pipeline(first, last), {key: list(strengths)}, cv=FOLDS)
        search.fit(known, train["label"].to_list())
        right = np.asarray(search.predict(asked)) == np.asarray(test["label"].to_list())
        found[name] = {"accuracy": float(right.mean()), "C": search.best_params_[key]}
        found[name]["seconds"] = time.perf_counter() - started
    return found


def pixels(frame: pl.DataFrame) -> np.ndarray:
    """Return the pixels of pictures [rows, pixels]; photographs at 32 × 32."""
    if "image" not in frame.columns:
        return frame.drop("label").to_numpy().astype(np.float64)
    from PIL import Image

    opened = [Image.open(io.BytesIO(data)) for data in frame["image"]]
    small = [each if each.size == (28, 28) else each.convert("RGB").resize((32, 32)) for each in opened]
    return np.stack([np.asarray(each, np.float64).ravel() for each in small])


def main() -> None:
    """Measure each data set, write after each, and leave out what was measured before unless asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--only", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    rows: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in arguments.only:
        train, test = SETS[name](arguments.data)
        ours = headrace(train, test, arguments.budget)
        print(name, "headrace", ours, flush=True)
        row = {"rows": train.height, "tested": test.height, "headrace": ours, "peers": tuned(train, test)}
        rows[name] = row | {"budget": arguments.budget}
        print(name, "scikit-learn", row["peers"], flush=True)
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
