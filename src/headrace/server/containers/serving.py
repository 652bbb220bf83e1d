"""How a model of rows answers a request: read the rows, predict, write the reply."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from headrace.server.containers.contract import ClientError, Predictor, Reply
from headrace.server.containers.formats import MediaType, negotiate, read_rows, write_reply

AI_ALGORITHMS_REQUESTS = ("application/json", "application/jsonlines", "text/csv", "application/x-recordio-protobuf")
"""What models of AWS's own algorithms read and write."""


class RowPredictor(Predictor):
    """A model that answers each row by itself; `width` is the number of features that it reads."""

    content_types: ClassVar[Sequence[str]] = AI_ALGORITHMS_REQUESTS
    accepts: tuple[str, ...] = AI_ALGORITHMS_REQUESTS
    width: int

    @abstractmethod
    def reply(self, features: Any, accept: MediaType) -> Reply:
        """Return the reply to features [rows, width], dense or sparse, in the content type that is accepted."""

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the answer to one request and its content type."""
        accepted = negotiate(accept, self.accepts)
        rows = read_rows(body, content_type, self.width, accepted=self.content_types)
        return write_reply(self.reply(rows.features, accepted), accept, offered=self.accepts)


def complete_request(features: Any) -> Any:
    """Return the features of a request; raises ClientError where a value is missing."""
    values = features if isinstance(features, np.ndarray) else features.data
    if np.isnan(values).any():
        raise ClientError("The request has a missing value, which this model does not take; fill it in.")
    return features
