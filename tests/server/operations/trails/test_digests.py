"""Digest files, judged by the unmodified AWS CLI."""

import gzip
import json
from typing import Any

from headrace.server.clock import system_clock

MINUTE, HOUR = 60_000, 3_600_000


def test_the_cli_validates_a_chain_and_finds_one_changed_byte(bench: Any) -> None:
    begun = system_clock()
    arn = bench.trail("validated", EnableLogFileValidation=True, S3KeyPrefix="some/prefix")["TrailARN"]
    bench.client("iam").create_user(UserName="validated")
    bench.deliver()
    bench.deliver(HOUR)
    bench.client("iam").delete_user(UserName="validated")
    bench.deliver(6 * MINUTE)
    bench.deliver(HOUR)
    ended = bench.deliver(2 * HOUR)
    digests = [key for key in bench.keys("validated") if "CloudTrail-Digest" in key]
    logs = [key for key in bench.keys("validated") if "/CloudTrail/" in key]
    assert len(digests) == 3
    assert len(logs) >= 2
    assert digests[0].startswith(f"some/prefix/AWSLogs/{bench.platform.account}/CloudTrail-Digest/us-east-1/")
    good = bench.validate(arn, begun - MINUTE, ended)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "3/3 digest files valid" in good.stdout
    assert f"{len(logs)}/{len(logs)} log files valid" in good.stdout

    s3 = bench.client("s3")
    whole = s3.get_object(Bucket="validated", Key=logs[0])["Body"].read()
    text = gzip.decompress(whole)
    s3.put_object(Bucket="validated", Key=logs[0], Body=gzip.compress(text.replace(b"CreateUser", b"CreateUses", 1)))
    bad = bench.validate(arn, begun - MINUTE, ended)
    assert bad.returncode == 1
    assert f"1/{len(logs)} log files INVALID" in bad.stdout
    assert "hash value doesn't match" in bad.stderr
    s3.put_object(Bucket="validated", Key=logs[0], Body=whole)

    digest = s3.get_object(Bucket="validated", Key=digests[0])
    changed = json.loads(gzip.decompress(digest["Body"].read()))
    changed["logFiles"] = []
    s3.put_object(
        Bucket="validated",
        Key=digests[0],
        Body=gzip.compress(json.dumps(changed).encode()),
        Metadata=digest["Metadata"],
    )
    forged = bench.validate(arn, begun - MINUTE, ended)
    assert forged.returncode == 1
    assert "signature verification failed" in forged.stderr


def test_the_chain_ends_with_stop_logging_and_begins_anew(bench: Any) -> None:
    trails = bench.client("cloudtrail")
    begun = system_clock()
    arn = bench.trail("chain-ends", EnableLogFileValidation=True)["TrailARN"]
    trails.stop_logging(Name="chain-ends")
    bench.deliver()
    digests = [key for key in bench.keys("chain-ends") if "Digest" in key]
    assert len(digests) == 1
    last = bench.content("chain-ends", digests[0])
    assert len(last["logFiles"]) == 1
    assert last["previousDigestSignature"] is None
    trails.start_logging(Name="chain-ends")
    bench.deliver()
    bench.deliver(HOUR)
    ended = bench.deliver(HOUR)
    assert bench.validate(arn, begun - MINUTE, ended + HOUR).returncode == 0
    again = [bench.content("chain-ends", key) for key in bench.keys("chain-ends") if "Digest" in key]
    assert [each["previousDigestSignature"] is None for each in again].count(True) == 2


def test_digests_say_what_aws_says(bench: Any) -> None:
    bench.trail("well-formed", EnableLogFileValidation=True)
    bench.deliver()
    bench.deliver(HOUR)
    bench.deliver(HOUR)
    first, second = (bench.content("well-formed", key) for key in sorted(bench.keys("well-formed")) if "Digest" in key)
    assert second["previousDigestS3Object"] == first["digestS3Object"]
    assert second["digestStartTime"] == first["digestEndTime"]
    assert second["logFiles"] == []
    assert second["newestEventTime"] is None
    assert first["logFiles"][0]["hashAlgorithm"] == "SHA-256"
    assert len(first["digestPublicKeyFingerprint"]) == 32
    listed = bench.client("cloudtrail").list_public_keys()["PublicKeyList"]
    assert first["digestPublicKeyFingerprint"] in [each["Fingerprint"] for each in listed]
    status = bench.client("cloudtrail").get_trail_status(Name="well-formed")
    assert status["LatestDigestDeliveryTime"]
    head = bench.client("s3").head_object(Bucket="well-formed", Key=first["digestS3Object"])
    assert head["Metadata"]["signature-algorithm"] == "SHA256withRSA"


def test_a_trail_of_all_regions_has_a_chain_a_region(bench: Any) -> None:
    arn = bench.trail("chains", EnableLogFileValidation=True, IsMultiRegionTrail=True)["TrailARN"]
    begun = system_clock()
    bench.client("logs", "eu-west-1").create_log_group(logGroupName="chains")
    bench.deliver()
    ended = bench.deliver(HOUR)
    regions = [key.split("/")[3] for key in bench.keys("chains") if "Digest" in key]
    assert sorted(regions) == ["eu-west-1", "us-east-1"]
    assert bench.validate(arn, begun - MINUTE, ended + HOUR).returncode == 0


def test_turning_validation_off_ends_the_chain(bench: Any) -> None:
    trails = bench.client("cloudtrail")
    bench.trail("turned-off", EnableLogFileValidation=True)
    trails.update_trail(Name="turned-off", EnableLogFileValidation=False)
    bench.deliver()
    bench.deliver(HOUR)
    bench.deliver(HOUR)
    assert len([key for key in bench.keys("turned-off") if "Digest" in key]) == 1
    trails.update_trail(Name="turned-off", EnableLogFileValidation=True)
    bench.deliver(HOUR)
    bench.deliver(HOUR)
    assert len([key for key in bench.keys("turned-off") if "Digest" in key]) >= 2
