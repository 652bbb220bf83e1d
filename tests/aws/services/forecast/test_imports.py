"""Dataset import jobs of Amazon Forecast through boto3: what is imported, what can't be, and what is left of it."""

import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from botocore.exceptions import ClientError

ENDED = ("ACTIVE", "CREATE_FAILED", "CREATE_STOPPED")
ROWS = [f"2024-01-{day:02} 00:00:00,{item},{day * 1.5}" for day in range(1, 11) for item in ("bread", "milk")]
TABLE = "\n".join(ROWS).encode() + b"\n"


@pytest.fixture
def load(
    forecast: Any, named: Callable[[str], str], upload: Callable[..., str], forecast_role: str, wait: Callable[..., Any]
) -> Callable[..., dict[str, Any]]:
    """Return what imports bytes, or what lies at a path, into a dataset, waits for its end and describes the job."""

    def ended(dataset: str, content: bytes | str, **request: Any) -> dict[str, Any]:
        path = content if isinstance(content, str) else upload(f"{named('import')}/rows", content)
        source = {"S3Config": {"Path": path, "RoleArn": request.pop("RoleArn", forecast_role)}}
        arn = forecast.create_dataset_import_job(
            DatasetImportJobName=named("job"), DatasetArn=dataset, DataSource=source, **request
        )["DatasetImportJobArn"]
        found: dict[str, Any] = wait(
            lambda: forecast.describe_dataset_import_job(DatasetImportJobArn=arn),
            lambda answer: answer["Status"] in ENDED,
            240,
        )
        return found

    return ended


@pytest.fixture
def failure(load: Callable[..., dict[str, Any]]) -> Callable[..., str]:
    """Return what imports something that fails, and returns the message."""

    def said(*given: Any, **request: Any) -> str:
        found = load(*given, **request)
        assert found["Status"] == "CREATE_FAILED", found
        assert "DataSize" not in found
        return str(found["Message"])

    return said


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


def test_csv_is_imported_and_told_of_field_by_field(
    forecast: Any, make_dataset: Callable[..., str], load: Callable[..., dict[str, Any]]
) -> None:
    dataset = make_dataset()
    found = load(dataset, TABLE)
    assert (found["Status"], found["Format"], found["ImportMode"]) == ("ACTIVE", "CSV", "FULL"), found
    name = dataset.rpartition("/")[2]
    assert found["DatasetImportJobArn"].split(":", 5)[5] == f"dataset-import-job/{name}/{found['DatasetImportJobName']}"
    assert found["DataSize"] == pytest.approx(len(TABLE) / 1e9)
    fields = found["FieldStatistics"]
    assert fields["item_id"] == {"Count": 20, "CountDistinct": 2, "CountNull": 0}
    assert fields["timestamp"] == {
        "Count": 20, "CountDistinct": 10, "CountNull": 0, "Min": "2024-01-01T00:00:00Z", "Max": "2024-01-10T00:00:00Z",
    }  # fmt: skip
    value = fields["target_value"]
    assert (value["Min"], value["Max"], value["Avg"], value["CountNan"]) == ("1.5", "15.0", 8.25, 0)
    assert value["Stddev"] == pytest.approx(4.3084, abs=1e-4)
    assert forecast.describe_dataset(DatasetArn=dataset)["Status"] == "ACTIVE"


def test_parquet_and_folders_of_files(
    upload: Callable[..., str], make_dataset: Callable[..., str], load: Callable[..., dict[str, Any]]
) -> None:
    days = [datetime(2024, 1, day) for day in (1, 2)]
    first = parquet(item_id=[1, 1], target_value=[1, 2], timestamp=days)
    upload("parts/a.parquet", first)
    upload("parts/b.parquet", parquet(item_id=["2"], target_value=["3.5"], timestamp=["2024-01-03 00:00:00"]))
    path = upload("parts_of_others/c.parquet", b"nothing").rpartition("/")[0].removesuffix("_of_others")
    found = load(make_dataset(), path, Format="PARQUET")
    assert found["Status"] == "ACTIVE", found
    assert found["FieldStatistics"]["target_value"]["Max"] == "3.5"
    assert found["FieldStatistics"]["item_id"]["CountDistinct"] == 2


def test_an_incremental_import_replaces_rows_of_the_same_key_and_keeps_the_others(
    forecast: Any, make_dataset: Callable[..., str], load: Callable[..., dict[str, Any]], imported: Callable[..., Any],
    named: Callable[[str], str], wait: Callable[..., Any],
) -> None:  # fmt: skip
    dataset, milk = make_dataset(), named("milk")
    table = TABLE.replace(b"milk", milk.encode())
    with pytest.raises(ClientError, match="the first import must be FULL"):
        load(dataset, table, ImportMode="INCREMENTAL")
    first = load(dataset, table)
    rows = f"2024-01-10 00:00:00,{milk},99\n2024-01-11 00:00:00,{milk},7\n"
    load(dataset, rows.encode(), ImportMode="INCREMENTAL")
    (frame,) = wait(lambda: imported(milk), lambda frames: len(frames) == 1, 240)
    assert frame.schema == {"timestamp": pl.Datetime("us"), "item_id": pl.String, "target_value": pl.Float64}
    assert frame.sort("timestamp", "item_id")["target_value"].to_list()[-3:] == [15.0, 99.0, 7.0]
    assert len(frame) == 21
    with pytest.raises(ClientError, match="can't change timestamp_format"):
        load(dataset, table, ImportMode="INCREMENTAL", TimestampFormat="yyyy-MM-dd")
    forecast.delete_dataset_import_job(DatasetImportJobArn=first["DatasetImportJobArn"])
    tea = named("tea")
    assert load(dataset, f"2025-01-01 00:00:00,{tea},1\n".encode())["Status"] == "ACTIVE"
    assert len(imported(tea)) == 1
    wait(lambda: imported(milk), lambda frames: not frames, 240)


@pytest.fixture
def imported(server: Any) -> Callable[[str], list[pl.DataFrame]]:
    """Return what reads all that is kept of an item, from the server's own store of objects."""

    def read(item: str) -> list[pl.DataFrame]:
        contents = [path.read_bytes() for path in (server.data / "objects").rglob("*") if path.is_file()]
        frames = [pl.read_parquet(each) for each in contents if each.startswith(b"PAR1")]
        return [frame for frame in frames if "item_id" in frame and item in frame["item_id"].cast(pl.String)]

    return read


def test_a_failed_import_names_the_row_and_leaves_what_was_there(
    forecast: Any, make_dataset: Callable[..., str], load: Callable[..., dict[str, Any]], imported: Callable[..., Any],
    failure: Callable[..., str], bucket: str, named: Callable[[str], str],
) -> None:  # fmt: skip
    dataset, milk = make_dataset(), named("milk")
    load(dataset, TABLE.replace(b"milk", milk.encode()))
    message = failure(dataset, TABLE + b"2024-01-11 00:00:00,milk,many\n")
    assert message.startswith("Row 21 of s3://")
    assert "has 'many' in the column 'target_value', which is not a number" in message
    assert "There are no rows in s3://" in failure(dataset, b"")
    assert "There is no object at s3://" in failure(dataset, f"s3://{bucket}/nothing/here")
    assert "No S3 objects found" in failure(dataset, "s3://no-such-bucket-of-ours/x")
    assert forecast.describe_dataset(DatasetArn=dataset)["Status"] == "ACTIVE"
    assert [len(frame) for frame in imported(milk)] == [20]


def test_roles_that_may_not_read_or_are_not_trusted(
    make_dataset: Callable[..., str], load: Callable[..., Any], failure: Callable[..., str], make_role: Callable[..., str],
    forecast_role: str, client: Callable[..., Any],
) -> None:  # fmt: skip
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "forecast.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
    lists = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}}
    dataset = make_dataset()
    assert "AccessDenied (403)" in failure(dataset, TABLE, RoleArn=make_role(lists, trust))
    assert "AccessDenied (403)" in failure(dataset, TABLE, RoleArn=make_role(None, trust))
    for role, said in (
        (make_role(), "Could not assume role"),
        (f"{forecast_role}x", "Could not assume role"),
        (forecast_role.replace("::", "::9", 1)[:-1], "of another account"),
        (dataset, "is not the ARN of an IAM role"),
    ):
        with pytest.raises(ClientError, match=said) as raised:
            load(dataset, TABLE, RoleArn=role)
        assert raised.value.response["Error"]["Code"] == "InvalidInputException"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TimestampFormat": "dd.MM.yyyy"}, "is neither 'yyyy-MM-dd' nor"),
        ({"TimestampFormat": "yyyy-MM-dd"}, "which data of the frequency 2H needs"),
        ({"TimeZone": "Mars/Olympus"}, "is no time zone"),
        ({"GeolocationFormat": "LAT_LONG"}, "has no attribute of type geolocation"),
        ({"UseGeolocationForTimeZone": True}, "has no attribute of type geolocation"),
        ({"ImportMode": "PARTIAL"}, "enum value set"),
        ({"Format": "ORC"}, "'format' failed"),
    ],
)
def test_a_request_that_can_not_be(
    forecast: Any, named: Callable[[str], str], make_dataset: Callable[..., str], forecast_role: str,
    changes: dict[str, Any], said: str,
) -> None:  # fmt: skip
    dataset = make_dataset(DataFrequency="2H")
    given = {"DataSource": {"S3Config": {"Path": "s3://b/x", "RoleArn": forecast_role}}, **changes}
    with pytest.raises(ClientError, match=said) as raised:
        forecast.create_dataset_import_job(DatasetImportJobName=named("job"), DatasetArn=dataset, **given)
    assert raised.value.response["Error"]["Code"] == "InvalidInputException"


def test_geolocations_need_their_format(
    make_dataset: Callable[..., str], load: Callable[..., dict[str, Any]], failure: Callable[..., str]
) -> None:
    dataset = make_dataset(
        [("timestamp", "timestamp"), ("item_id", "string"), ("target_value", "float"), ("at", "geolocation")]
    )
    rows = b"2024-01-01 00:00:00,a,1,US_98121\n"
    with pytest.raises(ClientError, match="say in GeolocationFormat how it is written"):
        load(dataset, rows)
    with pytest.raises(ClientError, match="exclude each other"):
        load(dataset, rows, GeolocationFormat="CC_POSTALCODE", UseGeolocationForTimeZone=True, TimeZone="UTC")
    assert "not a geolocation like 47.61_-122.33" in failure(dataset, rows, GeolocationFormat="LAT_LONG")
    found = load(dataset, rows, GeolocationFormat="CC_POSTALCODE", UseGeolocationForTimeZone=True)
    assert (found["Status"], found["UseGeolocationForTimeZone"]) == ("ACTIVE", True)


def test_an_import_in_progress_is_alone_and_can_be_stopped(
    forecast: Any, named: Callable[[str], str], make_dataset: Callable[..., str], upload: Callable[..., str],
    forecast_role: str, wait: Callable[..., Any],
) -> None:  # fmt: skip
    dataset, source = make_dataset(), upload("large.csv", TABLE * 50_000)
    given = {"DatasetArn": dataset, "DataSource": {"S3Config": {"Path": source, "RoleArn": forecast_role}}}
    arn = forecast.create_dataset_import_job(DatasetImportJobName="first", **given)["DatasetImportJobArn"]
    assert forecast.describe_dataset(DatasetArn=dataset)["Status"].startswith("UPDATE_")
    for call, members in (
        (forecast.create_dataset_import_job, {"DatasetImportJobName": "second", **given}),
        (forecast.delete_dataset_import_job, {"DatasetImportJobArn": arn}),
        (forecast.delete_dataset, {"DatasetArn": dataset}),
        (forecast.delete_resource_tree, {"ResourceArn": dataset}),
    ):
        with pytest.raises(ClientError) as raised:
            call(**members)
        assert raised.value.response["Error"]["Code"] == "ResourceInUseException"
    forecast.stop_resource(ResourceArn=arn)
    stopped = wait(
        lambda: forecast.describe_dataset_import_job(DatasetImportJobArn=arn),
        lambda answer: answer["Status"] == "CREATE_STOPPED",
        240,
    )
    assert "FieldStatistics" not in stopped
    assert forecast.describe_dataset(DatasetArn=dataset)["Status"] == "ACTIVE"
    forecast.stop_resource(ResourceArn=arn)
    with pytest.raises(ClientError, match="still has resources that belong to it"):
        forecast.delete_dataset(DatasetArn=dataset)
    with pytest.raises(ClientError, match="is not the ARN of a monitor"):
        forecast.resume_resource(ResourceArn=arn)
    with pytest.raises(ClientError, match="A dataset can't be stopped"):
        forecast.stop_resource(ResourceArn=dataset)
    other = forecast.create_dataset_import_job(DatasetImportJobName="second", **given)["DatasetImportJobArn"]

    def listed(*filters: tuple[str, str, str]) -> list[str]:
        asked = [{"Key": key, "Condition": condition, "Value": value} for key, condition, value in filters]
        found = forecast.list_dataset_import_jobs(Filters=asked)["DatasetImportJobs"]
        return [each["DatasetImportJobArn"] for each in found]

    assert listed(("DatasetArn", "IS", dataset)) == [other, arn]
    assert listed(("DatasetArn", "IS", dataset), ("Status", "IS", "CREATE_STOPPED")) == [arn]
    assert listed(("DatasetArn", "IS", dataset), ("Status", "IS_NOT", "CREATE_STOPPED")) == [other]
    assert arn not in listed(("DatasetArn", "IS_NOT", dataset))
    with pytest.raises(ClientError, match="is none of DatasetArn, Status"):
        listed(("Name", "IS", "x"))
    forecast.stop_resource(ResourceArn=other)
    wait(
        lambda: forecast.describe_dataset_import_job(DatasetImportJobArn=other),
        lambda answer: answer["Status"] in ENDED,
        240,
    )
    forecast.delete_resource_tree(ResourceArn=dataset)
    with pytest.raises(ClientError, match="No resource found"):
        forecast.describe_dataset_import_job(DatasetImportJobArn=arn)


def test_who_may_import_must_be_allowed_to_pass_the_role(
    client: Callable[..., Any], named: Callable[[str], str], make_dataset: Callable[..., str], forecast_role: str
) -> None:
    iam, user, dataset = client("iam"), named("user"), make_dataset()
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = client("forecast", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    jobs = dataset.replace(":dataset/", ":dataset-import-job/")
    statements = [{"Effect": "Allow", "Action": "forecast:CreateDatasetImportJob", "Resource": f"{jobs}/allowed*"}]
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": forecast_role}
    passing["Condition"] = {"StringEquals": {"iam:PassedToService": "forecast.amazonaws.com"}}

    def imported(name: str) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=document)
        source = {"S3Config": {"Path": "s3://no-such-bucket-of-ours/x", "RoleArn": forecast_role}}
        mine.create_dataset_import_job(DatasetImportJobName=name, DatasetArn=dataset, DataSource=source)

    with pytest.raises(ClientError, match="iam:PassRole"):
        imported("allowed")
    statements.append(passing)
    with pytest.raises(ClientError, match="forecast:CreateDatasetImportJob"):
        imported("other")
    imported("allowed")
    with pytest.raises(ClientError, match="forecast:ListDatasetImportJobs"):
        mine.list_dataset_import_jobs()
