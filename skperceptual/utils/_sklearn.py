"""The private scikit-learn names that the package uses, gathered here and nowhere else."""

from sklearn.base import _fit_context as _fit_context
from sklearn.utils._param_validation import (
    HasMethods as HasMethods,
    Interval as Interval,
    Options as Options,
    StrOptions as StrOptions,
    validate_params as validate_params,
)
from sklearn.utils.validation import (
    _check_feature_names as _check_feature_names,
    _check_feature_names_in as _check_feature_names_in,
    _check_sample_weight as _check_sample_weight,
)
