"""Jobs of the durable queue, and their logs."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from headrace.server.stores.metadata.tables.declaration import METADATA, Identity, Milliseconds

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", Identity, primary_key=True, autoincrement=True),
    Column("kind", String(80), nullable=False),
    Column("payload", Text, nullable=False, comment="what its handler is given, JSON"),
    Column("resource_arn", String(1024), nullable=False, server_default="", comment="the resource it works for"),
    Column("token", String(160), nullable=False, server_default="", comment="idempotency token, unique in its kind"),
    Column("priority", Integer, nullable=False, server_default="0", comment="higher goes first"),
    Column("user_code", Boolean, nullable=False, comment="runs code that a user brought"),
    Column("memory", BigInteger, nullable=True, comment="most bytes that its processes may hold; null for no limit"),
    Column("timeout", Milliseconds, nullable=True, comment="most milliseconds that one attempt may take"),
    Column("most_attempts", Integer, nullable=False, comment="attempts that may fail before it is dead"),
    Column("state", String(12), nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0", comment="claims so far: the fencing token"),
    Column("failures", Integer, nullable=False, server_default="0", comment="attempts that failed"),
    Column("not_before", Milliseconds, nullable=False, comment="not claimed before this time"),
    Column("pause", Milliseconds, nullable=False, server_default="0", comment="how long to wait before a new attempt"),
    Column("owner", String(200), nullable=False, server_default="", comment="the worker that runs it"),
    Column(
        "beat", BigInteger, nullable=False, server_default="0", comment="grows with every sign of life of its owner"
    ),
    Column("progress", Text, nullable=False, server_default="{}", comment="step, fraction and message, JSON"),
    Column("reason", Text, nullable=False, server_default="", comment="why it is where it is, one sentence"),
    Column("result", Text, nullable=True, comment="what its handler answered, JSON"),
    Column("lines", Integer, nullable=False, server_default="0", comment="lines of its log"),
    Column("created", Milliseconds, nullable=False),
    Column("started", Milliseconds, nullable=True, comment="start of the latest attempt"),
    Column("ended", Milliseconds, nullable=True),
    Index(None, "state", "priority", "id"),
    Index(None, "resource_arn"),
)

Index(
    "uq_jobs_kind_token",
    JOBS.c.kind,
    JOBS.c.token,
    unique=True,
    sqlite_where=JOBS.c.token != "",
    postgresql_where=JOBS.c.token != "",
)

JOB_LOG = Table(
    "job_log",
    METADATA,
    Column("job", BigInteger, primary_key=True),
    Column("line", Integer, primary_key=True, comment="counted from 0 over all attempts"),
    Column("attempt", Integer, nullable=False),
    Column("time", Milliseconds, nullable=False),
    Column("text", Text, nullable=False),
)
