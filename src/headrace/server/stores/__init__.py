"""Where everything is kept: metadata in a database, objects in files or an object store."""
