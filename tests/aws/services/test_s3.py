"""Amazon S3 as boto3 and browsers meet it."""

import io
import itertools
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

NUMBERS = itertools.count()
HTTP = urllib3.PoolManager()


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"s3-{os.getpid()}-{next(NUMBERS)}"
    s3.create_bucket(Bucket=name)
    return name


def refused(call: Callable[..., Any], **given: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**given)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_an_object_there_and_back(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="a/ü +?#%/b", Body=b"body", Metadata={"colour": "red"}, Tagging="a=b")
    got = s3.get_object(Bucket=bucket, Key="a/ü +?#%/b")
    assert (got["Body"].read(), got["ETag"], got["Metadata"]) == (b"body", put["ETag"], {"colour": "red"})
    assert (got["ContentLength"], got["TagCount"], got["AcceptRanges"]) == (4, 1, "bytes")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/ü +?#%/b"]
    assert s3.head_object(Bucket=bucket, Key="a/ü +?#%/b")["ContentType"] == "binary/octet-stream"
    deleted = s3.delete_object(Bucket=bucket, Key="a/ü +?#%/b")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_statuses_that_are_not_in_the_model(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")["ETag"]
    part = s3.get_object(Bucket=bucket, Key="key", Range="bytes=2-4")
    assert (part["ResponseMetadata"]["HTTPStatusCode"], part["ContentRange"]) == (206, "bytes 2-4/10")
    assert part["Body"].read() == b"234"
    assert refused(s3.get_object, Bucket=bucket, Key="key", Range="bytes=10-") == (416, "InvalidRange")
    assert refused(s3.get_object, Bucket=bucket, Key="key", IfNoneMatch=etag) == (304, "304")
    assert refused(s3.get_object, Bucket=bucket, Key="key", IfMatch='"x"') == (412, "PreconditionFailed")
    assert refused(s3.head_object, Bucket=bucket, Key="none") == (404, "404")
    assert refused(s3.put_object, Bucket=bucket, Key="key", IfNoneMatch="*") == (412, "PreconditionFailed")
    policy = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "s3:GetObject"}
    document = json.dumps({"Statement": [policy | {"Resource": f"arn:aws:s3:::{bucket}/*"}]})
    assert s3.put_bucket_policy(Bucket=bucket, Policy=document)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == document


def test_errors_are_s3s(s3: Any, bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey) as caught:
        s3.get_object(Bucket=bucket, Key="nothing")
    assert caught.value.response["Error"]["Key"] == "nothing"
    with pytest.raises(s3.exceptions.NoSuchBucket) as caught:
        s3.list_objects_v2(Bucket=f"{bucket}-none")
    assert caught.value.response["Error"]["BucketName"] == f"{bucket}-none"
    assert refused(s3.put_object, Bucket=bucket, Key="k" * 1025) == (400, "KeyTooLongError")
    assert refused(s3.get_bucket_cors, Bucket=bucket) == (404, "NoSuchCORSConfiguration")
    assert refused(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner="000000000000") == (403, "403")


def test_delete_markers_are_told_in_headers(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="key")
    assert marker["DeleteMarker"]
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="key")
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    found = refused(s3.get_object, Bucket=bucket, Key="key", VersionId=marker["VersionId"])
    assert found == (405, "MethodNotAllowed")
    assert s3.get_object(Bucket=bucket, Key="key", VersionId=version)["Body"].read() == b"x"


def test_a_large_file_goes_in_parts_and_comes_back(s3: Any, bucket: str) -> None:
    content = os.urandom(1 << 20) * 20
    s3.upload_fileobj(io.BytesIO(content), bucket, "large")
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    target = io.BytesIO()
    s3.download_fileobj(bucket, "large", target)
    assert target.getvalue() == content
    attributes = s3.get_object_attributes(
        Bucket=bucket, Key="large", ObjectAttributes=["ObjectParts", "Checksum", "ObjectSize"]
    )
    assert attributes["ObjectSize"] == len(content)
    assert [part["Size"] for part in attributes["ObjectParts"]["Parts"]] == [8 << 20, 8 << 20, 4 << 20]
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copy")
    assert s3.get_object(Bucket=bucket, Key="copy", Range="bytes=-7")["Body"].read() == content[-7:]


def test_many_are_deleted_at_once(s3: Any, bucket: str) -> None:
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=str(number))
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": str(n)} for n in range(3)]})
    assert [each["Key"] for each in answer["Deleted"]] == ["0", "1", "2"]
    assert "Errors" not in answer
    s3.delete_bucket(Bucket=bucket)


def test_presigned_addresses(s3: Any, bucket: str, client: Callable[..., Any]) -> None:
    signing = client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    put = signing.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "key"})
    assert HTTP.request("PUT", put, body=b"presigned").status == 200
    get = signing.generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "key", "ResponseContentType": "text/plain"}
    )
    answer = HTTP.request("GET", get)
    assert (answer.status, answer.data, answer.headers["content-type"]) == (200, b"presigned", "text/plain")
    assert HTTP.request("GET", get.replace("key?", "other?")).status == 403


@pytest.mark.parametrize("size", [3, 3 << 20])
def test_a_browsers_form_uploads(s3: Any, bucket: str, client: Callable[..., Any], size: int) -> None:
    signing = client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    fields = {"success_action_status": "201", "x-amz-meta-a": "b", "Content-Type": "text/plain"}
    conditions = [{name: value} for name, value in fields.items()] + [["content-length-range", 2, 4 << 20]]
    form = signing.generate_presigned_post(bucket, "up/${filename}", Fields=dict(fields), Conditions=conditions)
    content = os.urandom(size)
    answer = HTTP.request("POST", form["url"], fields={**form["fields"], "file": ("name.txt", content)})
    assert answer.status == 201, answer.data
    assert b"<Key>up/name.txt</Key>" in answer.data
    found = s3.get_object(Bucket=bucket, Key="up/name.txt")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (content, {"a": "b"}, "text/plain")
    for change, status in (
        ({"key": "elsewhere"}, 403),
        ({"x-amz-meta-a": "c"}, 403),
        ({"x-amz-signature": "0" * 64}, 403),
        ({"file": ("name.txt", b"x")}, 400),
        ({"file": ("name.txt", bytes(5 << 20))}, 400),
    ):
        wrong = {**form["fields"], "file": ("name.txt", content)} | change
        assert HTTP.request("POST", form["url"], fields=wrong).status == status, change
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 1


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"garbage", "multipart/form-data; boundary=x", b"MalformedPOSTRequest"),
        (b"", "multipart/form-data", b"MalformedPOSTRequest"),
        (b'--x\r\ncontent-disposition: form-data; name="key"\r\n\r\nk\r\n--x--\r\n', "multipart/form-data; boundary=x",
         b"InvalidArgument"),
        (b'--x\r\ncontent-disposition: form-data; name="key"\r\n\r\n' + b"k" * 21_000 + b"\r\n--x--\r\n",
         "multipart/form-data; boundary=x", b"MaxPostPreDataLengthExceeded"),
        (b'--x\r\ncontent-disposition: form-data; name="key"\r\n\r\nk\r\n--x\r\n'
         b'content-disposition: form-data; name="file"\r\n\r\nhalf', "multipart/form-data; boundary=x", b""),
    ],
)  # fmt: skip
def test_broken_forms(server: Any, s3: Any, bucket: str, body: bytes, kind: str, code: bytes) -> None:
    answer = HTTP.request("POST", f"{server.endpoint}/{bucket}", body=body, headers={"content-type": kind})
    assert 400 <= answer.status < 500
    assert code in answer.data
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_pages_of_other_origins(server: Any, s3: Any, bucket: str) -> None:
    rules = [{"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://a.example"], "ExposeHeaders": ["ETag"]}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    url = f"{server.endpoint}/{bucket}/key"
    asking = {"origin": "https://a.example", "access-control-request-method": "PUT"}
    answer = HTTP.request("OPTIONS", url, headers=asking)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://a.example")
    refusal = HTTP.request("OPTIONS", url, headers=asking | {"access-control-request-method": "DELETE"})
    assert (refusal.status, b"<Code>AccessForbidden</Code>" in refusal.data) == (403, True)
    unsigned = HTTP.request("PUT", url, body=b"x", headers={"origin": "https://a.example"})
    assert (unsigned.status, unsigned.headers["access-control-allow-origin"]) == (403, "https://a.example")
    assert unsigned.headers["access-control-expose-headers"] == "ETag"


def test_nobody_reads_what_is_not_public(server: Any, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"secret")
    for method, path in (("GET", "key"), ("HEAD", "key"), ("GET", "?list-type=2"), ("PUT", "new"), ("DELETE", "key")):
        assert HTTP.request(method, f"{server.endpoint}/{bucket}/{path}").status == 403, (method, path)
    s3.delete_public_access_block(Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert HTTP.request("GET", f"{server.endpoint}/{bucket}/key").data == b"secret"
    assert HTTP.request("GET", f"{server.endpoint}/{bucket}/").status == 403


@pytest.mark.parametrize("key", ["../../secret", "..%2f..%2fsecret", "./a/../b", "a//b", "%2e%2e/x", "C:\\x"])
def test_a_key_is_no_path(server: Any, s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert not list(server.data.parent.glob("**/secret"))
