"""Puts the server together: its doors, and the worker that runs its jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from headrace.aws.gateway import Gateway
from headrace.aws.gateway.browsers import BrowserGateway, is_of_browser
from headrace.cli.opening import reopen_platform
from headrace.server.app import Application, Entrance
from headrace.server.context import Platform
from headrace.server.operations import work
from headrace.server.worker.loop import Worker

WORK = f"{work.__name__}:"


@contextmanager
def working(platform: Platform) -> Iterator[None]:
    """Run jobs in a thread, each in a process of its own, as many at a time as the setting `jobs` says."""
    if not platform.settings.jobs:
        yield
        return
    worker = Worker(
        platform,
        work.handlers(),
        opener=f"{reopen_platform.__module__}:{reopen_platform.__name__}",
        opening={
            "settings": platform.settings.model_dump(mode="json"), "account": platform.account, "url": platform.url,
        },
        on_change=WORK + work.on_change.__name__,
        on_log=WORK + work.on_log.__name__,
    )  # fmt: skip
    thread = threading.Thread(target=worker.run, name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def application_of(platform: Platform) -> Application:
    """Return the application with its doors, in the order in which they are asked."""
    return Application(
        platform, [Entrance(is_of_browser, BrowserGateway(platform)), Entrance(lambda _: True, Gateway(platform))]
    )
