"""Each resource declared once: its ARN, its states and their order, its parent; and the rows that hold them."""

from headrace.server.resources.kinds import Page, Place, Resource, Stored
from headrace.server.resources.listing import filters, listing, search
from headrace.server.resources.members import member
from headrace.server.resources.rows import by_arn, change, create, find, get, remove, request_digest
from headrace.server.resources.tags import MOST_TAGS, tag, tag_words, tagged, tags_of, tags_of_each, untag

__all__ = [
    "MOST_TAGS",
    "Page",
    "Place",
    "Resource",
    "Stored",
    "by_arn",
    "change",
    "create",
    "filters",
    "find",
    "get",
    "listing",
    "member",
    "remove",
    "request_digest",
    "search",
    "tag",
    "tag_words",
    "tagged",
    "tags_of",
    "tags_of_each",
    "untag",
]
