"""SageMaker SDK v2, flows 3 and 4: a multi-model endpoint, batch transform, an asynchronous endpoint, data capture."""

import json
import sys
from pathlib import Path

import abalone
import sagemaker
from sagemaker.async_inference import AsyncInferenceConfig
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

role = sys.argv[1]
session = sagemaker.Session()
bucket = session.default_bucket()
image = sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")


def fitted(seed: int) -> Estimator:
    table = (f"{rings}," + ",".join(map(str, features)) for rings, features in abalone.rows(1500, seed))
    Path(f"{seed}.csv").write_text("".join(f"{line}\n" for line in table))
    data = session.upload_data(f"{seed}.csv", bucket, f"many/{seed}")
    estimator = Estimator(image, role, 1, "ml.m5.xlarge", output_path=f"s3://{bucket}/many/output", sagemaker_session=session,
                          hyperparameters={"num_round": 10 * seed})  # fmt: skip
    estimator.fit({"train": TrainingInput(data, content_type="text/csv")}, logs=False)
    return estimator


first, second = fitted(1), fitted(2)
row = ",".join(str(value) for value in abalone.rows(1, 3)[0][1])
many = MultiDataModel(
    sagemaker.utils.unique_name_from_base("many"), f"s3://{bucket}/many/models/", model=first.create_model(role=role, image_uri=image),
    sagemaker_session=session,
)  # fmt: skip
many.add_model(first.model_data, "first.tar.gz")
predictor = many.deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
one = predictor.predict(row, target_model="first.tar.gz")
many.add_model(second.model_data, "second.tar.gz")
two = predictor.predict(row, target_model="second.tar.gz")
listed = sorted(many.list_models())
predictor.delete_model()
predictor.delete_endpoint()

Path("batch.csv").write_text(
    "".join(f"{at}," + ",".join(map(str, features)) + "\n" for at, (_, features) in enumerate(abalone.rows(50, 4)))
)
batch = session.upload_data("batch.csv", bucket, "many/batch")
transformer = first.transformer(
    1,
    "ml.m5.large",
    strategy="MultiRecord",
    assemble_with="Line",
    output_path=f"s3://{bucket}/many/out",
    accept="text/csv",
)
transformer.transform(
    batch,
    content_type="text/csv",
    split_type="Line",
    input_filter="$[1:]",
    join_source="Input",
    output_filter="$[0,-1]",
    logs=False,
)
transformer.wait(logs=False)
transformed = session.read_s3_file(bucket, "many/out/batch.csv.out")

capture = DataCaptureConfig(True, sampling_percentage=100, destination_s3_uri=f"s3://{bucket}/many/captured")
plain = second.deploy(
    1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer(), data_capture_config=capture
)
plain.predict(row)
waiting = first.deploy(
    1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer(),
    async_inference_config=AsyncInferenceConfig(output_path=f"s3://{bucket}/many/async"),
)  # fmt: skip
later = waiting.predict_async(row).get_result(sagemaker.async_inference.WaiterConfig(max_attempts=30, delay=1))
for each in (plain, waiting):
    each.delete_model() if isinstance(each, Predictor) else each.predictor.delete_model()
    each.delete_endpoint()
print()
json.dump(
    {"one": one, "two": two, "listed": listed, "transformed": transformed, "later": later, "bucket": bucket}, sys.stdout
)
