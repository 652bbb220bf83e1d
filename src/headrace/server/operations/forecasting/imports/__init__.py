"""Import jobs of Amazon Forecast: tables of S3, checked against a dataset's schema and kept as one Parquet file."""
