"""The commands around the server: serve, deploy, env, exec, coverage, keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The data folder (default: ~/.local/share/headrace).")
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="The metadata (default: SQLite in DIR).")
]
PortOption = Annotated[int | None, typer.Option(help="The port to listen on (default: 4599; 0 takes a free one).")]


def _examples(*lines: str) -> str:
    return "[bold]Examples[/bold]\n\n" + "\n\n".join(f"  {line}" for line in lines)


def register(application: typer.Typer) -> None:
    """Add the server's commands to the command line."""
    application.command(
        epilog=_examples(
            "headrace serve",
            "headrace serve --data ./headrace-data --port 8080",
            "headrace serve --host 0.0.0.0 --tls-certificate server.pem --tls-key server.key",
            "HEADRACE_DATABASE=postgresql+psycopg://user@host/name headrace serve",
        )
    )(serve)
    application.command(
        epilog=_examples(
            "headrace deploy headrace-out/model --name churn",
            "headrace deploy headrace-out/model --name churn --replace --instances 2",
            "AWS_ENDPOINT_URL=https://ml.example.com headrace deploy headrace-out/model --name churn --no-wait",
        )
    )(deploy)
    application.command(
        name="env",
        epilog=_examples('eval "$(headrace env)"', 'eval "$(headrace env --proxy)"', "headrace env --profile local"),
    )(env)
    application.command(
        name="exec",
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
        epilog=_examples("headrace exec -- aws s3 ls", "headrace exec -- python train.py --epochs 3"),
    )(execute)
    application.command(epilog=_examples("headrace coverage", "headrace coverage s3", "headrace coverage --json"))(
        coverage
    )
    keys = typer.Typer(help="The server's signing key.", no_args_is_help=True)
    keys.command("recover", epilog=_examples("headrace keys recover", "headrace keys recover --data DIR"))(recover)
    application.add_typer(keys, name="keys")


def serve(
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on (default: 127.0.0.1).")] = None,
    port: PortOption = None,
    proxy_port: Annotated[int | None, typer.Option(help="The HTTPS proxy's port (default: port + 1).")] = None,
    proxy: Annotated[
        bool | None, typer.Option("--proxy/--no-proxy", help="Run the HTTPS proxy (default: yes).")
    ] = None,
    region: Annotated[str | None, typer.Option(help="The default region (default: us-east-1).")] = None,
    database: DatabaseOption = None,
    objects: Annotated[str | None, typer.Option(metavar="URL", help="The objects (default: files in DIR).")] = None,
    backup: Annotated[bool | None, typer.Option("--backup/--no-backup", help="Back up before an upgrade.")] = None,
    insecure: Annotated[bool | None, typer.Option("--insecure", help="Listen beyond loopback without TLS.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(metavar="PEM", help="The certificate chain for TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
    log_format: Annotated[str | None, typer.Option(help="json or text.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    jobs: Annotated[int | None, typer.Option(help="Jobs run at the same time (default: one a core).")] = None,
    trust_scripts: Annotated[
        bool | None, typer.Option("--trust-scripts", help="Run users' scripts even where they can't be sandboxed.")
    ] = None,
) -> None:
    """Serve AWS's APIs on this machine, until Ctrl-C.

    Each flag is also an environment variable (HEADRACE_PORT=8080) and a key of the config file
    (~/.config/headrace/config.toml, or the file that HEADRACE_CONFIG names); a flag wins over the environment, the
    environment over the file.
    """
    from headrace.cli.serve import serve_command

    serve_command(
        data=data, host=host, port=port, proxy_port=proxy_port, proxy=proxy, region=region, database=database,
        objects=objects, backup=backup, insecure=insecure, tls_certificate=tls_certificate, tls_key=tls_key,
        log_format=log_format, log_level=log_level, jobs=jobs, trust_scripts=trust_scripts,
    )  # fmt: skip


def deploy(
    model: Annotated[Path, typer.Argument(metavar="MODEL_DIR", help="The model folder that a run left (OUT/model).")],
    name: Annotated[str, typer.Option(metavar="NAME", help="The endpoint's name.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="The server's data folder (default: the server of AWS_ENDPOINT_URL, else of env).",
        ),
    ] = None,
    instances: Annotated[int, typer.Option(metavar="N", help="Processes that share the requests.")] = 1,
    instance_type: Annotated[str, typer.Option(metavar="TYPE", help="What the endpoint is said to run on.")] = (
        "ml.m5.large"
    ),
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is in service.")] = True,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let an endpoint of that name serve this model, without a pause.")
    ] = False,
) -> None:
    """Put a model of `headrace run` behind an endpoint of the running server, and print how to ask it.

    Makes the bucket sagemaker-REGION-ACCOUNT and the role HeadraceExecutionRole where they are absent, uploads the
    model, and creates the SageMaker model, its endpoint configuration and the endpoint.
    """
    from headrace.cli.deployment import deploy_command

    deploy_command(
        model, name=name, data=data, instances=instances, instance_type=instance_type, wait=wait, replace=replace
    )


def env(
    data: DataOption = None,
    port: Annotated[int | None, typer.Option(help="The server's port (default: the running server's).")] = None,
    proxy: Annotated[bool, typer.Option("--proxy", help="Also HTTPS_PROXY and AWS_CA_BUNDLE.")] = False,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="Write an AWS CLI profile instead.")] = None,
) -> None:
    """Print `export NAME=value` lines that point AWS's clients at the server."""
    from headrace.cli.environment import env_command

    env_command(data, port, proxy=proxy, profile=profile)


def execute(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND…", help="The command and its arguments.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Run one command with everything set that points AWS's clients at the running server, its HTTPS proxy too."""
    from headrace.cli.environment import exec_command

    exec_command(data, command or [])


def coverage(
    service: Annotated[str | None, typer.Argument(metavar="SERVICE", help="One service, as botocore calls it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the documentation's page.")] = False,
) -> None:
    """Print, service by service, how many of its operations are built."""
    from headrace.cli.coverage import coverage_command

    coverage_command(service, as_json=as_json, markdown=markdown)


def recover(data: DataOption = None, database: DatabaseOption = None) -> None:
    """Make a new signing key and root access key where the signing key is lost; what it sealed is deactivated."""
    from headrace.cli.recovery import recover_command

    recover_command(data, database)
