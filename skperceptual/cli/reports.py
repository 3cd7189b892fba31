"""The result of a comparison, for people and for programs."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator
from typing import Any

from skperceptual.cli.comparison import ComparedFile, Comparison, MetricValue

__all__ = ["format_json", "format_text"]

_WIDTH = 80


def format_text(comparison: Comparison) -> str:
    """Lay out a comparison for people, 80 columns wide.

    Parameters
    ----------
    comparison : Comparison
        The result.

    Returns
    -------
    str
        Several lines.
    """
    return "\n".join(_text_lines(comparison))


def _text_lines(comparison: Comparison) -> Iterator[str]:
    yield from _file_lines("reference", comparison.reference)
    yield from _file_lines("degraded", comparison.degraded)
    reading = comparison.reading
    n_frames = 1 + (round(comparison.seconds * reading.sr) - reading.n_fft) // reading.hop_length
    yield (
        f"compared   {comparison.seconds:.3f} s at {reading.sr} Hz, as spectrograms of "
        f"{reading.n_mels} mel bands x {max(n_frames, 0)} frames"
    )
    yield ""
    yield from _table_lines(comparison.values)
    yield ""
    yield "better: the direction of quality; identical: the reference against itself"
    if comparison.failures:
        yield ""
        yield "Not computed:"
        for text, names in comparison.failures.items():
            yield from _item(f"{', '.join(names)}: {text}")
    if comparison.notes:
        yield ""
        yield "Notes:"
        for note in comparison.notes:
            yield from _item(note)


def _file_lines(role: str, file: ComparedFile) -> Iterator[str]:
    channels = {1: "mono", 2: "stereo"}.get(file.n_channels, f"{file.n_channels} channels")
    level = "silent" if math.isinf(file.level_dbfs) else f"level {file.level_dbfs:.1f} dBFS (RMS)"
    # A name that would move the cursor, or that the terminal cannot show, is shown as Python does.
    name = file.file if file.file.isprintable() else ascii(file.file)
    yield f"{role:<11}{name}"
    yield f"{'':<11}{file.seconds:.3f} s, {file.sr} Hz, {channels}, {level}"


def _table_lines(values: list[MetricValue]) -> Iterator[str]:
    width = max(len(value.name) for value in values)
    row = f"{{:<{width}}}  {{:>9}}  {{:<6}}  {{:<8}}  {{:>9}}  {{}}"
    yield row.format("metric", "value", "better", "range", "identical", "what it is")
    for value in values:
        low, high = value.bounds
        yield row.format(
            value.name,
            _number(value.value),
            "higher" if value.higher_is_better else "lower",
            f"{low:g} to {high:g}",
            _number(value.identical),
            value.description,
        )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _item(text: str) -> list[str]:
    # Options and names are copied from here: they stay whole.
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def format_json(comparison: Comparison) -> str:
    """Put a comparison into JSON, numbers in full.

    Parameters
    ----------
    comparison : Comparison
        The result.

    Returns
    -------
    str
        One object. What is infinite or could not be computed is null.
    """
    failures = {name: text for text, names in comparison.failures.items() for name in names}
    content = {
        "reference": comparison.reference._asdict(),
        "degraded": comparison.degraded._asdict(),
        "compared": {"seconds": comparison.seconds, **comparison.reading._asdict()},
        "metrics": {
            value.name: {
                "value": value.value,
                "higher_is_better": value.higher_is_better,
                "range": list(value.bounds),
                "identical": value.identical,
                "error": failures.get(value.name),
            }
            for value in comparison.values
        },
        "notes": comparison.notes,
    }
    return json.dumps(_finite(content), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
