"""`headrace coverage`: what is built, read from the classes."""

import json
import subprocess
from collections.abc import Callable

Headrace = Callable[..., subprocess.CompletedProcess[str]]


def test_it_counts_the_operations_of_every_service(headrace: Headrace) -> None:
    lines = headrace("coverage").stdout.splitlines()
    counted = {line.split()[0]: (int(line.split()[1]), int(line.split()[3])) for line in lines}
    told = json.loads(headrace("coverage", "--json").stdout)
    assert counted == {
        name: (len(each["built"]), len(each["built"]) + len(each["missing"])) for name, each in told.items()
    }
    assert {"s3", "sts", "iam", "cloudtrail", "logs", "cloudwatch"} <= set(counted)
    assert "GetCallerIdentity" in told["sts"]["built"]
    assert all(not set(each["built"]) & set(each["missing"]) for each in told.values())


def test_it_lists_the_operations_of_one(headrace: Headrace) -> None:
    lines = headrace("coverage", "sts").stdout.splitlines()
    assert "built GetCallerIdentity" in lines
    assert lines == sorted(lines, key=lambda line: line[6:])


def test_it_writes_the_page_of_the_documentation(headrace: Headrace) -> None:
    page = headrace("coverage", "--markdown").stdout
    assert page.startswith("| service | built | in the model |")
    assert "## s3" in page


def test_it_knows_no_other_services(headrace: Headrace) -> None:
    refused = headrace("coverage", "gamelift")
    assert refused.returncode == 2
    assert refused.stderr.startswith("headrace: no operation of the service 'gamelift' is built; choose one of ")
