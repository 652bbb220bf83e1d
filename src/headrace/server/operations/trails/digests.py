"""Delivers digest files: each names log files with their hashes and is chained to the one before by a signature.

Format and signature are AWS's ("CloudTrail digest file structure"), so `aws cloudtrail validate-logs` judges them. A
chain does not stop the holder of its key from truncating or forging it: whoever needs proof against the server's own
administrator must publish the signatures of digests elsewhere from time to time (another account, a printed log).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update

from headrace.server.context import Platform
from headrace.server.errors import OperationError
from headrace.server.operations.trails import state
from headrace.server.operations.trails.buckets import folder, put_log_file, stage
from headrace.server.operations.trails.signing import SigningKey, signing_key
from headrace.server.operations.trails.state import Running
from headrace.server.resources import Stored
from headrace.server.security.audit.entry import event_time
from headrace.server.stores.metadata.tables.audit import AUDIT_DIGESTS, AUDIT_FILES

LOG = logging.getLogger("headrace.trails")
ALGORITHM = "SHA256withRSA"


def deliver_digests(platform: Platform, trail_id: int, trail: Stored, now: int) -> None:
    """Deliver the digests of one trail that are due, a region each; the last when it stops logging or validating."""
    with platform.metadata.reading() as connection:
        running = state.running(connection, trail_id)[0]
        chains = state.chained(connection, running)
    validating = trail.record["log_file_validation_enabled"]
    if running.logging is False and running.windows:
        return
    ends = not running.logging or not validating
    for chain in chains:
        until = _end(chain.until, now, platform.settings.digest_seconds * 1000, ends=ends)
        if until is None:
            continue
        try:
            _deliver(platform, running, trail, chain, until, now, ends=ends)
        except OperationError as error:
            LOG.warning("the trail %s could not deliver a digest: %s", trail.name, error.message)
            with platform.metadata.writing() as connection:
                state.note(connection, running, digest_error=error.code or type(error).__name__)


def _end(begun: int, now: int, period: int, *, ends: bool) -> int | None:
    if ends:
        return max(now // 1000 * 1000, begun + 1000)
    return begun + (now - begun) // period * period if now - begun >= period else None


def _deliver(
    platform: Platform, running: Running, trail: Stored, chain: Row[Any], until: int, now: int, *, ends: bool
) -> None:
    with platform.metadata.writing() as connection:
        key = signing_key(platform, connection, now)
    with platform.metadata.reading() as connection:
        where = (AUDIT_FILES.c.trail == running.id, AUDIT_FILES.c.region == chain.region)
        files = connection.execute(select(AUDIT_FILES).where(*where).order_by(AUDIT_FILES.c.id)).all()
    name = _key(trail, chain.region, until)
    content = json.dumps(_digest(trail, chain, name, key, files, until), separators=(",", ":")).encode()
    signature = key.sign(_signed_text(trail, name, content, chain, until))
    staged = stage(platform, gzip.compress(content, 6, mtime=0))
    done = False
    try:
        with platform.metadata.writing() as connection:
            columns = AUDIT_DIGESTS.c
            here = (columns.trail == running.id, columns.region == chain.region, columns.until == chain.until)
            if ends:
                moved = connection.execute(delete(AUDIT_DIGESTS).where(*here))
            else:
                digest_hash = hashlib.sha256(content).hexdigest()
                bucket = trail.record["s3_bucket_name"]
                moved = connection.execute(
                    update(AUDIT_DIGESTS)
                    .where(*here)
                    .values(until=until, bucket=bucket, key=name, hash=digest_hash, signature=signature)
                )
            if moved.rowcount != 1:
                return
            metadata = {"signature": signature, "signature-algorithm": ALGORITHM}
            put_log_file(platform, connection, trail, name, staged, now, metadata)
            connection.execute(delete(AUDIT_FILES).where(AUDIT_FILES.c.id.in_([file.id for file in files])))
            state.note(connection, running, digested=now, digest_error=None)
        done = True
    finally:
        if not done:
            platform.objects.discard(staged)


def _key(trail: Stored, region: str, until: int) -> str:
    when = time.gmtime(until // 1000)
    where = folder(trail.record.get("s3_key_prefix", ""), trail.account, "CloudTrail-Digest")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", when)
    file = f"{trail.account}_CloudTrail-Digest_{region}_{trail.name}_{trail.region}_{stamp}.json.gz"
    return f"{where}/{region}/{time.strftime('%Y/%m/%d', when)}/{file}"


def _digest(
    trail: Stored, chain: Row[Any], name: str, key: SigningKey, files: Sequence[Row[Any]], until: int
) -> dict[str, Any]:
    return {
        "awsAccountId": trail.account,
        "digestStartTime": event_time(chain.until // 1000),
        "digestEndTime": event_time(until // 1000),
        "digestS3Bucket": trail.record["s3_bucket_name"],
        "digestS3Object": name,
        "digestPublicKeyFingerprint": key.fingerprint,
        "digestSignatureAlgorithm": ALGORITHM,
        "newestEventTime": event_time(max(file.newest for file in files) // 1000) if files else None,
        "oldestEventTime": event_time(min(file.oldest for file in files) // 1000) if files else None,
        "previousDigestS3Bucket": chain.bucket or None,
        "previousDigestS3Object": chain.key or None,
        "previousDigestHashValue": chain.hash or None,
        "previousDigestHashAlgorithm": "SHA-256" if chain.hash else None,
        "previousDigestSignature": chain.signature or None,
        "logFiles": [
            {
                "s3Bucket": file.bucket,
                "s3Object": file.key,
                "hashValue": file.hash,
                "hashAlgorithm": "SHA-256",
                "newestEventTime": event_time(file.newest // 1000),
                "oldestEventTime": event_time(file.oldest // 1000),
            }
            for file in files
        ],
    }


def _signed_text(trail: Stored, name: str, content: bytes, chain: Row[Any], until: int) -> str:
    place = f"{trail.record['s3_bucket_name']}/{name}"
    return "\n".join(
        (event_time(until // 1000), place, hashlib.sha256(content).hexdigest(), chain.signature or "null")
    )  # fmt: skip
