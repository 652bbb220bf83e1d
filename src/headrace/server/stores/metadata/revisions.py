"""Writes revisions of the tables, for developers: `python -m headrace.server.stores.metadata.revisions --help`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import Connection, String, Table

from headrace.server.stores.metadata import tables
from headrace.server.stores.metadata.engines import engines, read_url
from headrace.server.stores.metadata.migrations import VERSIONS, revisions, run_revisions
from headrace.server.stores.metadata.tables import METADATA

TEMPLATE = '''"""{title}."""

import sqlalchemy as sa
from alembic import op

from headrace.server.stores.metadata.tables.declaration import words

revision = "{revision}"
down_revision = {before}


def upgrade() -> None:
    """Change the tables; {undo}."""
    {code}
'''


def subjects() -> dict[str, list[Table]]:
    """Return the tables of each module of tables/, so ordered that a table comes after those it refers to."""
    names = sorted(each.name for each in pkgutil.iter_modules(tables.__path__))
    modules = {name: importlib.import_module(f"{tables.__name__}.{name}") for name in names}
    order = {table.name: number for number, table in enumerate(METADATA.sorted_tables)}
    found: dict[str, list[Table]] = {}
    for name, module in modules.items():
        mine = [each for each in vars(module).values() if isinstance(each, Table) and each.metadata is METADATA]
        if mine:
            found[name] = sorted(mine, key=lambda table: order[table.name])
    return dict(sorted(found.items(), key=lambda each: max(order[table.name] for table in each[1])))


def write_initial() -> list[Path]:
    """Replace all revisions by those that create the present tables, one a subject: only before the first release."""
    for path in VERSIONS.glob("revision_*.py"):
        path.unlink()
    written = []
    for subject, found in subjects().items():
        steps: list[ops.MigrateOperation] = []
        for table in found:
            steps.append(ops.CreateTableOp.from_table(table))
            indexes = sorted(table.indexes, key=lambda each: str(each.name))
            steps += [ops.CreateIndexOp.from_index(index) for index in indexes]
        written.append(_write(f"Creates the tables of {subject.replace('_', ' ')}", subject, ops.UpgradeOps(steps)))
    return written


def write_next(message: str) -> Path | None:
    """Write the revision that leads from the last one to the present tables, to be completed; None if equal."""
    with tempfile.TemporaryDirectory() as folder:
        readers, writer = engines(read_url(f"sqlite:///{folder}/metadata.db"), 10)
        with writer.connect() as connection, connection.begin():
            run_revisions(connection)
            steps = difference(connection)
        readers.dispose()
        writer.dispose()
    if steps is None or steps.is_empty():
        return None
    return _write(message.rstrip("."), "_".join(message.lower().split()[:6]), steps)


def difference(connection: Connection) -> ops.UpgradeOps | None:
    """Return the steps that lead from a database to the tables as they are declared."""
    options = {"render_as_batch": True, "compare_type": True, "compare_server_default": _other_default}
    return produce_migrations(MigrationContext.configure(connection, opts=options), METADATA).upgrade_ops


def _other_default(context: MigrationContext, _found: Any, _declared: Any, found: Any, _: Any, declared: Any) -> Any:
    if context.dialect.name != "sqlite":
        return None
    return (found or "").strip("'\"()") != (declared or "").strip("'\"()") or (found is None) != (declared is None)


def _write(title: str, subject: str, steps: ops.UpgradeOps) -> Path:
    before = revisions()[-1] if any(VERSIONS.glob("revision_*.py")) else None
    revision = f"{int(before or 0) + 1:04d}"
    code = render_python_code(steps, render_as_batch=True, render_item=_render)
    path = VERSIONS / f"revision_{revision}_{''.join(c if c.isalnum() else '_' for c in subject)}.py"
    undo = "to undo it, put the backup of before in place"
    text = TEMPLATE.format(title=title, revision=revision, before=repr(before), code=_plain(code), undo=undo)
    path.write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "format", "--quiet", path], check=True)  # noqa: S603
    subprocess.run([*ruff, "check", "--quiet", "--fix", path], check=True)  # noqa: S603
    return path


def _plain(code: str) -> str:
    return "\n".join(line for line in code.splitlines() if not line.strip().startswith("# ###")).strip()


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(item, String) and "postgresql" in item._variant_mapping:
        return f"words({item.length or ''})"
    return False


def main() -> None:
    """Write the revisions that the arguments ask for, and name them."""
    parser = argparse.ArgumentParser(description="write revisions of the metadata store's tables")
    parser.add_argument("message", nargs="?", default="", help="what changes, in a few words; writes the next revision")
    parser.add_argument("--initial", action="store_true", help="replace all revisions (only before the first release)")
    asked = parser.parse_args()
    if not asked.initial and not asked.message:
        parser.error("say in a few words what changes")
    written = write_initial() if asked.initial else [write_next(asked.message)]
    sys.stdout.write("".join(f"{path}\n" for path in written if path) or "the tables are those of the last revision\n")


if __name__ == "__main__":
    main()
