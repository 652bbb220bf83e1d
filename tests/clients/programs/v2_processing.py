"""SageMaker SDK v2: scripts as processing jobs, one alone and one with its source folder."""

import json
import sys
from pathlib import Path

import sagemaker
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor

ALONE = """
import argparse
from sklearn.preprocessing import scale

parser = argparse.ArgumentParser()
parser.add_argument("--factor", type=float)
factor = parser.parse_args().factor
rows = [float(line) for line in open("/opt/ml/processing/input/rows.csv")]
with open("/opt/ml/processing/train/scaled.csv", "w") as scaled:
    scaled.writelines(f"{factor * value}\\n" for value in scale(rows))
"""
WITH_SOURCE = """
from beside import doubled

with open("/opt/ml/processing/out/doubled.csv", "w") as out:
    out.writelines(f"{doubled(float(line))}\\n" for line in open("/opt/ml/processing/input/rows.csv"))
"""
role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
Path("alone.py").write_text(ALONE)
Path("source").mkdir()
Path("source/main.py").write_text(WITH_SOURCE)
Path("source/beside.py").write_text("def doubled(value):\n    return 2 * value\n")
Path("rows.csv").write_text("1\n2\n3\n")
data = ProcessingInput(session.upload_data("rows.csv", bucket, "processed/rows"), "/opt/ml/processing/input")

alone = SKLearnProcessor("1.2-1", role, 1, "ml.m5.large", sagemaker_session=session, base_job_name="alone")
alone.run(
    "alone.py",
    inputs=[data],
    outputs=[ProcessingOutput(output_name="train", source="/opt/ml/processing/train")],
    arguments=["--factor", "10"],
    logs=True,
)
where = alone.latest_job.describe()["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
scaled = S3Downloader.read_file(f"{where}/scaled.csv", session).split()

framework = FrameworkProcessor(
    SKLearn, "1.2-1", role, 1, "ml.m5.large", sagemaker_session=session, base_job_name="framework", code_location=f"s3://{bucket}/processed"
)  # fmt: skip
framework.run(
    "main.py",
    source_dir="source",
    inputs=[data],
    outputs=[
        ProcessingOutput(output_name="out", source="/opt/ml/processing/out", destination=f"s3://{bucket}/processed/out")
    ],
    logs=False,
)
doubled = S3Downloader.read_file(f"s3://{bucket}/processed/out/doubled.csv", session).split()
print()
json.dump({"scaled": scaled, "doubled": doubled}, sys.stdout)
