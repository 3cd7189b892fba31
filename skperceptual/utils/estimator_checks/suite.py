"""The checks that apply to an estimator, to run one by one or all at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skperceptual.utils.estimator_checks.input_checks import (
    check_damage_refused,
    check_float32,
    check_inputs_unchanged,
    check_integers_refused,
    check_lists_equal_arrays,
    check_memory_layouts,
    check_nothing_refused,
    check_other_lengths_after_fit,
    check_other_shapes_refused,
    check_swapped_axes_explained,
    check_unequal_pairs,
    check_unfitted,
    check_wrong_shapes_refused,
)
from skperceptual.utils.estimator_checks.inputs import CheckInputs, kinds_read_by, measures_sets
from skperceptual.utils.estimator_checks.metric_checks import (
    check_bounds,
    check_constant_reference_warns,
    check_contributions,
    check_distance,
    check_distance_of_sets,
    check_identity_is_best,
    check_more_noise_is_worse,
    check_ratings_fall_with_noise,
    check_symmetry,
)
from skperceptual.utils.estimator_checks.parameter_checks import (
    check_constraints,
    check_wrong_parameters_refused,
)
from skperceptual.utils.estimator_checks.result_checks import (
    check_batch_invariance,
    check_devices_agree,
    check_global_state_unchanged,
    check_jobs_agree,
    check_metadata,
    check_model_selection,
    check_names_and_tables,
    check_saved_state,
)

if TYPE_CHECKING:
    import pytest

# A check as it is written, and with its estimator's name and data filled in.
Check = Callable[..., None]
BoundCheck = partial[None]


def _checks_of_inputs(estimator: BaseEstimator, inputs: CheckInputs) -> Iterator[Check]:
    if getattr(get_tags(estimator).input_tags, "any_shape", False):
        yield check_other_shapes_refused
    else:
        yield check_wrong_shapes_refused
        if inputs.kind == "signal_pairs":
            yield check_swapped_axes_explained
        yield check_integers_refused
        yield check_damage_refused
        yield check_nothing_refused
        if inputs.kind in ("signal_pairs", "image_pairs"):
            yield check_unequal_pairs
        if getattr(get_tags(estimator).input_tags, "fixed_shape", False):
            yield check_other_shapes_refused
        else:
            yield check_other_lengths_after_fit
    yield check_lists_equal_arrays
    yield check_float32
    yield check_inputs_unchanged
    yield check_memory_layouts
    yield check_unfitted


def _checks_of_results(estimator: BaseEstimator) -> Iterator[Check]:
    yield check_batch_invariance
    if "device" in estimator.get_params():
        yield check_devices_agree
    if "n_jobs" in estimator.get_params():
        yield check_jobs_agree
    yield check_saved_state
    yield check_global_state_unchanged
    if hasattr(estimator, "transform"):
        yield check_names_and_tables
    yield check_model_selection
    if any(has_fit_parameter(estimator, key) for key in ("condition", "groups", "sample_weight")):
        yield check_metadata


def _checks_of_metrics(estimator: BaseEstimator, inputs: CheckInputs) -> Iterator[Check]:
    if measures_sets(estimator) and inputs.kind == "signals":
        yield check_distance_of_sets
    if not inputs.has_pairs:
        return
    # What predicts ratings is checked as a regressor: its features are no scores.
    is_metric = hasattr(estimator, "higher_is_better") and not is_regressor(estimator)
    if is_metric:
        yield check_identity_is_best
        yield check_more_noise_is_worse
        yield check_bounds
        yield check_symmetry
    if hasattr(estimator, "contributions"):
        yield check_contributions
    if hasattr(estimator, "distance") and not measures_sets(estimator):
        yield check_distance
    if is_regressor(estimator):
        yield check_ratings_fall_with_noise
    if inputs.kind == "image_pairs" and (is_metric or is_regressor(estimator)):
        yield check_constant_reference_warns


def estimator_checks_generator(
    estimator: BaseEstimator, *, n_times: int = 16000, image_shape: tuple[int, int] = (176, 180)
) -> Iterator[tuple[BaseEstimator, BoundCheck]]:
    """Give the checks that apply to an estimator, by what its tags and attributes say.

    Parameters
    ----------
    estimator : estimator
        Whose ``input_tags`` name at least one kind of X, see
        :class:`~skperceptual.utils.tags.PerceptualInputTags`.
    n_times : int, default=16000
        Samples of the signals of the checks.
    image_shape : tuple of int, default=(176, 180)
        Bands and frames of the images of the checks.

    Yields
    ------
    estimator : estimator
        The one given.
    check : callable
        To be called with the estimator; raises AssertionError, or what the estimator raises.

    Raises
    ------
    ValueError
        When the tags name no kind of X, so that nothing would be checked.

    Examples
    --------
    >>> from skperceptual import MSE
    >>> from skperceptual.utils.estimator_checks import estimator_checks_generator
    >>> checks = [check for _, check in estimator_checks_generator(MSE())]
    >>> checks[-1].func.__name__
    'check_constant_reference_warns'
    """
    kinds = kinds_read_by(estimator)
    input_tags = get_tags(estimator).input_tags
    name = type(estimator).__name__
    if not kinds and not input_tags.one_d_array:
        raise ValueError(
            f"The tags of {name} do not say what X is. Derive it from a class of "
            "skperceptual.base, or set a field of PerceptualInputTags in __sklearn_tags__."
        )
    yield estimator, partial(check_constraints, name)
    for place, kind in enumerate(kinds):
        inputs = CheckInputs(kind, n_times=n_times, image_shape=image_shape)
        checks = [*_checks_of_inputs(estimator, inputs), *_checks_of_results(estimator)]
        checks += _checks_of_metrics(estimator, inputs)
        if place == 0:
            checks.insert(0, check_wrong_parameters_refused)
        for check in checks:
            yield estimator, partial(check, name, inputs=inputs)


def check_estimator(
    estimator: BaseEstimator,
    *,
    n_times: int = 16000,
    image_shape: tuple[int, int] = (176, 180),
    expected_failed_checks: dict[str, str] | None = None,
) -> list[str]:
    """Check that an estimator keeps the promises of this package.

    These checks run on signals, pairs, images and Pyramids, and come on top of scikit-learn's,
    which know tables only (see :func:`flat`).

    Parameters
    ----------
    estimator : estimator
        An instance, usually with parameters that make it quick.
    n_times : int, default=16000
        Samples of the signals of the checks.
    image_shape : tuple of int, default=(176, 180)
        Bands and frames of the images of the checks.
    expected_failed_checks : dict of str to str, default=None
        Reasons by name of the checks that may fail.

    Returns
    -------
    list of str
        Names of the checks that passed.

    Raises
    ------
    AssertionError
        When a check fails; a note names it. What the estimator itself raises comes through.

    See Also
    --------
    parametrize_with_checks : One test of pytest a check.

    Examples
    --------
    >>> from skperceptual import MSE
    >>> from skperceptual.utils.estimator_checks import check_estimator
    >>> passed = check_estimator(MSE(), image_shape=(8, 9))
    >>> len(passed) > 20, "check_more_noise_is_worse" in passed
    (True, True)
    """
    excused = expected_failed_checks or {}
    passed = []
    for tested, check in estimator_checks_generator(
        estimator, n_times=n_times, image_shape=image_shape
    ):
        name = check.func.__name__
        try:
            check(clone(tested))
        except Exception as error:
            if name not in excused:
                error.add_note(f"in {describe_check(check)} of {type(estimator).__name__}")
                raise
        else:
            passed.append(name)
    return passed


def describe_check(check: BoundCheck) -> str:
    """Name a check and the kind of X that it runs on.

    Parameters
    ----------
    check : callable
        One of :func:`estimator_checks_generator`.

    Returns
    -------
    str
        For instance ``"check_float32[image_pairs]"``.

    Examples
    --------
    >>> from skperceptual import MSE
    >>> from skperceptual.utils.estimator_checks import (
    ...     describe_check,
    ...     estimator_checks_generator,
    ... )
    >>> [describe_check(check) for _, check in estimator_checks_generator(MSE())][:2]
    ['check_constraints', 'check_wrong_parameters_refused[image_pairs]']
    """
    inputs = check.keywords.get("inputs")
    return check.func.__name__ + (f"[{inputs.kind}]" if inputs else "")


def parametrize_with_checks(
    estimators: Iterable[BaseEstimator],
    *,
    n_times: int = 16000,
    image_shape: tuple[int, int] = (176, 180),
    expected_failed_checks: Callable[[BaseEstimator], dict[str, str]] | None = None,
) -> pytest.MarkDecorator:
    """Make one pytest test of each check of each estimator.

    Parameters
    ----------
    estimators : iterable of estimator
        Instances, usually with parameters that make them quick.
    n_times : int, default=16000
        Samples of the signals of the checks.
    image_shape : tuple of int, default=(176, 180)
        Bands and frames of the images of the checks.
    expected_failed_checks : callable, default=None
        Takes an estimator and gives the reasons, by name, of the checks that it has to fail.

    Returns
    -------
    MarkDecorator
        For a test with the arguments ``estimator`` and ``check``.

    See Also
    --------
    check_estimator : All checks in one call, without pytest.

    Examples
    --------
    >>> from skperceptual import MSE
    >>> from skperceptual.utils.estimator_checks import parametrize_with_checks
    >>> @parametrize_with_checks([MSE()])
    ... def test_my_metrics(estimator, check):
    ...     check(estimator)
    """
    import pytest

    tests = []
    for estimator in estimators:
        if inspect.isclass(estimator):
            raise TypeError(f"Expected instances, got the class {estimator.__name__}.")
        reasons = expected_failed_checks(estimator) if expected_failed_checks else {}
        for tested, check in estimator_checks_generator(
            estimator, n_times=n_times, image_shape=image_shape
        ):
            reason = reasons.get(check.func.__name__)
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            # Functions are shown with an address, which differs between processes.
            shown = re.sub(r"at0x[0-9a-f]+", "", "".join(repr(tested).split()))
            tests.append(
                pytest.param(tested, check, marks=marks, id=f"{shown}-{describe_check(check)}")
            )
    return pytest.mark.parametrize(("estimator", "check"), tests)
