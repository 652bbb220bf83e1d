"""What the audit trail shows of a call."""

from datetime import UTC, datetime

import pytest

from headrace.aws import specification
from headrace.aws.gateway.records import shown


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 4, 9, 5, 6, 789000, UTC), "Mar 4, 2026 9:05:06 AM"),
        (datetime(2026, 11, 22, 0, 0, 0, 0, UTC), "Nov 22, 2026 12:00:00 AM"),
        (datetime(2026, 12, 31, 23, 59, 59, 0, UTC), "Dec 31, 2026 11:59:59 PM"),
    ],
)
def test_times_are_written_as_cloudtrail_does(moment: datetime, text: str) -> None:
    operation = specification.service("iam").operation("CreateUser")
    assert operation is not None
    assert shown(operation.output, {"User": {"UserName": "a", "CreateDate": moment}}) == {
        "user": {"userName": "a", "createDate": text}
    }
