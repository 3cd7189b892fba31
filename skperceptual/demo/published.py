"""The figures of the paper whose two tables the demonstration repeats."""

from __future__ import annotations

ALL = "all"
CONDITIONS = ("distortion", "lowpass", "limiter", "noise", ALL)

# T. Namgyal, A. Hepburn, R. Santos-Rodriguez, V. Laparra, J. Malo, "What you hear is what you see:
# audio quality from image quality metrics", 2023: Spearman's correlation with the ratings of
# PMQD's test split, 13 songs with 3 clips each. As printed, distances are positive and
# similarities negative where they agree with ratings; here every metric is turned so that
# positive means agreement. "distortion" is called waveshape in the paper. Its GAN row is on the
# whole data set, from A. Hilmkil, C. Thomé and A. Arpteg, arXiv:2006.06287.
TABLE_1 = {
    "MSE": (0.469, -0.049, 0.378, 0.641, 0.483),
    "SSIM": (0.450, 0.175, 0.356, 0.629, 0.656),
    "MS-SSIM": (0.468, 0.045, 0.323, 0.654, 0.648),
    "NLPD image": (0.468, 0.012, 0.339, 0.681, 0.633),
    "ViSQOL": (0.142, -0.191, 0.316, 0.629, 0.232),
    "FAD": (0.386, -0.083, 0.316, 0.550, 0.593),
    "GAN": (0.349, 0.222, 0.120, 0.359, 0.426),
}
TABLE_2 = {
    "NLPD image": (0.468, 0.012, 0.339, 0.681, 0.633),
    "NLPD none": (0.412, -0.052, 0.336, 0.670, 0.617),
    "NLPD ones": (0.457, -0.022, 0.380, 0.669, 0.629),
    "NLPD statistical": (0.432, -0.033, 0.356, 0.660, 0.619),
    "NLPD perceptual": (0.430, 0.035, 0.347, 0.637, 0.643),
}


def published_correlation(metric: str, condition: str) -> float | None:
    """Give the paper's Spearman correlation, positive for agreement; None where it has none.

    Parameters
    ----------
    metric : str
        A row of the paper's tables.
    condition : str
        One of ``CONDITIONS``.

    Returns
    -------
    float or None
        The correlation.

    Examples
    --------
    >>> from skperceptual.demo.published import published_correlation
    >>> published_correlation("SSIM", "all")
    0.656
    """
    row = {**TABLE_1, **TABLE_2}.get(metric)
    return None if row is None or condition not in CONDITIONS else row[CONDITIONS.index(condition)]
