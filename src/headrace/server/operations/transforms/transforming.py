"""The objects of a transform job on their way: read, asked about several at a time, written in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from headrace.server.containers.contract import ClientError
from headrace.server.jobs.handle import Job
from headrace.server.model_server import Invocation
from headrace.server.operations.acting import Actor
from headrace.server.operations.training.channels import DataError, blocks_of
from headrace.server.operations.transforms.data_log import DataLog
from headrace.server.operations.transforms.inputs import Input
from headrace.server.operations.transforms.outputs import Outputs
from headrace.server.operations.transforms.plans import Plan
from headrace.server.operations.transforms.sending import (
    CLIENT_ERROR,
    SEE_LOGS,
    Fleet,
    ObjectFailed,
    answered,
    in_order,
)
from headrace.server.operations.transforms.splitting import LARGEST_FILTERED, Batch, PayloadTooLarge, records, stream

TOO_MUCH = "Too much data for max payload size"


class Stopped(Exception):  # noqa: N818
    """The job was asked to stop."""


@dataclass(frozen=True)
class Piece:
    """What is done at once: a batch of an input (by its number), the failure of reading it, or its end."""

    number: int
    batch: Batch | None = None
    failure: ObjectFailed | None = None


class Transforming:
    """One pass over a job's inputs. A few batches are in memory at a time, however large the objects are."""

    def __init__(self, job: Job, plan: Plan, actor: Actor, fleet: Fleet, outputs: Outputs, log: DataLog) -> None:
        self._job, self._plan, self._actor, self._fleet = job, plan, actor, fleet
        self._outputs, self._log = outputs, log
        self._failed: dict[int, ObjectFailed] = {}

    def run(self, sources: Sequence[Input]) -> str:
        """Fill the outputs and return the reason of the first object that failed, "" if none did; raises Stopped.

        An object that fails has no output, and the others go on.
        """
        threads = self._plan.concurrent * self._plan.instances
        executor = ThreadPoolExecutor(threads, thread_name_prefix="transform")
        try:
            for piece, answer in in_order(executor, self._pieces(sources), self._answer, ahead=threads + 1):
                if self._job.cancelled:
                    raise Stopped
                if piece.number not in self._failed:
                    self._take(piece, answer, sources)
            return next((failure.reason for _, failure in sorted(self._failed.items())), "")
        finally:
            self._fleet.stop()
            executor.shutdown(wait=False, cancel_futures=True)

    def _pieces(self, sources: Sequence[Input]) -> Iterator[Piece]:
        for number, source in enumerate(sources):
            try:
                for batch in self._batches(source):
                    if number in self._failed:
                        break
                    yield Piece(number, batch)
            except PayloadTooLarge as error:
                yield Piece(number, failure=_client_error([f"{TOO_MUCH}: {error}"]))
            except ClientError as error:
                yield Piece(number, failure=_client_error([f"ClientError: {error}"]))
            except DataError as error:
                yield Piece(number, failure=ObjectFailed(f"{CLIENT_ERROR}: {error}", [f"ClientError: {error}"]))
            else:
                yield Piece(number)

    def _batches(self, source: Input) -> Iterator[Batch]:
        plan = self._plan
        blocks = blocks_of(self._actor, source.key)
        with stream(blocks, compressed=plan.compressed) as file:
            found = records(file, plan.split_type, self._longest())
            yield from plan.batching.of(plan.processing.filtered(found))

    def _longest(self) -> int:
        most = self._plan.batching.most
        return most if self._plan.processing.input_filter.whole else max(most, LARGEST_FILTERED)

    def _answer(self, piece: Piece) -> bytes:
        """Return what a batch adds to its output; in one of several threads."""
        if piece.batch is None:
            return b""
        plan = self._plan
        invocation = Invocation(piece.batch.body, plan.content_type, plan.accept)
        reply = answered(self._fleet, invocation, seconds=plan.seconds, retries=plan.retries)
        try:
            return plan.processing.finished(piece.batch, reply.body, reply.content_type)
        except ClientError as error:
            raise _client_error([f"ClientError: {error}"]) from error

    def _take(self, piece: Piece, answer: Future[bytes], sources: Sequence[Input]) -> None:
        source = sources[piece.number]
        try:
            if piece.failure is not None:
                raise piece.failure
            self._outputs.write(answer.result())
        except ObjectFailed as failure:
            self._failed[piece.number] = failure
            self._log.say(failure.lines, source)
            self._outputs.drop()
        else:
            if piece.batch is None:
                self._outputs.finish(source)
        if piece.batch is None:
            done = piece.number + 1
            self._job.progress("Transforming", done / len(sources), f"{done} of {len(sources)} objects")


def _client_error(lines: Sequence[str]) -> ObjectFailed:
    return ObjectFailed(f"{CLIENT_ERROR}: {SEE_LOGS}", lines)
