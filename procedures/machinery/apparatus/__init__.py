"""All that has its hands on instruments: the bench, its safe state and guard, arming, firing, tuning."""
