"""`headrace serve`: puts the platform together, listens, and stops cleanly."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from headrace.aws.proxy import Authority, Proxy
from headrace.cli.assembly import application_of, working
from headrace.cli.chores import UPKEEP
from headrace.cli.opening import open_platform
from headrace.cli.running import Running, forget, note
from headrace.ml.errors import OptionError
from headrace.server.app import log_lines
from headrace.server.app.connections import allow_many_files, check_tls, listen, serve_until_stopped
from headrace.server.app.upkeep import Upkeep
from headrace.server.jobs.owners import this_owner
from headrace.server.model_server import ModelServer
from headrace.server.operations.endpoints.deployment import Deployments
from headrace.server.settings import Settings, load_settings


def serve_command(**flags: Any) -> None:
    """Serve until SIGINT or SIGTERM; `flags` are those of `headrace serve`, None where they were not given."""
    _fill_standard_streams()
    settings = load_settings(**flags)
    log_lines.set_up(settings.log_format, settings.log_level)
    check_tls(settings)
    allow_many_files()
    try:
        import uvloop

        uvloop.run(_serve(settings))
    except ImportError:  # pragma: no cover
        asyncio.run(_serve(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


async def _serve(settings: Settings) -> None:
    with ExitStack() as stack:
        opened = stack.enter_context(open_platform(settings))
        listener = stack.enter_context(listen(settings.host, settings.port))
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        platform = replace(opened.platform, models=ModelServer(), url=settings.url)
        application = application_of(platform)
        upkeep = stack.enter_context(Upkeep(platform, UPKEEP))
        stack.enter_context(working(platform))
        stack.enter_context(Deployments(platform))
        proxy, proxy_url, tls = _proxy(stack, settings, opened.folder.keys)
        running = Running(this_owner(), os.getpid(), settings.url, proxy_url, settings.region)

        async def started() -> None:
            if proxy is not None:
                await proxy.start()
            note(settings.data, running)
            _announce(settings, running, opened)
            upkeep.start()

        def stopping() -> None:
            application.stopping = True
            if proxy is not None:
                proxy.stop()

        try:
            await serve_until_stopped(application, settings, listener, started=started, stopping=stopping, tls=tls)
        finally:
            forget(settings.data)
            if proxy is not None:
                await proxy.close()
            application.close()


def _fill_standard_streams() -> None:
    """Open what stands for a closed standard stream, so that no file of the server gets its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _proxy(stack: ExitStack, settings: Settings, keys: Path) -> tuple[Proxy | None, str, Any]:
    """Return the proxy, its URL, and the TLS socket that it sends AWS's hosts to."""
    if not settings.proxy:
        return None, "", None
    inner = stack.enter_context(listen("127.0.0.1", 0))
    wanted = settings.proxy_port
    default = settings.port + 1 if settings.port < 65535 else 0
    try:
        listener = listen("127.0.0.1", default if wanted is None else wanted, flag="--proxy-port")
    except OptionError:
        if wanted is not None:
            raise
        listener = listen("127.0.0.1", 0)
    stack.enter_context(listener)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return Proxy(listener, inner.getsockname()), url, (inner, Authority(keys).server_context())


def _announce(settings: Settings, running: Running, opened: Any) -> None:
    lines = {
        "endpoint": running.endpoint,
        **({"proxy": running.proxy} if running.proxy else {}),
        "data": str(settings.data),
        "account": opened.platform.account,
        "credentials": str(opened.credentials) + (" (new: the root user's key)" if opened.made else ""),
        "signing key": str(opened.signing_key) + (" (new: keep a copy of it)" if opened.made else ""),
        "to use it": f'eval "$(headrace env --data {shlex.quote(str(settings.data))})"',
    }
    try:
        for name, value in lines.items():
            print(f"{name:>11}: {value}")  # noqa: T201
        print(flush=True)  # noqa: T201
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
