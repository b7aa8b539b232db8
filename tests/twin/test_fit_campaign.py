"""Two hundred shots: the statistics that thirty cannot show. Run with -m campaign."""

import numpy as np
import pytest
from fitted_shots import fitted, pulls

from twin.fit import Verdict

pytestmark = pytest.mark.campaign


def test_two_hundred_cold_fits_have_honest_errors():
    done = [fitted(i, lowest=0.05) for i in range(1000, 1200)]
    resolved = [(record, result) for record, result in done if record.resolved]
    fine = [result.verdict is Verdict.OK and 0.8 < result.chi2_per_dof < 1.2 for _, result in resolved]
    assert len(resolved) >= 150 and np.mean(fine) >= 0.95
    assert np.mean([result.verdict is Verdict.MODEL_NOT_VALID for _, result in resolved]) <= 0.02
    pull = np.array([pulls(record, result) for record, result in resolved if len(result.names) == 5])
    assert np.all(np.abs(pull.mean(axis=0)) <= 0.25), pull.mean(axis=0)
    assert np.all((pull.std(axis=0) >= 0.8) & (pull.std(axis=0) <= 1.25)), pull.std(axis=0)
