"""What a receive line does to known powers: the log detector's line, the mixer's conversion, compression.

Powers are those at the cavity's port [dBm]; the line's declared gains lie between it and the detector.
"""

from __future__ import annotations

import math

import numpy as np

from .receiver import IMPEDANCE, Receiver

_INSIDE = 3.0       # [dB] from floor and ceiling, within which a log detector bends
_COMPRESSED = 1.0   # [dB] below the straight line of small powers
_FEWEST = 5


def log_line(powers: np.ndarray, volts: np.ndarray, declared: Receiver) -> dict[str, float]:
    """{slope [V/dB], intercept [dBm], with errors} from mean volts (K,) at `powers` (K,) [dBm].

    Steps within 3 dB of the declared floor or ceiling are left out, and so is what clips; the floor's power
    is added to what arrives, as the detector does. {} for fewer than five steps that are left.
    """
    arriving = powers + 10.0 * math.log10(declared.gain)
    seen = 10.0 * np.log10(10.0 ** (arriving / 10.0) + 10.0 ** (declared.floor / 10.0))
    inside = (arriving > declared.floor + _INSIDE) & (arriving < declared.ceiling - _INSIDE)
    low = declared.middle - 0.5 * declared.full_scale
    inside &= (volts > low + 2.0 * declared.lsb) & (volts < low + declared.full_scale - 2.0 * declared.lsb)
    if np.count_nonzero(inside) < _FEWEST:
        return {}
    x, y = seen[inside], volts[inside]
    middle = float(np.mean(x))
    slope, offset = np.polyfit(x - middle, y, 1)
    noise = math.sqrt(float(np.sum((y - offset - slope * (x - middle)) ** 2)) / (len(x) - 2))
    slope_sigma = noise / math.sqrt(float(np.sum((x - middle) ** 2)))
    away = offset / slope
    sigma = math.hypot(noise / math.sqrt(len(x)), away * slope_sigma) / abs(slope)
    return {"slope": float(slope), "slope_sigma": slope_sigma, "intercept": middle - float(away),
            "intercept_sigma": sigma}


def carrier_amplitude(time: np.ndarray, volts: np.ndarray, frequency: float) -> float:
    """Amplitude [V] of a carrier of known frequency [Hz] in a record (T,).

    Under a Hann window, beside which neither the carrier's image nor a constant is seen. Searching for the
    frequency instead would cost a weak carrier its coherence over the record.
    """
    window = np.hanning(len(time))
    turned = volts * np.exp(-2j * math.pi * frequency * np.asarray(time))
    return float(2.0 * abs(np.sum(window * turned)) / np.sum(window))


def reflected(receiver: Receiver, offset: float) -> float:
    """|S11|^2 [dB] of the declared cavity for a source `offset` [Hz] from its frequency."""
    k, x = receiver.coupling_factor, 2.0 * receiver.loaded_quality * offset / receiver.frequency
    return 20.0 * math.log10(max(abs(1.0 - 2.0 * k / (1.0 + k) / (1.0 + 1j * x)), 1e-10))


def conversion(powers: np.ndarray, volts: np.ndarray, declared: Receiver) -> dict[str, float]:
    """{conversion, with its error}: recorded amplitude [V] (K,) over sqrt(2 * 50 ohm * power at the mixer).

    From the lower half of the powers that stand out of the noise, where nothing compresses yet.
    """
    at_mixer = declared.gain * 1e-3 * 10.0 ** (powers / 10.0)
    ratio = volts / np.sqrt(2.0 * IMPEDANCE * at_mixer)
    swing = 0.5 * declared.full_scale - abs(declared.middle)
    good = np.flatnonzero((volts > 3.0 * declared.lsb) & (volts < 0.9 * swing))
    good = good[np.argsort(powers[good])][: max(_FEWEST, len(good) // 2)]
    if len(good) < _FEWEST:
        return {}
    weight = volts[good] ** 2
    mean = float(np.sum(weight * ratio[good]) / np.sum(weight))
    scatter = math.sqrt(float(np.sum(weight * (ratio[good] - mean) ** 2) / np.sum(weight)))
    return {"conversion": mean, "conversion_sigma": scatter / math.sqrt(len(good))}


def compression(powers: np.ndarray, volts: np.ndarray) -> dict[str, float]:
    """{compression_point [dBm]}: where the amplitude is 1 dB below its straight line; {} if nowhere."""
    order = np.argsort(powers)
    x, level = powers[order], 20.0 * np.log10(np.maximum(volts[order], 1e-12))
    if len(x) < 2 * _FEWEST:
        return {}
    clear = np.flatnonzero(level > level[-1] - 20.0)[:_FEWEST]
    short = (x - x[clear].mean()) - (level - level[clear].mean())
    beyond = np.flatnonzero((short > _COMPRESSED) & (np.arange(len(x)) > clear[-1]))
    if not len(beyond):
        return {}
    i = int(beyond[0])
    share = (_COMPRESSED - short[i - 1]) / (short[i] - short[i - 1])
    return {"compression_point": float(x[i - 1] + share * (x[i] - x[i - 1]))}
