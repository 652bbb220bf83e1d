"""Instances of variants: started with their model's data and role, and stopped when their requests are answered."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from headrace.server.context import Platform
from headrace.server.errors import OperationError
from headrace.server.model_server import Container, Instance, ModelFailed
from headrace.server.model_server.built_in import built_in_name
from headrace.server.operations.acting import Actor, act_as
from headrace.server.operations.endpoints.instance_logs import InstanceLogs
from headrace.server.operations.models.containers import fetch_containers
from headrace.server.resources import Place, Stored

LOG = logging.getLogger("headrace.endpoints")

STARTED_AT_ONCE = max(4, 2 * (os.cpu_count() or 1))
HEALTH_CHECK_SECONDS = 600
DRAIN_SECONDS = 60.0
CREDENTIAL_HOURS = 12
SCRIPT_HOURS = 11
"""How long an instance with a user's code runs before another takes its place: its credentials end soon after."""


@dataclass(frozen=True)
class Facts:
    """What is known of an instance: its folder, where its lines go, and when another is to take its place."""

    folder: Path
    log: Callable[[str], None]
    end: float


class Starter:
    """Starts and stops instances for the endpoints of this server."""

    def __init__(self, platform: Platform, logs: InstanceLogs) -> None:
        self.platform = platform
        self.logs = logs
        self.stopping = threading.Event()
        self._turns = threading.BoundedSemaphore(STARTED_AT_ONCE)
        self._facts: WeakKeyDictionary[Instance, Facts] = WeakKeyDictionary()
        self._starting: set[Instance] = set()
        self._lock = threading.Lock()

    def start(self, endpoint: Stored, variant: dict[str, Any], count: int) -> list[Instance]:
        """Return `count` instances of a variant that answer their ping; raises ModelFailed in AWS's words.

        What was fetched for them is noted in the variant, so that those that replace them get the very same.
        """
        if not count:
            return []
        try:
            return self._start(endpoint, variant, count)
        except OSError as error:
            raise ModelFailed(
                f"An instance of the variant {variant['variant_name']} could not be started: {error}"
            ) from None

    def _start(self, endpoint: Stored, variant: dict[str, Any], count: int) -> list[Instance]:
        place = Place(endpoint.account, endpoint.region, self.platform.partition)
        with self._turns:
            actor = self._actor(variant, place)
            containers = self._containers(actor, variant)
            credentials = self._credentials(actor, containers)
            started: list[Instance] = []
            try:
                while len(started) < count:
                    started.append(self._begin(endpoint, place, variant, containers, credentials))
                for each in started:
                    self._wait(each, variant)
            except BaseException:
                self.stop(started, seconds=0.1)
                raise
            finally:
                with self._lock:
                    self._starting.difference_update(started)
        return started

    def stop(self, instances: Sequence[Instance], *, seconds: float = DRAIN_SECONDS) -> None:
        """Stop instances once the requests that they have are answered, or `seconds` have passed."""
        if not instances:
            return
        with ThreadPoolExecutor(len(instances), "instance stop") as pool:
            list(pool.map(lambda each: self._stop_one(each, seconds), instances))

    def stop_later(self, instances: Sequence[Instance], *, after: float = 0) -> None:
        """Stop instances in the background, as `stop` does, after so many seconds."""

        def run() -> None:
            self.stopping.wait(after)
            self.stop(instances, seconds=0.1 if self.stopping.is_set() else DRAIN_SECONDS)

        if instances:
            threading.Thread(target=run, name="instance stop", daemon=True).start()

    def usable(self, instances: Iterable[Instance]) -> list[Instance]:
        """Return those that run, and whose credentials do not end soon."""
        now = time.monotonic()
        return [each for each in instances if each.alive and self._facts[each].end > now]

    def close(self) -> None:
        """Start nothing more, and end what is being started."""
        self.stopping.set()
        with self._lock:
            starting = list(self._starting)
        self.stop(starting, seconds=0.1)

    def _stop_one(self, instance: Instance, seconds: float) -> None:
        try:
            instance.stop(seconds)
        except Exception:
            LOG.exception("an instance could not be stopped")
        shutil.rmtree(self._facts[instance].folder, ignore_errors=True)

    def _actor(self, variant: Mapping[str, Any], place: Place) -> Actor:
        try:
            with self.platform.metadata.reading() as connection:
                return act_as(self.platform, connection, variant["model"]["execution_role_arn"], place)
        except OperationError as error:
            raise ModelFailed(error.message) from None

    def _containers(self, actor: Actor, variant: dict[str, Any]) -> list[Container]:
        kept = [Container(**each) for each in variant.get("fetched") or ()]
        if kept and all(Path(path).is_dir() for each in kept for path in (each.folder, each.source) if path):
            return kept
        containers = fetch_containers(actor, variant["model"]["containers"])
        variant["fetched"] = [asdict(each) for each in containers]
        return containers

    def _credentials(self, actor: Actor, containers: Iterable[Container]) -> dict[str, str]:
        if all(map(built_in_name, containers)):
            return {}
        return actor.variables(seconds=CREDENTIAL_HOURS * 3600)

    def _begin(
        self,
        endpoint: Stored,
        place: Place,
        variant: Mapping[str, Any],
        containers: Sequence[Container],
        credentials: Mapping[str, str],
    ) -> Instance:
        if self.stopping.is_set():
            raise ModelFailed("the server is being stopped")
        settings = self.platform.settings
        number = f"i-0{secrets.token_hex(8)}"
        folder = settings.data / "temporary" / number
        log = self.logs.writer(endpoint, place, variant["variant_name"], number)
        instance = Instance.start(
            containers,
            folder=folder,
            log=log,
            trust_scripts=settings.trust_scripts,
            environment=credentials,
            hidden=(settings.data,),
            environments=settings.data / "environments",
        )
        hours = SCRIPT_HOURS if credentials else float("inf")
        self._facts[instance] = Facts(folder, log, time.monotonic() + hours * 3600)
        with self._lock:
            self._starting.add(instance)
        return instance

    def _wait(self, instance: Instance, variant: Mapping[str, Any]) -> None:
        seconds = variant.get("container_startup_health_check_timeout_in_seconds") or HEALTH_CHECK_SECONDS
        log = self._facts[instance].log
        try:
            instance.wait(seconds)
        except ModelFailed as error:
            reason = str(error).removeprefix("ClientError: ")
            log(f"The model {variant['model_name']} does not answer its ping: {reason}")
            raise ModelFailed(
                f"The primary container for production variant {variant['variant_name']} did not pass the ping health "
                f"check. Please check CloudWatch logs for this endpoint. ({reason})"
            ) from None
        log(f"The model {variant['model_name']} is loaded and answers its ping")
