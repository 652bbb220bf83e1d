"""What can be done: plain functions on plain data, one folder an area; every door calls these."""
