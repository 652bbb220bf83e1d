"""A command that is asked to stop and does not is killed once its time is over."""

import subprocess

from headrace.server.jobs.attendance import attend

STUBBORN = "trap 'echo asked' TERM; echo ready; while true; do sleep 0.1; done"


def test_who_does_not_stop_is_killed() -> None:
    lines: list[str] = []
    process = subprocess.Popen(["sh", "-c", STUBBORN], stdout=subprocess.PIPE)
    try:
        attend(process, lines.append, lambda: "ready" in lines, process.terminate, patience=1.0)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == -9
    assert lines == ["ready", "asked"]
