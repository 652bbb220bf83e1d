"""The revisions, oldest first; files are written by revisions.py and then completed by hand."""
