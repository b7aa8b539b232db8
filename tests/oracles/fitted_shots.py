"""Shots of known truth on the default bench, and fits of them: what several test files share."""

from functools import lru_cache

import noisy_shots
import numpy as np

from twin import pentacene
from twin.fit import FREE, fit
from twin.optical_pump import OpticalPump, pump_drive
from twin.receiver import Receiver

CRYSTAL = pentacene.parameters("bench_default")
PUMP = OpticalPump()
CARRIER = Receiver()
ENVELOPE = Receiver(intermediate_frequency=0.0)
LOG = Receiver(detector="log")
EDGE = 200e-9
JITTER = 2e-9
FULL = 5e-3


@lru_cache(maxsize=256)
def shot(number, energy=None, receiver=CARRIER, lowest=0.1):
    """(record, drive): crystal a few per cent off what is declared, energy log-uniform from `lowest`."""
    rng = np.random.default_rng((77, number))
    energy = energy or FULL * 10 ** rng.uniform(np.log10(lowest), 0.0)
    off = {n: CRYSTAL.value(n) * rng.uniform(0.92, 1.08)
           for n in ("coupling", "cavity_decay", "dephasing_35")}
    crystal = CRYSTAL.replace(**off)
    return noisy_shots.shot(crystal, pump_drive(crystal, PUMP, energy), receiver, (5, number), EDGE), \
        pump_drive(CRYSTAL, PUMP, energy)


def measured_edge(number):
    """The photodiode's word on the laser: (mean, sigma) [s]."""
    return (EDGE + JITTER * np.random.default_rng((78, number)).normal(), JITTER)


def fitted(number, energy=None, receiver=CARRIER, lowest=0.1, **changes):
    """(record, result) of one cold fit with declared values; `changes` are keywords of `fit`."""
    record, drive = shot(number, energy, receiver, lowest)
    asked = dict(parameters=CRYSTAL, drive=drive, receiver=receiver, sigma=record.sigma,
                 prior={"start": measured_edge(number)}, free=FREE)
    asked.update(changes)
    return record, fit(record.time, record.volts, **asked)


def pulls(record, result):
    """(truth - fit)/sigma of the five names, in the order of FREE."""
    return [(result.parameters[n] - record.truth[n]) / result.sigma[n] for n in FREE]
