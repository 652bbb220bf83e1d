"""What is done about one endpoint, by its state: what its record asks for is started, and what nobody asks for ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.context import Platform
from headrace.server.model_server import Instance, ModelFailed, ModelServer
from headrace.server.operations.endpoints.fleets import processes_of, settled, unsettled, variants_of
from headrace.server.operations.endpoints.serving import target_of
from headrace.server.operations.endpoints.shifting import Shift, move_traffic, shift_of
from headrace.server.operations.endpoints.starting import Starter
from headrace.server.operations.endpoints.states import (
    CREATING,
    DELETING,
    FAILED,
    IN_SERVICE,
    ROLLING_BACK,
    UPDATING,
    move,
)
from headrace.server.resources import Stored, by_arn

LOG = logging.getLogger("headrace.endpoints")

LONGEST_REASON = 1024

LATE_SECONDS = 1.0
"""How long after a deployment requests may come to variants that it has no longer."""


class Reconciler:
    """Brings what runs for an endpoint to what its record asks for.

    Each step may be repeated, whenever the server was killed: nothing runs then, and the record still says what was
    asked for.
    """

    def __init__(self, platform: Platform, models: ModelServer, starter: Starter) -> None:
        self.platform = platform
        self.models = models
        self.starter = starter

    def reconcile(self, arn: str) -> dict[str, int]:
        """Do what the endpoint's state asks for; returns how many instances its targets have to have from now on.

        Raises ModelFailed where an instance of an endpoint in service can't be replaced now.
        """
        with self.platform.metadata.reading() as connection:
            stored = by_arn(connection, arn)
        if stored is None:
            return {}
        act = {
            CREATING: self._create,
            UPDATING: self._update if stored.record.get("pending") else self._resize,
            ROLLING_BACK: self._resize,
            IN_SERVICE: self._keep,
            DELETING: self._delete,
        }.get(stored.state)
        return act(stored) if act else {}

    def _create(self, stored: Stored) -> dict[str, int]:
        pending = deepcopy(stored.record["pending"])
        try:
            new = self._start(stored, pending)
        except ModelFailed as error:
            self._fail(stored, error)
            return {}
        for target, instances in new.items():
            self.starter.stop_later(self.models.serve(target, instances))
        self._commit(stored, lambda record: _deployed(record, pending))
        return _expected(stored, pending)

    def _update(self, stored: Stored) -> dict[str, int]:
        """Replace the fleet: the new one is started beside the old one, takes its traffic, and the old one drains."""
        old, pending = stored.record["deployment"], deepcopy(stored.record["pending"])
        serves = self._bring_back(stored, old)
        before = {target: list(self.models.instances(target)) for target in _targets(stored, old)}
        try:
            new = self._start(stored, pending)
            shift = shift_of(stored.record.get("last_deployment_config"), sum(map(len, new.values())))
            moved = self._move(new, before, shift)
        except ModelFailed as error:
            if not serves:
                self._fail(stored, error)
                return {}
            reason = str(error)
            self._commit(stored, lambda record: _rolled_back(record, reason))
            return _expected(stored, old)
        if not moved:
            return {}
        self._commit(stored, lambda record: _deployed(record, pending))
        dropped = [target for target in before if target not in new]
        if dropped:
            self.starter.stopping.wait(LATE_SECONDS)
        for target in dropped:
            self.models.remove(target)
        gone = [each for instances in before.values() for each in instances]
        self.starter.stop_later(gone, after=shift.termination)
        return _expected(stored, pending)

    def _resize(self, stored: Stored) -> dict[str, int]:
        """Give each variant the weight and the number of instances that is desired of it."""
        deployment = deepcopy(stored.record["deployment"])
        try:
            self._complete(stored, deployment)
        except ModelFailed as error:
            back, reason = unsettled(stored.record["deployment"]), str(error)
            self._commit(stored, lambda record: _rolled_back({**record, "deployment": back}, reason))
            return _expected(stored, back)
        self._commit(stored, lambda record: _deployed(record, deployment))
        return _expected(stored, deployment)

    def _keep(self, stored: Stored) -> dict[str, int]:
        """Start what is missing of an endpoint in service."""
        self._complete(stored, deepcopy(stored.record["deployment"]))
        return _expected(stored, stored.record["deployment"])

    def _delete(self, stored: Stored) -> dict[str, int]:
        targets = {
            target for member in ("deployment", "pending") for target in _targets(stored, stored.record.get(member))
        }
        self.starter.stop_later([each for target in targets for each in self.models.remove(target)])
        with self.platform.metadata.writing() as connection:
            present = by_arn(connection, stored.arn)
            if present is not None and present.state == DELETING:
                resources.remove(connection, present)
        return {}

    def _start(self, stored: Stored, deployment: Mapping[str, Any]) -> dict[str, list[Instance]]:
        """Return new instances of all variants by target; none is left where one fails."""
        new: dict[str, list[Instance]] = {}
        try:
            for each in variants_of(deployment):
                new[target_of(stored.arn, each["variant_name"])] = self.starter.start(stored, each, processes_of(each))
        except BaseException:
            self.starter.stop([each for instances in new.values() for each in instances], seconds=0.1)
            raise
        return new

    def _move(self, new: Mapping[str, list[Instance]], before: Mapping[str, list[Instance]], shift: Shift) -> bool:
        """Move the traffic as `move_traffic` does; where that takes too long the new instances stop."""
        try:
            return move_traffic(self.models, new, before, shift, self.starter.stopping)
        except ModelFailed:
            self.starter.stop_later([each for instances in new.values() for each in instances])
            raise

    def _bring_back(self, stored: Stored, deployment: dict[str, Any]) -> bool:
        """Let the old deployment serve while the new one starts; returns whether it does."""
        try:
            self._complete(stored, unsettled(deployment))
        except ModelFailed as error:
            LOG.warning("the present deployment of %s can't be brought back: %s", stored.arn, error)
            return False
        return True

    def _complete(self, stored: Stored, deployment: Mapping[str, Any]) -> None:
        """Start and stop instances until each variant has as many as are desired."""
        for each in variants_of(deployment):
            target = target_of(stored.arn, each["variant_name"])
            wanted = processes_of(each)
            present = self.models.instances(target)
            usable = self.starter.usable(present)[:wanted]
            if len(usable) == wanted == len(present):
                continue
            more = self.starter.start(stored, each, wanted - len(usable))
            self.starter.stop_later(self.models.serve(target, [*usable, *more]))

    def _fail(self, stored: Stored, error: ModelFailed) -> None:
        for target in _targets(stored, stored.record.get("pending")):
            self.starter.stop_later(self.models.remove(target))
        self._commit(stored, lambda record: _reasoned(record, str(error)), state=FAILED)

    def _commit(
        self, stored: Stored, change: Callable[[dict[str, Any]], dict[str, Any]], *, state: str = IN_SERVICE
    ) -> None:
        """Write how it ended, unless the server stops, which ends instances by itself."""
        if self.starter.stopping.is_set():
            return
        with self.platform.metadata.writing() as connection:
            self._write(connection, stored, change, state)

    def _write(
        self, connection: Connection, stored: Stored, change: Callable[[dict[str, Any]], dict[str, Any]], state: str
    ) -> None:
        present = by_arn(connection, stored.arn)
        if present is not None and present.state == stored.state:
            move(connection, present, state, self.platform.clock(), change(dict(present.record)))


def _targets(stored: Stored, deployment: Mapping[str, Any] | None) -> Iterator[str]:
    for each in variants_of(deployment):
        yield target_of(stored.arn, each["variant_name"])


def _expected(stored: Stored, deployment: Mapping[str, Any]) -> dict[str, int]:
    return {target_of(stored.arn, each["variant_name"]): processes_of(each) for each in variants_of(deployment)}


def _deployed(record: dict[str, Any], deployment: Mapping[str, Any]) -> dict[str, Any]:
    record = {**record, "deployment": settled(deployment)}
    record.pop("pending", None)
    record.pop("failure_reason", None)
    return record


def _rolled_back(record: dict[str, Any], reason: str) -> dict[str, Any]:
    record = _reasoned(record, reason)
    record.pop("pending", None)
    return record


def _reasoned(record: dict[str, Any], reason: str) -> dict[str, Any]:
    return {**record, "failure_reason": reason[:LONGEST_REASON]}
