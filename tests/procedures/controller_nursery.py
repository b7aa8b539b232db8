"""Controllers by the dozen, to be killed: one is forked for each line on stdin, FOLDER, SHOTS and SEED.

Starting Python and loading the twin takes longer than all else of a short run, so both are done once. Every
controller is a process of its own that says on the common stdout, after its number, `born`, `guard NUMBER`,
`run PATH`, `armed`, `stored N`, `safe` and, if it comes to that, `ended STATE` or `failed MESSAGE`. An empty
line is answered by `awake`.

    python controller_nursery.py BENCH_FILE
"""

import os
import signal
import sys

from procedures import open_bench, run
from procedures.machinery.apparatus.bench import describe_bench
from procedures.machinery.apparatus.warm import warm
from procedures.machinery.commands.run import stop_signals
from procedures.machinery.fitting import shot_checks
from procedures.machinery.records.failures import BenchFailure

RATE = 20.0  # [Hz]


def say(*words):
    os.write(1, " ".join(map(str, (os.getpid(), *words))).encode() + b"\n")


def tell(event):
    kind = type(event).__name__
    if kind == "RunStarted":
        say("run", event.path)
    elif kind == "ShotStored":
        say("stored", event.shot.number)
    elif kind in ("Armed", "SafeState"):
        say({"Armed": "armed", "SafeState": "safe"}[kind])


def control(bench, folder, shots, seed):
    say("born")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        with open_bench(bench) as opened, stop_signals() as should_stop:
            say("guard", opened.guard.process_id)
            done = run("single_shot", opened, folder, publish=tell, should_stop=should_stop, seed=seed,
                       shots=shots, repetition_rate=RATE)
        say("ended", done.state)
    except BenchFailure as failure:
        say("failed", failure)


def main():
    warm(lambda text: None)
    shot_checks.load(describe_bench(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    say("awake")
    for line in sys.stdin:
        if not line.strip():
            say("awake")
        elif os.fork() == 0:
            try:
                folder, shots, seed = line.strip().split("\t")
                control(sys.argv[1], folder, int(shots), int(seed))
            finally:
                os._exit(0)


if __name__ == "__main__":
    main()
