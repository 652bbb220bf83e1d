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
    from headrace.ml import errors as module

    return f"# Errors\n\n```\n{module.__doc__}\n```\n"


PAGES = {
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
