"""CloudWatch Logs: groups, streams, events, filters; and lines that other rooms write."""
