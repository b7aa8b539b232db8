"""Single shots: reproducible, thermal in the dark, and right on average where the average is known."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from twin import pentacene, simulate, simulate_ensemble
from twin.drive import Drive, Gaussian, Sampled, Square, Steps

P = pentacene.Parameters()
DARK = Drive(pump_rate=0.0)


def test_the_mean_of_400_shots_is_the_ensemble_of_the_model_and_not_second_order():
    times = np.linspace(0.0, 1e-6, 1001)
    shots = simulate_ensemble(P, Drive(), times, 400, seed=11)
    photons, stored = shots.photons.mean(axis=0), shots.populations[:, :, 4].mean(axis=0)
    top = stored[:400].argmax()
    low = top + stored[top:600].argmin()
    work = 1.0 - stored[low] / stored[top]
    latency = times[photons.argmax()]
    print(f"peak {photons.max():.4g} at {latency:.4g} s, E_min {stored[low]:.3f}, W/E {work:.3f}")
    assert photons.max() == pytest.approx(1.46e16, rel=0.08)
    assert latency == pytest.approx(484e-9, abs=8e-9)
    assert stored[low] == pytest.approx(0.234, abs=0.02)
    assert work == pytest.approx(0.69, abs=0.03)
    # Each single shot does empty its battery: it is the spread of delays that blurs the mean.
    single = [1.0 - s[top:700].min() / s[top - 100:top + 50].max() for s in shots.populations[:40, :, 4]]
    assert np.median(single) == pytest.approx(0.87, abs=0.01)


def test_shot_i_of_an_ensemble_is_the_single_shot_with_seed_and_i():
    times = np.linspace(0.0, 6e-7, 50)
    shots = simulate_ensemble(P, Drive(rabi_45=1e7), times, 13, seed=3)
    assert len(shots) == 13 and shots.photons.shape == (13, 50) and shots.populations.shape == (13, 50, 5)
    for i in range(13):  # eight go through one loop; each place in it is tried, and a loop that is not full
        single = simulate(P, Drive(rabi_45=1e7), times, model="stochastic", seed=(3, i))
        assert np.array_equal(single.photons, shots[i].photons)
        assert np.array_equal(single.field, shots.field[i])
        assert np.array_equal(single.populations, shots[i].populations)
    assert not np.allclose(shots[0].photons, shots[1].photons)


@pytest.mark.parametrize("drive", [Drive(), Drive(pump_off_at=5e-7),
                                   Drive(pump_rate=Square(6e7, 1e-7, 6.1e-7)),
                                   Drive(pump_rate=Gaussian(3e8, 1e-7, 1.3e-8)),
                                   Drive(pump_rate=Sampled([1e-7, 4.1e-7, 6e-7], [0.0, 7e7, 3e7])),
                                   Drive(cavity_drive=1e12, cavity_drive_detuning=2e7),
                                   Drive(cavity_decay=Steps((5.5e-7,), (2e6, 2e7)))])
def test_a_shot_depends_neither_on_the_grid_nor_on_the_end(drive):
    shared = np.array([0.0, 1.7e-7, 3.9e-7, 4.31e-7])
    late = simulate(P, drive, np.append(shared, 9e-7), model="stochastic", seed=5)
    early = simulate(P, drive, shared, model="stochastic", seed=5)
    grid = np.union1d(np.linspace(0.0, 7e-7, 200), shared)
    dense = simulate(P, drive, grid, model="stochastic", seed=5)
    there = np.isin(dense.times, shared)
    assert np.array_equal(early.photons, late.photons[:4])
    assert np.array_equal(early.populations, late.populations[:4])
    assert np.array_equal(dense.photons[there], early.photons)


def test_the_dark_cavity_stays_thermal_with_exponential_statistics():
    p = P.replace(thermal_photons=50.0, cavity_decay=2e7)
    shots = simulate_ensemble(p, DARK, np.array([0.0, 4e-7, 1e-6]), 1500, seed=2)
    for k in range(3):  # Wigner: |alpha|^2 is exponential with mean n_th + 1/2
        wigner = shots.photons[:, k] + 0.5
        assert wigner.mean() == pytest.approx(50.5, rel=0.09)
        assert wigner.std() == pytest.approx(50.5, rel=0.15)
        assert np.mean(wigner > 50.5) == pytest.approx(np.exp(-1.0), abs=0.04)
        assert abs(shots.field[:, k].mean()) < 1.0
    first, last = shots.field[:, 0], shots.field[:, 2]  # twenty lifetimes later nothing is remembered
    assert abs(np.mean(first * last.conj())) < 5.0


def test_a_switched_cavity_keeps_its_thermal_photons():
    p = P.replace(thermal_photons=50.0, cavity_decay=1e5)
    d = Drive(pump_rate=0.0, cavity_decay=Steps((2e-7,), (1e5, 5e7)))
    shots = simulate_ensemble(p, d, np.array([2e-7, 5e-7]), 1500, seed=4)
    assert shots.photons[:, 1].mean() == pytest.approx(50.0, rel=0.1)


def test_inverted_spins_emit_spontaneously_into_an_empty_mode_at_the_rate_of_second_order():
    # No thermal photons and almost no loss: what appears is amplified noise of mode and spins alone.
    p = P.replace(thermal_photons=0.0, cavity_decay=1e4, molecules=1e15)
    times = np.array([2e-7, 4e-7, 6e-7, 8e-7, 1e-6])
    shots = simulate_ensemble(p, Drive(), times, 2500, seed=8)
    expected = simulate(p, Drive(), times).photons
    ratio = shots.photons.mean(axis=0)[1:] / expected[1:]
    print("photons of 2500 shots over second order:", ratio.round(3))
    assert expected[-1] > 100.0  # it has grown well out of the vacuum
    assert np.all(np.abs(ratio - 1.0) < 0.12)


class Streams:
    """The noise of a shot, each draw held for so many steps."""

    def __init__(self, seed, steps):
        self.random, self.steps = np.random.default_rng(seed), steps

    def standard_normal(self, size=None, out=None):
        if out is None:
            return self.random.standard_normal(size)
        drawn = self.random.standard_normal((-(-len(out) // self.steps), out.shape[1]))
        # Variance per second stays the same: the strength belongs to the step, the noise to its holding.
        out[:] = np.repeat(drawn, self.steps, axis=0)[:len(out)] / np.sqrt(self.steps)
        return out


@pytest.mark.parametrize(("p", "drive"), [
    (P, Drive()), (P, Drive(rabi_35=3e7)), (P.replace(thermal_photons=1e8), Drive(rabi_35=2e8)),
    (P.replace(cavity_frequency=P.frequency_35 + 3e7), Drive(cavity_drive=1e12)),
    (P, Drive(rabi_45=1e8, pump_off_at=3e-7)), (P.replace(dephasing_operator="printed"), Drive())])
def test_half_the_step_under_the_same_noise_moves_a_shot_by_less_than_1e_4_of_its_peak(monkeypatch, p, drive):
    from twin import noisy_plan, stochastic

    times = np.linspace(0.0, 2e-6, 400)
    monkeypatch.setattr(noisy_plan, "_BLOCK", 2**22)  # the noise of all steps in one draw
    monkeypatch.setattr(stochastic, "_generator", lambda seed: Streams(seed, 1))
    whole = simulate(p, drive, times, model="stochastic", seed=9)
    full = noisy_plan._step
    monkeypatch.setattr(noisy_plan, "_step", lambda *a: 0.5 * full(*a))
    monkeypatch.setattr(stochastic, "_generator", lambda seed: Streams(seed, 2))
    half = simulate(p, drive, times, model="stochastic", seed=9)
    error = np.abs(whole.photons - half.photons).max() / half.photons.max()
    stored = np.abs(whole.populations - half.populations).max()
    print(f"half the step moves photons by {error:.1e} of the peak and populations by {stored:.1e}")
    assert 0.0 < error < 1e-4 and stored < 1e-4


def test_a_loud_shot_is_the_mean_field_from_its_own_seed():
    # So loud that the noise of an almost closed cavity is none beside it.
    p = P.replace(thermal_photons=1e8, cavity_decay=1e-3)
    times = np.linspace(0.0, 2e-6, 400)
    shot = simulate(p, Drive(), times, model="stochastic", seed=9)
    smooth = simulate(p, Drive(), times, model="mean_field", seed_photons=abs(shot.field[0]) ** 2, rtol=1e-11)
    assert np.abs(shot.photons - smooth.photons).max() < 1e-3 * smooth.photons.max()


def test_a_shot_can_be_continued_from_where_it_stopped():
    first = simulate(P, Drive(), np.linspace(0.0, 3e-7, 10), model="stochastic", seed=1)
    second = simulate(P, Drive(), np.linspace(3e-7, 8e-7, 10), model="stochastic", seed=2, initial=first)
    assert second.photons[0] == pytest.approx(first.photons[-1], rel=1e-9)
    assert second.populations[0] == pytest.approx(first.populations[-1], abs=1e-12)
    assert second.photons.max() > 1e14
    taken_out = simulate_ensemble(P, Drive(), first.times, 2, seed=1)[0]
    with pytest.raises(ValueError, match="seed"):
        simulate(P, Drive(), second.times, model="stochastic", seed=2, initial=taken_out)


def test_nonsense_for_ensembles_is_refused():
    with pytest.raises(ValueError, match="shots"):
        simulate_ensemble(P, Drive(), [0.0, 1e-7], 0, seed=1)
    with pytest.raises(ValueError, match="times"):
        simulate_ensemble(P, Drive(), [0.0, -1e-7], 3, seed=1)
    with pytest.raises(ValueError, match="steps"):
        simulate(P, Drive(), [0.0, 1.0], model="stochastic", seed=1)


def test_without_a_seed_two_shots_differ():
    a, b = (simulate(P, DARK, [0.0, 1e-7], model="stochastic") for _ in range(2))
    assert a.photons[0] != b.photons[0]


def test_the_documents_figure_can_be_drawn(tmp_path):
    script = Path(__file__).resolve().parents[2] / "docs" / "examples" / "ensemble_mean.py"
    spec = spec_from_file_location("ensemble_mean", script)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.draw(tmp_path / "figure.png", shots=16)
    assert (tmp_path / "figure.png").stat().st_size > 50_000
