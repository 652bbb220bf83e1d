"""Who has which policies, who belongs to what, and when it was last used; principals are named by their unique ids."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from headrace.server.stores.metadata.tables.declaration import METADATA, Milliseconds

UNIQUE_IDS = Table(
    "identity_unique_ids",
    METADATA,
    Column(
        "id", String(64), primary_key=True, comment="AIDA…, AROA…, AGPA…, AIPA…: outlives renames, never used again"
    ),
    Column("arn", String(1024), nullable=False, unique=True, comment="of the resource that has it now"),
)

IDENTITY_POLICIES = Table(
    "identity_policies",
    METADATA,
    Column("owner", String(64), primary_key=True, comment="unique id of a user, group or role"),
    Column("kind", String(10), primary_key=True, comment="inline, attached or boundary"),
    Column("name", String(512), primary_key=True, comment="name of an inline policy, ARN of a managed one"),
    Column("document", Text, nullable=True, comment="of an inline policy"),
    Index(None, "name"),
)

POLICY_VERSIONS = Table(
    "policy_versions",
    METADATA,
    Column("policy", String(512), primary_key=True, comment="ARN of a managed policy"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("preferred", Boolean, nullable=False, comment="whether it is the default version"),
    Column("created", Milliseconds, nullable=False),
)

MEMBERSHIPS = Table(
    "identity_memberships",
    METADATA,
    Column("member", String(64), primary_key=True, comment="unique id of a user (in a group) or role (in a profile)"),
    Column("container", String(64), primary_key=True, comment="unique id of a group or instance profile"),
    Index(None, "container"),
)

LAST_USES = Table(
    "identity_last_uses",
    METADATA,
    Column("subject", String(128), primary_key=True, comment="access key id, or unique id of a user or role"),
    Column("used", Milliseconds, nullable=False),
    Column("service", String(64), nullable=False),
    Column("region", String(32), nullable=False),
)
