"""Reference pages built from the code: mkdocs calls `on_files` before it reads the pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files


def command_line() -> str:
    """Describe every command from the application itself."""
    from typer.main import get_command

    from headrace.cli.application import application

    lines = ["# Command line", ""]

    def describe(command: Any, words: str) -> None:
        if hasattr(command, "commands"):
            for name, child in command.commands.items():
                describe(child, f"{words} {name}")
            return
        lines.extend(
            [f"## {words}", "", command.help or "", "", "| option | meaning | default |", "| --- | --- | --- |"]
        )
        for parameter in command.params:
            names = ", ".join(f"`{o}`" for o in (*parameter.opts, *parameter.secondary_opts))
            default = (
                ""
                if parameter.default in (None, False, (), []) or callable(parameter.default)
                else f"`{parameter.default}`"
            )
            shown = names if names.startswith("`-") else f"`{parameter.metavar or parameter.name.upper()}`"
            lines.append(f"| {shown} | {getattr(parameter, 'help', '') or ''} | {default} |")
        if command.epilog:
            examples = [line.strip() for line in command.epilog.splitlines()[1:] if line.strip()]
            lines.extend(["", "```", *examples, "```", ""])

    describe(get_command(application), "headrace")
    lines += [
        "",
        "Exit codes: 0 done (a no-go is a result), 1 the machine or the budget failed, 2 bad input or options, 130 interrupted.",
    ]
    return "\n".join(lines)


def algorithms() -> str:
    """Describe every algorithm and its hyperparameters from the registry."""
    from headrace.ml.algorithms import ALGORITHMS

    lines = ["# Algorithms", ""]
    for name, algorithm in ALGORITHMS.items():
        summary = (algorithm.__doc__ or "").strip().splitlines()[0]
        tasks = ", ".join(sorted(algorithm.tasks))
        lines += [f"## {name}", "", f"{algorithm.title}. {summary}", "", f"Tasks: {tasks}. "
                  f"Missing values: {'taken as they are' if algorithm.takes_missing else 'imputed first'}. "
                  f"{'Interpretable.' if algorithm.interpretable else ''}", ""]  # fmt: skip
        if algorithm.hyperparameters:
            lines += ["| hyperparameter | default | allowed | searched | meaning |", "| --- | --- | --- | --- | --- |"]
            for key, parameter in algorithm.hyperparameters.items():
                cells = (key, parameter.default, _range(parameter.allowed), _range(parameter.search), parameter.meaning)
                lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
            lines.append("")
    return "\n".join(lines)


def _range(allowed: Any) -> str:
    if allowed is None:
        return ""
    if hasattr(allowed, "options"):
        return ", ".join(map(str, allowed.options))
    return f"{allowed.low:g} … {allowed.high:g}{' (log)' if allowed.log else ''}"


def metrics() -> str:
    """Describe every metric."""
    from headrace.ml.metrics import METRICS

    lines = ["# Metrics", "", "| name | tasks | better | meaning |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{m.name}` | {', '.join(sorted(m.tasks))} | {'greater' if m.greater_is_better else 'smaller'} | {m.meaning} |"
        for m in METRICS.values()
    ]
    return "\n".join(lines)


def report_json() -> str:
    """Describe report.json from its schema."""
    from importlib.resources import files

    schema = json.loads((files("headrace.ml.report") / "schema.json").read_text(encoding="utf-8"))
    lines = ["# report.json", "", schema.get("description", ""), "", "| key | type | meaning |", "| --- | --- | --- |"]
    for key, value in schema["properties"].items():
        kind = (
            value.get("type")
            or value.get("$ref", "").rsplit("/", 1)[-1]
            or ("one of " + ", ".join(map(str, value.get("enum", []))))
        )
        lines.append(f"| `{key}` | {kind} | {value.get('description', '')} |")
    return "\n".join([*lines, "", "The whole schema:", "", "```json", json.dumps(schema, indent=1), "```"])


def charter() -> str:
    """Show the charter's template: every key with its comment."""
    import tempfile

    from headrace.ml.process.business_problem import write_charter_template

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "charter.yaml"
        write_charter_template(path)
        return f"# Charter\n\n`headrace charter init` writes this file:\n\n```yaml\n{path.read_text(encoding='utf-8')}\n```\n"


def errors() -> str:
    """Show the tree of errors."""
    from headrace.ml import errors as library
    from headrace.server import errors as server

    return (
        f"# Errors\n\n```\n{library.__doc__}\n```\n\n## Of the server's operations\n\n```\n{server.__doc__}\n```\n"
    )


def coverage() -> str:
    """Show which AWS operations are built."""
    from headrace.aws.services import BUILT, coverage_of
    from headrace.cli.coverage import markdown_table

    table = markdown_table([coverage_of(name) for name in BUILT])
    intro = "What `headrace coverage` prints. An operation that is not built answers the service's own error and its name."
    return f"# AWS operations\n\n{intro}\n\n{table}\n"


def settings() -> str:
    """Describe every setting of the server."""
    from headrace.server.settings import Settings

    lines = [
        "# Settings of the server",
        "",
        "A flag of `headrace serve` wins over the environment variable, which wins over the config file "
        "(`~/.config/headrace/config.toml`, or the file that `HEADRACE_CONFIG` names), which wins over the default.",
        "",
        "| flag | environment | key in the file | default | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    flags = {name for command in ("serve",) for name in _options(command)}
    for name, field in Settings.model_fields.items():
        flag = f"--{name.replace('_', '-')}"
        default = "" if field.default_factory or field.default in ("", None) else f"`{field.default}`"
        lines.append(
            f"| {f'`{flag}`' if flag in flags else ''} | `HEADRACE_{name.upper()}` | `{name}` | {default} "
            f"| {field.description} |"
        )
    return "\n".join(lines)


def _options(command: str) -> set[str]:
    from typer.main import get_command

    from headrace.cli.application import application

    parameters = get_command(application).commands[command].params  # type: ignore[attr-defined]
    return {option for parameter in parameters for option in parameter.opts}


PAGES = {
    "coverage": coverage,
    "settings": settings,
    "command-line": command_line,
    "algorithms": algorithms,
    "metrics": metrics,
    "report-json": report_json,
    "charter": charter,
    "errors": errors,
}


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    for name, page in PAGES.items():
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    return files
