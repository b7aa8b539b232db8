"""One seed gives one set of raw codes, whatever ran on the bench before."""

import numpy as np

from procedures import run


def test_one_seed_gives_one_set_of_codes_and_another_seed_another(bench, tmp_path):
    runs = [run("single_shot", bench, tmp_path, seed=seed, should_stop=None, shots=2, repetition_rate=20.0)
            for seed in (3, 3, 4)]
    same, again, other = ([shot.waveform.codes for shot in one.shots] for one in runs)
    assert all(np.array_equal(a, b) for a, b in zip(same, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(same, other, strict=True))


def test_a_run_may_be_repeated_with_its_own_seed_at_once(bench, tmp_path):
    one, again = (run("single_shot", bench, tmp_path, seed=3).shots[0].waveform.codes for _ in range(2))
    assert np.array_equal(one, again)


def test_what_another_run_left_the_sources_at_leaks_into_none_after_it(bench, tmp_path):
    """A source at -20 dBm that is off still leaves some ten photons in the mode, which would seed a burst."""
    runs = []
    for between in ("cavity_sweep", "ring_down", "drive_scan"):
        runs.append(run("single_shot", bench, tmp_path, seed=3, repetition_rate=20.0))
        given = {"points": 20} if between == "cavity_sweep" else {"shots": 1, "repetition_rate": 20.0}
        run(between, bench, tmp_path, seed=3, **given)
    runs.append(run("single_shot", bench, tmp_path, seed=3, repetition_rate=20.0))
    first, *others = (one.shots[0].waveform.codes for one in runs)
    assert all(np.array_equal(first, other) for other in others)
    assert bench.roles["microwave"].power == -135.0 and bench.roles["microwave_45"].power == -110.0
