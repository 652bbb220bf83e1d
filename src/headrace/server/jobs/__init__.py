"""Durable lease queue: a job survives the kill of whoever asked for it and of whoever runs it.

States, which go one way within an attempt:

    queued ──> running ──> done
      │           ├──────> dead        it failed for good, or as often as it may
      │           ├──────> queued      a new attempt: it failed, its worker died or handed it back
      │           └─> stopping ──> cancelled, or done when it finished first
      └──────────────────> cancelled

`attempt` counts the claims and is the fencing token: whatever a worker or its job writes says which attempt it belongs
to, and is refused once the row has moved on (LeaseLost). No lease is judged by a wall clock. The owner of a job makes
its `beat` grow; another worker that watched `attempt` and `beat` stand still for the length of a lease, on its own
monotonic clock, takes the job over (`watch`). Clocks that disagree or jump change nothing, because no time of one
machine is ever compared with a time of another; it only takes clocks that run about equally fast. A worker that could
not beat for a lease ends its jobs itself. Where the dead owner ran on the same machine, its process is seen to be gone
and nobody waits (`owners`).

For callers: `queue` (enqueue, cancel, get, listing, log). For handlers: `handle` (the Job they are given). For workers:
`attempts`, `watch`, `owners`, `folders`.
"""
