"""`--exclude a b c`: an option that takes several values after one flag."""

from __future__ import annotations

SEVERAL = ("--exclude", "--keep", "--sensitive")


def spread(arguments: list[str]) -> list[str]:
    """Write `--exclude a b` as `--exclude a --exclude b`.

    Only where the table was named before the flag: else the last value might be the table.

    >>> spread(["run", "t.csv", "--exclude", "a", "b", "--seed", "1"])
    ['run', 't.csv', '--exclude', 'a', '--exclude', 'b', '--seed', '1']
    """
    if arguments[:1] != ["run"] or len(arguments) < 2 or arguments[1].startswith("-"):
        return arguments
    result: list[str] = []
    flag = ""
    for position, argument in enumerate(arguments):
        if argument.startswith("-"):
            flag = argument if argument in SEVERAL else ""
        elif flag and arguments[position - 1] != flag:
            result.append(flag)
        result.append(argument)
    return result
