"""Starts one program, waits for it and prints what it cost: ``python -I -S launcher.py RESULT PROGRAM …``.

A process of its own and a small one, because a child's peak memory as the kernel counts it is at least that of the process it was forked from.
"""

import os
import sys
import time


def main() -> None:
    """Measure the program and write wall, user and system seconds, peak KiB and the exit code into a file."""
    result, *command = sys.argv[1:]
    began = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - began
    with open(result, "w", encoding="ascii") as file:
        file.write(f"{wall} {used.ru_utime} {used.ru_stime} {used.ru_maxrss} {os.waitstatus_to_exitcode(status)}\n")


main()
