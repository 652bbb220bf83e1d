"""Lines that the platform writes, and how they go."""

from types import SimpleNamespace
from typing import cast

from headrace.server.context import Platform
from headrace.server.operations.logs.groups import GROUP
from headrace.server.operations.logs.storing import put_log_lines, sweep
from headrace.server.resources import Place, change, get
from headrace.server.stores.metadata import MetadataStore

PLACE = Place("123456789012", "eu-west-1")
HOUR, DAY = 3_600_000, 86_400_000
NOON = 1_700_000_000_000


def test_log_lines_make_their_group_and_go_when_their_time_has_passed(metadata: MetadataStore) -> None:
    whole = cast(Platform, SimpleNamespace(metadata=metadata))
    with metadata.writing() as connection:
        lines = [(NOON - 3 * DAY, "old"), (NOON, "new"), "", "now"]
        put_log_lines(connection, PLACE, "/aws/x", "one", lines, NOON)
        put_log_lines(connection, PLACE, "/aws/x", "one", ["later"], NOON + 1)
        group = get(connection, GROUP, PLACE, "/aws/x")
    assert sweep(whole, NOON) == 0
    with metadata.writing() as connection:
        change(connection, GROUP, group, now=NOON, record=group.record | {"retention_in_days": 1})
    assert sweep(whole, NOON + HOUR) == 1
    with metadata.reading() as connection:
        found = [bytes(row[0]) for row in connection.exec_driver_sql("SELECT message FROM log_events ORDER BY id")]
        stored = connection.exec_driver_sql("SELECT stored, first_event FROM log_streams").one()
    assert found == [b"new", b"now", b"later"]
    assert (stored.stored, stored.first_event) == (3 + 3 + 5 + 3 * 26, NOON)
