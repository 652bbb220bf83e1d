"""Reading tables: files, databases and frames become raw columns, and raw columns typed values."""
