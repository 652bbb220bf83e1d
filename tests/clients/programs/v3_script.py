"""SageMaker SDK v3: a script of one's own in a framework image, by ModelTrainer's own drivers."""

import json
import sys
from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import Compute, InputData, SourceCode
from sagemaker.train import ModelTrainer

SCRIPT = """
import argparse, json, os, sys
parser = argparse.ArgumentParser()
parser.add_argument("--power", type=int)
given = parser.parse_args()
lines = open(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "numbers.txt")).read().split()
total = sum(int(line) ** given.power for line in lines)
print(f"total={total};")
open(os.path.join(os.environ["SM_MODEL_DIR"], "total.json"), "w").write(json.dumps(total))
"""

role = sys.argv[1]
session = Session()
bucket = session.default_bucket()
Path("source").mkdir()
Path("source/train.py").write_text(SCRIPT)
Path("numbers.txt").write_text("1 2 3 4")
data = session.upload_data("numbers.txt", bucket, "v3script/train")
trainer = ModelTrainer(
    training_image=image_uris.retrieve("sklearn", session.boto_region_name, "1.2-1"), role=role, sagemaker_session=session, base_job_name="script",
    source_code=SourceCode(source_dir="source", entry_script="train.py"), hyperparameters={"power": 2}, compute=Compute(instance_type="ml.m5.large", instance_count=1),
)  # fmt: skip
trainer.train(input_data_config=[InputData(channel_name="train", data_source=data)], wait=True, logs=True)
job = trainer._latest_training_job
print()
json.dump({"status": job.training_job_status, "artifacts": job.model_artifacts.s3_model_artifacts}, sys.stdout)
