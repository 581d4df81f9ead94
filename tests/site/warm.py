"""Runs blocks, each in a fork of a process that has imported what takes long to import.

A line of JSON is read for each: its code and a folder to run it in. What it prints is written
there, to `out` and `err`, and its exit status is answered.
"""

import json
import os
import sys
import traceback

import keras  # noqa: F401
import tensorflow  # noqa: F401


def run(code: str, folder: str) -> None:
    os.chdir(folder)
    for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
        os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY), stream.fileno())
    status = 1
    try:
        exec(compile(code, "<block>", "exec"), {"__name__": "__main__"})
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


for line in sys.stdin:
    child = os.fork()
    if not child:
        run(**json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
