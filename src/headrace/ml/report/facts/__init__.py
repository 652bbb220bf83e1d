"""The facts of the report: the records of the nine steps as plain, finite JSON without personal values."""
