"""What travels into and out of AWS's images: channels and requests as rows, replies as bytes."""

from headrace.server.containers.formats.channels import read_blocks, read_channel
from headrace.server.containers.formats.media_types import MediaType, negotiate, read_media_type
from headrace.server.containers.formats.replies import write_reply
from headrace.server.containers.formats.requests import read_rows

__all__ = [
    "MediaType",
    "negotiate",
    "read_blocks",
    "read_channel",
    "read_media_type",
    "read_rows",
    "write_reply",
]
