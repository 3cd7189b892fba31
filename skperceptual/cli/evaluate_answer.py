"""The answer in a few sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from skperceptual.cli.evaluate_judgement import LEVEL, Judgement
from skperceptual.cli.evaluate_request import Request
from skperceptual.utils.messages import in_a_line

__all__ = [
    "are_simulated",
    "describe_p",
    "equals_p",
    "explain",
    "headline",
    "interval",
    "number",
    "verdict",
]

#: How a metric stands to the best one.
LOWER = "lower"
TIED = "not told apart"

# Metrics that a headline, and a sentence, name one by one.
_NAMED = 4
_LISTED = 10


def number(value: float, digits: int = 2) -> str:
    """Write a number as tables do, a dash where there is none.

    Parameters
    ----------
    value : float
        The number.
    digits : int, default=2
        Number of decimals.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> from skperceptual.cli.evaluate_answer import number
    >>> number(-0.123), number(float("nan"))
    ('−0.12', '–')
    """
    if not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def interval(low: float, high: float) -> str:
    """Write an interval.

    Parameters
    ----------
    low, high : float
        Its ends.

    Returns
    -------
    str
        The text, empty where it is not known.
    """
    return f"{number(low)} to {number(high)}" if math.isfinite(low + high) else ""


def describe_p(p_value: float) -> str:
    """Write a p-value.

    Parameters
    ----------
    p_value : float
        From 0 to 1.

    Returns
    -------
    str
        The text.
    """
    return "< 0.001" if p_value < 0.001 else number(p_value, 3)


def equals_p(p_value: float) -> str:
    """Write what follows the letter p.

    Parameters
    ----------
    p_value : float
        From 0 to 1.

    Returns
    -------
    str
        The text, with its sign.
    """
    text = describe_p(p_value)
    return text if text.startswith("<") else f"= {text}"


def are_simulated(request: Request) -> bool:
    """Tell whether the table says that nobody listened.

    Parameters
    ----------
    request : Request
        Its name and that of its columns.

    Returns
    -------
    bool
        Whether one of them has the word in it.
    """
    columns = request.columns
    names = (request.table.name, *(columns.votes or (columns.rating,)))
    return any("simulated" in name.casefold() for name in names)


def verdict(judgement: Judgement, name: str) -> str:
    """Say how a metric stands to the best one.

    Parameters
    ----------
    judgement : Judgement
        The result.
    name : str
        The metric.

    Returns
    -------
    str
        A few words.
    """
    if name == judgement.best.name:
        return "highest"
    p_value = judgement.difference(judgement.best.name, name)["p_value_holm"]
    if math.isnan(p_value):
        return "not known"
    return LOWER if p_value < LEVEL else TIED


def headline(judgement: Judgement) -> str:
    """Give the answer in one sentence.

    Parameters
    ----------
    judgement : Judgement
        The result.

    Returns
    -------
    str
        The sentence.
    """
    best = judgement.best.name
    low = judgement.value(best, "srcc_low")
    if all(judgement.value(name, "srcc_low") <= 0 for name in _names(judgement)):
        return "These ratings do not show that any of the metrics agrees with them."
    if len(judgement.metrics) == 1:
        return f"{best} agrees with the ratings at {_correlation(judgement, best)}."
    tied = _tied(judgement)
    if math.isnan(low):
        return f"{best} has the highest correlation, but how sure that is cannot be said."
    if not tied:
        return f"{best} agrees best with the ratings."
    if len(tied) > _NAMED:
        others = f"{len(tied)} of the {len(judgement.metrics) - 1} others"
    else:
        others = _join(tied)
    return f"{best} comes out highest, but the ratings do not tell it apart from {others}."


def explain(judgement: Judgement, *, simulated: bool) -> list[str]:
    """Say how good, how sure, and what about the others.

    Parameters
    ----------
    judgement : Judgement
        The result.
    simulated : bool
        Whether nobody listened.

    Returns
    -------
    list of str
        Sentences.
    """
    return list(_explain(judgement, simulated))


def _explain(judgement: Judgement, simulated: bool) -> Iterator[str]:
    best = judgement.best.name
    sure = interval(judgement.value(best, "srcc_low"), judgement.value(best, "srcc_high"))
    kind = "simulated ratings" if simulated else "ratings"
    yield (
        f"The rank correlation of {best} with the {kind} is {_correlation(judgement, best)}"
        + (f" (95 % interval {sure})" if sure else "")
        + f": of 100 pairs of recordings whose ratings differ, it puts about "
        f"{100 * judgement.concordance:.0f} in the right order, where guessing would put 50."
    )
    if len(judgement.metrics) > 1:
        yield _tell_lead(judgement)
    worse = [name for name in _names(judgement) if verdict(judgement, name) == LOWER]
    if len(judgement.metrics) > 2 and worse:
        yield f"Lower than {best} by more than chance: {_join(worse)}."
    ceiling = judgement.value(best, "ceiling")
    if math.isfinite(ceiling):
        yield (
            f"The {kind} themselves are uncertain: a metric without any error would be expected to "
            f"reach about {number(ceiling)}."
        )


def _tell_lead(judgement: Judgement) -> str:
    best, second = (metric.name for metric in judgement.metrics[:2])
    found = judgement.difference(best, second)
    sure = interval(found["low"], found["high"])
    text = (
        f"The next is {second} with {_correlation(judgement, second)}, lower by "
        f"{number(found['difference'])}" + (f" (95 % interval {sure})" if sure else "")
    )
    p_value = found["p_value_holm"]
    if math.isnan(p_value):
        return f"{text}; whether that is more than chance cannot be said."
    n_comparisons = math.comb(len(judgement.metrics), 2)
    corrected = f", corrected for {n_comparisons} comparisons" if n_comparisons > 1 else ""
    p = f"p {equals_p(p_value)}{corrected}"
    if p_value < LEVEL:
        return f"{text}: a difference larger than chance would make it ({p})."
    return f"{text}: chance alone may have made that difference ({p})."


def _names(judgement: Judgement) -> list[str]:
    return [metric.name for metric in judgement.metrics]


def _tied(judgement: Judgement) -> list[str]:
    return [name for name in _names(judgement) if verdict(judgement, name) == TIED]


def _correlation(judgement: Judgement, name: str) -> str:
    return number(judgement.value(name, "srcc"))


def _join(names: Sequence[str]) -> str:
    if len(names) > _LISTED:
        return in_a_line(names)
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
