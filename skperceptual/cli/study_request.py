"""What the user of ``skperceptual study`` asks for, and may ask for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["METRICS", "SEED", "USUAL_METRICS", "OfferedMetric", "Request", "list_metrics"]


class OfferedMetric(NamedTuple):
    """A metric of the study: what it is, and which way it goes.

    Parameters
    ----------
    label : str
        Its name in tables and pictures.
    description : str
        What it is, in a few words.
    higher_is_better : bool
        Which way it goes.
    embedding : str, default=None
        The embedding whose frames it compares, None for any other metric.

    Examples
    --------
    >>> from skperceptual.cli.study_request import METRICS
    >>> METRICS["shipped"].label, METRICS["shipped"].embedding
    ('Shipped encoder', 'shipped')
    """

    label: str
    description: str
    higher_is_better: bool = True
    embedding: str | None = None


METRICS = {
    "shipped": OfferedMetric(
        "Shipped encoder", "similarity of embeddings, encoder of this package", embedding="shipped"
    ),
    "vggish": OfferedMetric("VGGish", "the same, VGGish as in the report", embedding="vggish"),
    "openl3": OfferedMetric("OpenL3", "the same, OpenL3 as in the report", embedding="openl3"),
    "log-mel": OfferedMetric(
        "Log-mel", "the same, mel spectrogram: nothing learned", embedding="log-mel"
    ),
    "fad": OfferedMetric(
        "FAD", "Fréchet distance of the shipped encoder's frames", False, embedding="shipped"
    ),
    "pesq": OfferedMetric("PESQ", "quality of speech, wide band (ITU-T P.862.2)"),
    "pesq-nb": OfferedMetric("PESQ, narrow band", "quality of telephone speech (ITU-T P.862.1)"),
    "stoi": OfferedMetric("STOI", "intelligibility of speech"),
    "estoi": OfferedMetric("ESTOI", "the same, extended form"),
    "nlpd": OfferedMetric("NLPD", "Laplacian pyramid of mel spectrograms", False),
    "ms-ssim": OfferedMetric("MS-SSIM", "structural similarity of mel spectrograms"),
}

#: Those that are computed unless others are named.
USUAL_METRICS = ("shipped", "vggish", "openl3", "pesq", "stoi", "estoi")


#: Of the noise, as in the report.
SEED = 42


class Request(NamedTuple):
    """What is to be studied, and how.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skperceptual.cli.study_request import Request
    >>> Request(audio=((None, Path("talks")),), output=Path("out")).seed
    42
    """

    audio: tuple[tuple[str | None, Path], ...]
    output: Path
    metrics: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    duration_seconds: float | None = None
    seed: int = SEED
    keep_audio: bool = False
    overwrite: bool = False
    n_jobs: int = 1
    quiet: bool = False
    command: tuple[str, ...] = ()


def list_metrics() -> str:
    """Lay out names and descriptions for the help of the command.

    Returns
    -------
    str
        One line a metric.
    """
    width = max(map(len, METRICS))
    return "\n".join(f"  {name:<{width}}  {one.description}" for name, one in METRICS.items())
