"""A program of a user of the SageMaker SDK: the default bucket, and data in it. Run by the tests, in its environment."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

if version("sagemaker").startswith("2."):
    from sagemaker import Session
else:
    from sagemaker.core.helper.session_helper import Session

session = Session()
bucket = session.default_bucket()
Path("train").mkdir()
Path("train/a.csv").write_text("1,2\n")
Path("train/b.csv").write_text("3,4\n")
where = session.upload_data("train", key_prefix="data")
read = session.read_s3_file(bucket, "data/a.csv")
files = session.list_s3_files(bucket, "data")
json.dump(
    {"version": version("sagemaker"), "bucket": bucket, "where": where, "read": read, "files": sorted(files),
     "region": session.boto_region_name, "again": Session().default_bucket()}, sys.stdout
)  # fmt: skip
