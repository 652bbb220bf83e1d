"""Who a request comes from, and the keys that requests are signed with."""

from headrace.server.security.credentials.access_keys import (
    KeyRecord,
    access_keys_of,
    create_access_key,
    delete_access_key,
    find_access_key,
    find_key,
    rename_user,
    set_active,
)
from headrace.server.security.credentials.account import (
    FirstStart,
    Recovery,
    check_signing_key,
    first_start,
    read_credentials,
    recover,
    root,
)
from headrace.server.security.credentials.callers import ANONYMOUS, AccessKey, Caller
from headrace.server.security.credentials.identifiers import account_of, new_access_key_id
from headrace.server.security.credentials.sessions import Session, end_sessions, issue_session, open_session

__all__ = [
    "ANONYMOUS",
    "AccessKey",
    "Caller",
    "FirstStart",
    "KeyRecord",
    "Recovery",
    "Session",
    "access_keys_of",
    "account_of",
    "check_signing_key",
    "create_access_key",
    "delete_access_key",
    "end_sessions",
    "find_access_key",
    "find_key",
    "first_start",
    "issue_session",
    "new_access_key_id",
    "open_session",
    "read_credentials",
    "recover",
    "rename_user",
    "root",
    "set_active",
]
