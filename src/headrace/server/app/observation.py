"""What the server tells of itself: `/healthz`, `/metrics`, and one structured line a request."""

from __future__ import annotations

import hmac
import json
import logging
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import text

from headrace.server.context import Platform
from headrace.server.guard import Answered
from headrace.server.messages import Request, Response
from headrace.server.settings import is_loopback
from headrace.version import __version__

LOG = logging.getLogger("headrace.requests")
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Observer:
    """Counts and times requests, and writes the log of them."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.started = time.monotonic()
        self.registry = CollectorRegistry()
        labels = ("service", "operation")
        self.requests = Counter("headrace_requests", "Requests answered.", (*labels, "status"), registry=self.registry)
        self.seconds = Histogram(
            "headrace_request_seconds", "Time from head to last byte.", labels, buckets=BUCKETS, registry=self.registry
        )
        self._ended: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.open = Gauge("headrace_requests_open", "Requests being answered now.", registry=self.registry)
        Gauge("headrace_build_info", "Always 1.", ("version",), registry=self.registry).labels(__version__).set(1)

    def begins(self, request: Request) -> float:
        """Note that a request has come; returns the stamp that `ends` takes."""
        del request
        self.open.inc()
        return time.perf_counter()

    def ends(self, began: float, request: Request, answered: Answered) -> None:
        """Count, time and log an answered request; no value of its headers, query or body is written."""
        seconds = time.perf_counter() - began
        self.open.dec()
        status = answered.response.status
        service, operation = answered.service or "unknown", answered.operation or "unknown"
        count, times = self._labelled(service, operation, status)
        count.inc()
        times.observe(seconds)
        if not LOG.isEnabledFor(logging.INFO):
            return
        facts: dict[str, object] = {
            "request_id": request.request_id,
            "service": service,
            "operation": operation,
            "status": status,
            "milliseconds": round(seconds * 1000, 3),
            "caller": answered.caller.arn or "anonymous",
            "client": request.client,
        }
        if answered.error:
            facts["error"] = answered.error
        LOG.info("%s %s", service, operation, extra={"facts": facts})

    def _labelled(self, service: str, operation: str, status: int) -> tuple[Counter, Histogram]:
        """Return what counts and what times such requests."""
        key = (service, operation, status)
        kept = self._ended.get(key)
        if kept is None:
            labels = (service, operation)
            kept = self._ended[key] = (self.requests.labels(*labels, str(status)), self.seconds.labels(*labels))
        return kept

    def own_page(self, request: Request) -> Response:
        """Answer `/healthz` (200 while the database answers, else 503) and `/metrics` (Prometheus text)."""
        if request.method not in ("GET", "HEAD"):
            return Response(405, {"allow": "GET, HEAD"})
        if request.path == "/healthz":
            return self._health()
        if not self._may_see_metrics(request):
            return Response(403, {"content-type": "text/plain"}, b"give the metrics token as a bearer token\n")
        return Response(200, {"content-type": CONTENT_TYPE_LATEST}, generate_latest(self.registry))

    def _may_see_metrics(self, request: Request) -> bool:
        if is_loopback(request.client):
            return True
        token = self.platform.settings.metrics_token
        given = request.header.get("authorization", "").removeprefix("Bearer ")
        return bool(token) and hmac.compare_digest(given.encode(), token.encode())

    def _health(self) -> Response:
        try:
            with self.platform.metadata.reading() as connection:
                connection.execute(text("SELECT 1"))
        except Exception:
            logging.getLogger("headrace.health").exception("the metadata store does not answer")
            return Response(503, {"content-type": "application/json"}, b'{"status":"metadata store unavailable"}\n')
        facts = {"status": "ok", "version": __version__, "seconds": round(time.monotonic() - self.started, 1)}
        return Response(200, {"content-type": "application/json"}, (json.dumps(facts) + "\n").encode())
