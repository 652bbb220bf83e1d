"""Runs jobs: `loop` claims them, `process` starts, watches and ends one, `keeper` and `runner` are that process itself.

    worker ── keeper ── runner ── whatever the handler starts

The keeper holds one end of a socket whose other end only the worker has. When the worker goes, however it goes, the
keeper kills all that is below it; when the keeper goes, the kernel kills the runner.
"""
