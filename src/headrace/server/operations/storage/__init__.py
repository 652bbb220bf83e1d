"""Buckets and objects, as S3 has them: rows of the metadata store that name blobs of the object store."""
