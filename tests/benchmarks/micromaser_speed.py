"""Speed of a micromaser collision: beside QuTiP, the machine's limits and plain compiled loops.

    python tests/benchmarks/micromaser_speed.py

What is set in relation is measured alternately within one run, the shortest of many: the same machine
differs by half between two runs. Times are those of one thread, not of the clock on the wall, so that other
work on the machine does not count. Limits of a lossless collision with c = 1, on the d (d + 1)/2 elements of
the upper triangle: 8 multiply-adds each, held in registers; 8 bytes read and 8 written, held in cache.
Prints no verdicts.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from math import pi, sqrt
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # ours takes one thread; so does QuTiP then
import numpy as np
import qutip
from numba import njit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "oracles"))
import collisions_in_qutip
import damping_in_loops

from twin.micromaser import Parameters, charge, coherent, kernels
from twin.micromaser.real_gauge import RealCharge

M = Parameters(theta=pi / sqrt(15.6))
DIMENSIONS = (30, 60, 120, 240)
REGISTERS = 64


@njit(fastmath={"contract", "nsz", "reassoc"})
def multiply_adds(rounds, x, y):
    """REGISTERS chains that do not wait for each other, in vector registers."""
    sums = np.zeros(REGISTERS)
    for _ in range(rounds):
        for i in range(REGISTERS):
            sums[i] = sums[i] * x + y
    return sums.sum()


@njit
def copied(source, target, rounds):
    for _ in range(rounds):
        for i in range(len(source)):
            target[i] = source[i] + 1.0


def best(calls, rounds):
    """Shortest time [s] that each call takes of this thread; all of them in every round, after one that may
    compile."""
    times = np.full(len(calls), np.inf)
    for call in calls:
        call()
    for _ in range(rounds):
        for i, call in enumerate(calls):
            begin = time.thread_time()
            call()
            times[i] = min(times[i], time.thread_time() - begin)
    return times


@njit
def collided(here, there, kraus, rounds):
    for _ in range(rounds):
        kernels.collide(here, there, kraus, 0.0)


def filled(m, d):
    """A run that stands in a coherent state far below the highest level, and that state."""
    state = coherent(0.25 * sqrt(d), d)
    state = state * np.exp(-0.5j * pi * np.subtract.outer(np.arange(d), np.arange(d)))
    return RealCharge(m, RealCharge.own(m, state)), state


def step_in_qutip(m, state):
    """The collision as one writes it with QuTiP: a dense unitary on qubit and cavity, partial trace."""
    d = len(state)
    unitary = collisions_in_qutip.unitary(m, d).to("Dense")
    qubit, back = collisions_in_qutip.qubit(m).to("Dense"), unitary.dag()
    cavity = qutip.Qobj(state).to("Dense")
    return lambda: (unitary * qutip.tensor(qubit, cavity) * back).ptrace(1)


def lossless():
    print("one collision without loss, c = 1 [us]")
    print(f"{'d':>5}{'ours':>9}{'+figures':>10}{'limit FMA':>11}{'cache':>8}{'ours/limit':>12}{'QuTiP':>9}"
          f"{'QuTiP/ours':>12}{'largest error':>15}")
    for d in DIMENSIONS:
        run, state = filled(M, d)
        theirs = step_in_qutip(M, state)
        found = theirs().full()
        run.advance(1, d)
        error = np.abs(run.matrix - found).max()
        elements, many = d * (d + 1) // 2, 24000 // d
        (here, there), kraus = run._frames, run._parts[0]
        source, target = np.zeros(elements), np.zeros(elements)
        sums = 8 * elements * many // REGISTERS
        times = best([partial(collided, here, there, kraus, many), partial(run.advance, many, d),
                      partial(multiply_adds, sums, 0.999, 0.1), partial(copied, source, target, many),
                      theirs], 40 if d < 200 else 15)
        ours, figures, fma, cache, joint = times / [many, many, many, many, 1] * 1e6
        print(f"{d:5}{ours:9.2f}{figures:10.2f}{fma:11.2f}{cache:8.2f}{ours / max(fma, cache):12.2f}"
              f"{joint:9.0f}{joint / ours:12.0f}{error:15.0e}", flush=True)


def lossy():
    print("\ncollision and damping [us], beside the damping alone in plain compiled loops")
    print(f"{'d':>5}{'gamma t_r':>11}{'ours':>9}{'loops':>9}{'loops/ours':>12}{'largest error':>15}")
    for d in DIMENSIONS:
        for loss in (1e-3, 0.1):
            m = M.replace(loss=loss)
            loops = damping_in_loops.Loops(m, d)
            idle, _ = filled(m.replace(theta=0.0), d)
            damped = loops.damped(idle.spectrum_state)
            idle.advance(1, d)  # theta = 0: damping alone
            error = np.abs(idle.spectrum_state - damped).max()
            run, _ = filled(m, d)
            many = max(2000 // d, 4)
            ours, theirs = best([partial(run.advance, many, d), partial(loops.damp, damped, many)],
                                40) / many * 1e6
            print(f"{d:5}{loss:11g}{ours:9.2f}{theirs:9.2f}{theirs / ours:12.2f}{error:15.0e}", flush=True)


def whole_runs():
    print(f"\ncharge() [us per collision]\n{'':44}{'collisions':>11}{'levels':>8}")
    for name, m, d, k in (
            ("coherent, m = 15, dimension=120", M.replace(theta=pi / sqrt(15.0)), 120, 2000),
            ("coherent, m = 15, dimension=240", M.replace(theta=pi / sqrt(15.0)), 240, 2000),
            ("coherent, m = 15, dimension=240, short", M.replace(theta=pi / sqrt(15.0)), 240, 100),
            ("coherent, m = 15.6", M, None, 1000), ("the same, long", M, None, 100_000),
            ("gamma t_r = 0.1", M.replace(loss=0.1), None, 1000),
            ("gamma t_r = 0.1, dimension=240", M.replace(loss=0.1), 240, 1000),
            ("incoherent, m = 15.6", M.replace(c=0.0), None, 10_000),
            ("detuned by g/2", M.replace(detuning_ratio=0.5), None, 1000),
            ("detuned by g/2, gamma t_r = 0.1", M.replace(detuning_ratio=0.5, loss=0.1), None, 1000)):
        (seconds,) = best([partial(charge, m, k, d)], 3 if k > 10_000 else 15)
        print(f"{name:44}{k:11}{charge(m, k, d).dimension:8}{seconds / k * 1e6:9.2f}", flush=True)


if __name__ == "__main__":
    lossless()
    lossy()
    whole_runs()
