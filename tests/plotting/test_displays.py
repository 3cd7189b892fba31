"""Displays keep scikit-learn's convention, and what they draw is what they were given."""

from __future__ import annotations

import inspect
import itertools
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skperceptual import (
    MSE,
    NLPD,
    SSIM,
    CelloQualityClassifier,
    MelSpectrogram,
    PMQDDistortion,
    PMQDNoise,
    RatingMapping,
    SpectralMaskEqualizer,
    Spectrogram,
    plotting,
)
from skperceptual.inspection import contributions
from skperceptual.metrics import spearman_score
from skperceptual.plotting import (
    ContributionsDisplay,
    CorrelationsDisplay,
    DegradationBarsDisplay,
    DivisiveNormDisplay,
    EqualizerDisplay,
    MaskSmoothingDisplay,
    MetricCorrelationsDisplay,
    PatchSimilarityDisplay,
    RatingDisplay,
    ReconstructionDisplay,
    SaliencyDisplay,
    SeverityCurvesDisplay,
    SignificanceMatrixDisplay,
    SpectrogramDisplay,
)
from skperceptual.plotting.frequency_axis import frequency_ticks
from skperceptual.utils.estimator_checks.scorers import TiltScorer

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 2, 32, 40))
SIGNALS = 0.1 * RNG.standard_normal((3, 2, 8000))
RATINGS = np.array([1.0, 2.0, 3.5, 3.0, 4.0, 5.0])
FRONT_END = MelSpectrogram(sr=16000, n_mels=32)


def draw_filters(ax=None):
    return DivisiveNormDisplay.from_estimator(NLPD(n_levels=3).fit(IMAGES), ax=ax)


def draw_filters_of_two(ax=None):
    estimators = {
        "photographs": NLPD(n_levels=3).fit(IMAGES),
        "fewer levels": NLPD(n_levels=2, normalization="ones").fit(IMAGES),
    }
    return DivisiveNormDisplay.from_estimator(estimators, ax=ax)


def draw_ratings(ax=None):
    metric = make_pipeline(MSE(), RatingMapping()).fit(IMAGES, RATINGS)
    return RatingDisplay.from_estimator(metric, IMAGES, RATINGS, ax=ax)


def draw_spectrograms(ax=None):
    return SpectrogramDisplay.from_estimator(FRONT_END, SIGNALS, ax=ax)


def draw_levels(ax=None):
    return ContributionsDisplay.from_estimator(NLPD(n_levels=3), IMAGES, ax=ax)


def draw_bands(ax=None):
    metric = make_pipeline(FRONT_END, MSE())
    return ContributionsDisplay.from_estimator(metric, SIGNALS, by="band", ax=ax)


def draw_correlations(ax=None):
    rows = [
        (metric, condition, value, value - 0.2, value + 0.1)
        for metric, value in (("MSE", 0.4), ("NLPD", 0.6), ("SSIM", -0.1))
        for condition in ("noise", "codec")
    ]
    columns = ["metric", "condition", "spearman", "low", "high"]
    return CorrelationsDisplay.from_correlations(pd.DataFrame(rows, columns=columns), ax=ax)


def draw_severities(ax=None):
    metrics = {"MSE": make_pipeline(FRONT_END, MSE()), "SSIM": make_pipeline(FRONT_END, SSIM())}
    degradations = [PMQDNoise(sr=16000), PMQDDistortion()]
    signals = SIGNALS[:, 0]
    return SeverityCurvesDisplay.from_estimator(metrics, signals, degradations, sr=16000, ax=ax)


def draw_bars(ax=None):
    metric = make_pipeline(MSE(), RatingMapping()).fit(IMAGES, RATINGS)
    condition, level = ["noise", "noise", "codec"] * 2, [1, 2, 1] * 2
    return DegradationBarsDisplay.from_estimator(
        metric, IMAGES, RATINGS, condition=condition, level=level, ax=ax
    )


def draw_metric_correlations(ax=None):
    predictions = {"MSE": RATINGS[::-1], "NLPD": RATINGS + RNG.normal(size=6)}
    return MetricCorrelationsDisplay.from_predictions(predictions, y_true=RATINGS, ax=ax)


def draw_significance(ax=None):
    metrics = ("MSE", "NLPD", "SSIM")
    rows = [(one, other, 0.1, 0.01) for one, other in itertools.combinations(metrics, 2)]
    columns = ["metric", "other", "difference", "p_value"]
    return SignificanceMatrixDisplay.from_comparisons(pd.DataFrame(rows, columns=columns), ax=ax)


def draw_patches(ax=None):
    names = ["pair", "reference_start", "reference_end", "degraded_start", "degraded_end"]
    table = pd.DataFrame(
        [[0, 0.28, 0.88, 0.3, 0.9], [0, 0.88, 1.48, np.nan, np.nan]], columns=names
    )
    table["similarity"] = [0.75, 0.0]
    table[["low", "high"]] = [[1.0, 0.5], [0.0, 0.0]]
    return PatchSimilarityDisplay.from_patches(table, [100.0, 1000.0], ax=ax)


def draw_reconstructions(ax=None):
    images = {name: RNG.random((32, 40)) for name in ("input", "MSE", "NLPD", "SSIM")}
    return ReconstructionDisplay.from_images(images, ax=ax)


SHORT_TIME = Spectrogram(n_fft=64, hop_length=32)
SCORER = make_pipeline(
    SHORT_TIME,
    CelloQualityClassifier(
        n_filters=(3, 4),
        excerpt_frames=100,
        max_epochs=1,
        batch_size=3,
        validation_fraction=0.0,
        random_state=0,
    ),
).fit(SIGNALS.reshape(6, -1), [0, 1] * 3)
SPECTROGRAMS = SHORT_TIME.transform(SIGNALS[:, 0])
EQUALIZER = SpectralMaskEqualizer(
    TiltScorer(), front_end=SHORT_TIME, max_iter=3, random_state=0
).fit(SPECTROGRAMS)


def draw_saliency(ax=None):
    return SaliencyDisplay.from_estimator(SCORER, SIGNALS[:, 0], sample=[0, -1], ax=ax)


def draw_equalizer(ax=None):
    return EqualizerDisplay.from_estimator(EQUALIZER, SPECTROGRAMS, sample=1, ax=ax)


def draw_smoothing(ax=None):
    return MaskSmoothingDisplay.from_estimator(EQUALIZER, sample=[0, 2], ax=ax)


DRAW = {
    function.__name__: function
    for function in (
        draw_filters,
        draw_filters_of_two,
        draw_ratings,
        draw_spectrograms,
        draw_levels,
        draw_bands,
        draw_correlations,
        draw_severities,
        draw_bars,
        draw_metric_correlations,
        draw_significance,
        draw_patches,
        draw_reconstructions,
        draw_saliency,
        draw_equalizer,
        draw_smoothing,
    )
}
each_display = pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)


@pytest.fixture(autouse=True)
def figures_are_closed():
    yield
    plt.close("all")


def test_all_displays_are_tested():
    drawn = {type(draw()) for draw in DRAW.values()}
    assert drawn == {getattr(plotting, name) for name in plotting.__all__}


# ---- the convention -----------------------------------------------------------------------


@each_display
def test_init_stores_keywords_and_nothing_else(draw):
    cls = type(draw())
    parameters = inspect.signature(cls.__init__).parameters
    names = [name for name in parameters if name != "self"]
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in names)
    values = {name: object() for name in names}
    assert vars(cls(**values)) == values


@each_display
def test_constructors_draw_and_plot_returns_self(draw):
    display = draw()
    assert display.plot() is display
    axes = display.axes_.flat[0] if hasattr(display, "axes_") else display.ax_
    assert axes.figure is display.figure_
    assert not (hasattr(display, "axes_") and hasattr(display, "ax_"))


@each_display
def test_draws_into_given_axes(draw):
    figure, axes = plt.subplots(1, 2)
    display = draw(ax=axes[1])
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    drawn = display.axes_.flat if hasattr(display, "axes_") else [display.ax_]
    figure.canvas.draw()
    left = axes[0].get_position()
    assert all(ax.get_position().x0 > left.x1 for ax in drawn)
    assert not axes[0].has_data()


@each_display
def test_figure_can_be_saved(draw, tmp_path):
    draw().figure_.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


@each_display
def test_nothing_is_shown_and_no_setting_changed(draw, monkeypatch):
    def show(*args, **kwargs):
        raise AssertionError("a display never calls show")

    monkeypatch.setattr(plt, "show", show)
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


@each_display
def test_missing_matplotlib_names_the_extra(draw, monkeypatch):
    display = draw()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skperceptual\[plot\]") as error:
        display.plot()
    assert type(display).__name__ in str(error.value)


@pytest.mark.parametrize(
    "draw",
    [draw_filters_of_two, draw_spectrograms, draw_severities, draw_saliency, draw_equalizer],
)
def test_panels_take_an_array_of_axes(draw):
    shape = draw().axes_.shape
    figure, axes = plt.subplots(*(shape if len(shape) == 2 else (1, *shape)), squeeze=False)
    display = draw(ax=axes)
    assert list(display.axes_.flat) == list(axes.flat)
    assert display.bounding_ax_ is None
    assert display.figure_ is figure


@pytest.mark.parametrize("draw", [draw_filters, draw_spectrograms])
def test_wrong_number_of_axes(draw):
    _, axes = plt.subplots(1, 5)
    with pytest.raises(ValueError, match=r"1 x 3 panels .* got 5"):
        draw(ax=axes)


def test_axes_without_a_place_in_a_grid():
    with pytest.raises(ValueError, match=r"plt.subplots"):
        draw_filters(ax=plt.figure().add_axes((0, 0, 1, 1)))


# ---- ratings ------------------------------------------------------------------------------


def test_ratings_are_drawn_over_predictions_by_condition():
    predicted = RATINGS + np.array([0.5, -0.5, 0.1, 0.2, -0.3, 0.4])
    condition = np.array(["b", "a", "b", "a", "b", "a"])
    display = RatingDisplay.from_predictions(RATINGS, predicted, condition=condition, name="m")
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["b", "a"]
    expected = np.stack([predicted, RATINGS], axis=1)[condition == "b"]
    np.testing.assert_array_equal(display.scatters_[0].get_offsets(), expected)
    markers = [scatter.get_paths()[0].vertices.tolist() for scatter in display.scatters_]
    assert markers[0] != markers[1]
    assert display.score == spearman_score(RATINGS, predicted)
    assert display.ax_.get_title() == f"m (Spearman {display.score:.2f})"


def test_rating_display_names_the_last_step():
    assert draw_ratings().name == "RatingMapping"
    assert draw_ratings().ax_.get_legend() is None


def test_conditions_of_another_length():
    with pytest.raises(ValueError, match="each of the 6 pairs"):
        RatingDisplay.from_predictions(RATINGS, RATINGS, condition=["a"])


def test_intervals_of_ratings():
    condition = np.array(["b", "a", "b", "a", "b", "a"])
    widths = np.linspace(0, 0.5, 6)
    display = RatingDisplay.from_predictions(
        RATINGS, RATINGS[::-1], condition=condition, half_width=widths
    )
    assert len(display.errorbars_) == 2
    (bars,) = display.errorbars_[0].lines[2]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    rated, width = RATINGS[condition == "b"], widths[condition == "b"]
    np.testing.assert_allclose(ends, np.stack([rated - width, rated + width], axis=1))
    assert display.ax_.get_ylim()[1] > (RATINGS + widths).max()
    assert draw_ratings().errorbars_ is None


def test_mapping_takes_the_place_of_the_diagonal():
    distance = 10 * (5.5 - RATINGS) ** 2
    display = RatingDisplay.from_predictions(RATINGS, distance, mapping="isotonic")
    fitted = RatingMapping("isotonic").fit(distance, RATINGS)
    values, curve = display.line_.get_data()
    np.testing.assert_allclose(curve, fitted.predict(values))
    assert (values[0], values[-1]) == (distance.min(), distance.max())
    assert display.ax_.get_xlabel() == "value of the metric"
    assert display.ax_.get_aspect() == "auto"
    again = RatingDisplay.from_predictions(RATINGS, distance, mapping=fitted)
    assert again.mapping is fitted


def test_mistakes_with_intervals_and_mappings():
    with pytest.raises(ValueError, match=r"half_width .* each of the 6 pairs.* shape \(2,\)\."):
        RatingDisplay.from_predictions(RATINGS, RATINGS, half_width=[0.1, 0.1])
    with pytest.raises(ValueError, match="with negative values"):
        RatingDisplay.from_predictions(RATINGS, RATINGS, half_width=RATINGS - 3)
    with pytest.raises(NotFittedError):
        RatingDisplay.from_predictions(RATINGS, RATINGS, mapping=RatingMapping())


# ---- spectrograms -------------------------------------------------------------------------


def test_pair_is_drawn_with_its_difference():
    display = SpectrogramDisplay.from_estimator(FRONT_END, SIGNALS, sample=-1)
    reference, degraded = FRONT_END.transform(SIGNALS)[-1]
    drawn = [np.asarray(image.get_array()) for image in display.images_]
    np.testing.assert_array_equal(drawn[0], reference)
    np.testing.assert_array_equal(drawn[1], degraded)
    np.testing.assert_allclose(drawn[2], degraded - reference)
    assert display.images_[0].get_clim() == display.images_[1].get_clim()
    low, high = display.images_[2].get_clim()
    assert -low == high == np.abs(degraded - reference).max()


def test_axes_of_spectrograms_are_in_hertz_and_seconds():
    times = np.arange(8000) / 16000
    tone = np.sin(2 * np.pi * 2000 * times) * (times > 0.25)
    front_end = MelSpectrogram(sr=16000, n_mels=64)
    axes = SpectrogramDisplay.from_estimator(front_end, tone[np.newaxis]).axes_[0]
    ticks = dict(
        zip((t.get_text() for t in axes.get_yticklabels()), axes.get_yticks(), strict=True)
    )
    loud = front_end.transform(tone[np.newaxis])[0][:, -1].argmax()
    assert ticks["2k"] == pytest.approx(loud, abs=0.5)
    left, right = axes.get_xlim()
    assert 0 <= left < 0.05 < 0.45 < right <= 0.5
    assert axes.get_xlabel() == "time (s)"


def test_steps_after_the_front_end_are_left_aside():
    display = SpectrogramDisplay.from_estimator(make_pipeline(FRONT_END, MSE()), SIGNALS)
    assert display.images[0].shape[0] == 32


def test_pair_of_unequal_lengths_has_no_difference():
    pair = [(SIGNALS[0, 0], SIGNALS[0, 1, :6000])]
    display = SpectrogramDisplay.from_estimator(FRONT_END, pair)
    assert len(display.axes_) == 2


def test_images_of_your_own():
    display = SpectrogramDisplay.from_images(IMAGES[0], times=np.arange(40) / 10)
    assert [ax.get_ylabel() for ax in display.axes_] == ["band", "", ""]
    assert display.axes_[0].get_xlim() == pytest.approx((-0.05, 3.95))
    display = SpectrogramDisplay.from_images(IMAGES[0, 0], frequencies=100.0 * np.arange(32))
    assert display.axes_[0].get_xlabel() == "frame"
    assert len(display.axes_) == 1


def test_mistakes_with_spectrograms():
    with pytest.raises(ValueError, match=r"front end such as MelSpectrogram.* got MSE"):
        SpectrogramDisplay.from_estimator(MSE(), IMAGES)
    with pytest.raises(IndexError):
        SpectrogramDisplay.from_estimator(FRONT_END, SIGNALS, sample=3)
    with pytest.raises(ValueError, match="Expected an image"):
        SpectrogramDisplay.from_images(IMAGES)
    with pytest.raises(ValueError, match=r"frequencies of shape \(32,\), got \(31,\)"):
        SpectrogramDisplay.from_images(IMAGES[0], frequencies=np.arange(31))


@pytest.mark.parametrize(
    ("front_end", "expected"),
    [
        (MelSpectrogram(sr=16000), ["250", "500", "1k", "2k", "4k", "8k"]),
        (Spectrogram(sr=16000), ["0", "2k", "4k", "6k", "8k"]),
        (Spectrogram(sr=44100), ["0", "5k", "10k", "15k", "20k"]),
        (MelSpectrogram(sr=44100, n_mels=12), ["2k", "4k", "8k", "16k"]),
    ],
)
def test_frequency_ticks(front_end, expected):
    frequencies = front_end.band_frequencies()
    positions, labels = frequency_ticks(frequencies)
    assert labels[-len(expected) :] == expected
    n_bands = len(frequencies)
    assert -0.5 <= positions[0] < positions[-1] <= n_bands - 0.5
    assert np.diff(positions).min() >= n_bands / 20
    named = [float(label.replace("k", "e3")) for label in labels]
    nearest = [np.abs(frequencies - value).argmin() for value in named]
    np.testing.assert_allclose(positions, nearest, atol=0.6)


def test_frequency_tick_of_a_single_band():
    assert frequency_ticks(np.array([1234.56])) == ([0.0], ["1.235k"])


# ---- contributions ------------------------------------------------------------------------


def test_bars_add_up_to_the_loss():
    display = draw_levels()
    widths = np.array([[bar.get_width() for bar in bars] for bars in display.bars_])
    np.testing.assert_allclose(widths.sum(axis=0), NLPD(n_levels=3).transform(IMAGES)[:, 0])
    lefts = np.array([[bar.get_x() for bar in bars] for bars in display.bars_])
    np.testing.assert_allclose(lefts[1:], np.cumsum(widths, axis=0)[:-1])
    assert display.lines_ is None


def test_lines_are_the_bands():
    display = draw_bands()
    table = contributions(make_pipeline(FRONT_END, MSE()), SIGNALS, by="band")
    for line, (_, rows) in zip(display.lines_, table.groupby("pair"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), rows["contribution"])
    assert display.ax_.get_xlabel() == "frequency (Hz)"
    assert display.bars_ is None


def test_many_pairs_are_summed_up_by_their_median():
    images = RNG.random((9, 2, 16, 16))
    display = ContributionsDisplay.from_estimator(MSE(), images, by="band", value="share")
    assert len(display.lines_) == 10
    shares = np.array([line.get_ydata() for line in display.lines_[:-1]])
    np.testing.assert_allclose(display.lines_[-1].get_ydata(), np.median(shares, axis=0))
    assert display.ax_.get_xlabel() == "band"


def test_mistakes_with_contributions():
    with pytest.raises(ValueError, match=r"inspection\.contributions gives"):
        ContributionsDisplay.from_contributions(contributions(MSE(), IMAGES).drop(columns="share"))
    with pytest.raises(ValueError, match="value='loss'"):
        ContributionsDisplay.from_estimator(MSE(), IMAGES, value="loss")
