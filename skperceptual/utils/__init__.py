"""Validation, devices, optional imports and estimator checks: what every layer may use."""
