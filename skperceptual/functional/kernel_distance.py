"""The kernel distance of two sets of frames: an unbiased estimate of their mean discrepancy."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from skperceptual.functional._frames import check_frames, check_one_set

# The factor of Chung et al. 2025, which makes numbers that are easy to read.
SCALE = 100.0
# Distances that are worked on at the same time, 8 bytes each: they stay in the cache.
_BLOCK = 2**18


def kernel_distance(reference: Tensor, degraded: Tensor, *, bandwidth: float) -> Tensor:
    """Compare two sets of frames by the maximum mean discrepancy, without bias.

    The kernel is Gaussian, exp(-d² / (2 bandwidth²)) for frames at the Euclidean distance d. A
    frame is never compared with itself, so that the estimate is centred on 0 for two sets of one
    distribution, and can be negative.

    Parameters
    ----------
    reference : Tensor of shape (..., n_reference_frames, dim)
        Frames of the reference, two or more.
    degraded : Tensor of shape (..., n_frames, dim)
        Frames of what is measured, two or more.
    bandwidth : float
        Width of the kernel, as a rule :func:`median_distance` of the reference.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, from -200 to 200: the squared discrepancy times 100. It is computed in
        double precision and has the type of the frames.

    Raises
    ------
    TypeError
        When an argument is not a floating-point tensor.
    ValueError
        When dimensions differ, there are fewer than two frames, a value is not finite, or the
        bandwidth is not positive.

    References
    ----------
    .. [1] Y. Chung, P. Eu, J. Lee, K. Choi, J. Nam, B. S. Chon, "KAD: no more FAD! An effective and
       efficient evaluation metric for audio generation", arXiv:2502.15602, 2025.
    .. [2] A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf, A. Smola, "A kernel two-sample
       test", Journal of Machine Learning Research 13, 2012, lemma 6.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import kernel_distance
    >>> near = torch.tensor([[0.0], [0.1], [0.2]])
    >>> kernel_distance(near, near + 100.0, bandwidth=1.0) > 190
    tensor(True)
    """
    check_frames(reference, degraded)
    within = mean_kernel(reference, bandwidth=bandwidth)
    return discrepancy(reference, degraded, within, bandwidth=bandwidth).to(reference.dtype)


def discrepancy(
    reference: Tensor, degraded: Tensor, reference_kernel: Tensor, *, bandwidth: float
) -> Tensor:
    """Compare sets of frames where the mean kernel of the reference is known already.

    Parameters
    ----------
    reference : Tensor of shape (..., n_reference_frames, dim)
        Frames of the reference, two or more.
    degraded : Tensor of shape (..., n_frames, dim)
        Frames of what is measured, two or more.
    reference_kernel : Tensor of shape (...)
        What :func:`mean_kernel` gives for the reference.
    bandwidth : float
        Width of the kernel.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, in double precision.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import kernel_distance, mean_kernel
    >>> from skperceptual.functional.kernel_distance import discrepancy
    >>> frames = torch.arange(12, dtype=torch.float64).reshape(6, 2)
    >>> known = mean_kernel(frames, bandwidth=3.0)
    >>> value = discrepancy(frames, frames + 1, known, bandwidth=3.0)
    >>> bool(value == kernel_distance(frames, frames + 1, bandwidth=3.0))
    True
    """
    within = reference_kernel + mean_kernel(degraded, bandwidth=bandwidth)
    return SCALE * (within - 2 * mean_kernel(reference, degraded, bandwidth=bandwidth))


def mean_kernel(frames: Tensor, others: Tensor | None = None, *, bandwidth: float) -> Tensor:
    """Average the Gaussian kernel over pairs of frames.

    Parameters
    ----------
    frames : Tensor of shape (..., n_frames, dim)
        Frames.
    others : Tensor of shape (..., n_others, dim), default=None
        The frames to pair them with; None pairs each with all others of its own set, not with
        itself.
    bandwidth : float
        Width of the kernel.

    Returns
    -------
    Tensor of shape (...)
        Means in [0, 1], in double precision.

    Raises
    ------
    ValueError
        When the bandwidth is not positive, or a single frame is to be paired with its own set.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import mean_kernel
    >>> mean_kernel(torch.tensor([[0.0], [2.0]]), bandwidth=1.0)
    tensor(0.1353, dtype=torch.float64)
    """
    if not 0 < bandwidth < float("inf"):
        raise ValueError(f"Expected a bandwidth above 0, got {bandwidth!r}.")
    n_frames = frames.shape[-2]
    n_others = n_frames - 1 if others is None else others.shape[-2]
    if n_others < 1:
        raise ValueError(
            "The kernel within a set needs at least two frames, got one. Use longer clips or a "
            "shorter hop."
        )
    total = frames.new_zeros(frames.shape[:-2], dtype=torch.float64)
    for start, squares in _squared_distances(frames, frames if others is None else others):
        kernel = (-squares / (2 * bandwidth**2)).exp()
        total = total + kernel.sum((-2, -1))
        if others is None:
            total = total - kernel.diagonal(offset=start, dim1=-2, dim2=-1).sum(-1)
    return total / (n_frames * n_others)


def median_distance(frames: Tensor) -> Tensor:
    """Give the median of the Euclidean distances between frames.

    Parameters
    ----------
    frames : Tensor of shape (n_frames, dim)
        Frames, two or more. All distances are in memory at once, some 100 MB for 5000 frames.

    Returns
    -------
    Tensor of shape ()
        The median over all pairs of two different frames, in double precision; the mean of the two
        in the middle where their number is even.

    Raises
    ------
    TypeError
        When the frames are not a floating-point tensor.
    ValueError
        When there are fewer than two frames, or a value is not finite.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import median_distance
    >>> median_distance(torch.tensor([[0.0], [1.0], [4.0]]))
    tensor(3., dtype=torch.float64)
    """
    check_one_set("frames", frames)
    n_frames = frames.shape[-2]
    if frames.ndim != 2 or n_frames < 2:
        raise ValueError(
            "Expected frames of shape (n_frames, dim) with at least two frames, got "
            f"{tuple(frames.shape)}."
        )
    later = [
        squares[row, start + row + 1 :]
        for start, squares in _squared_distances(frames, frames)
        for row in range(len(squares))
    ]
    squares = torch.cat(later)
    # The two in the middle, which are one where their number is odd; places count from 1.
    middle = [
        squares.kthvalue(place).values for place in {(len(squares) + 1) // 2, len(squares) // 2 + 1}
    ]
    return torch.stack(middle).sqrt().mean()


def _squared_distances(frames: Tensor, others: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Give the distances of some frames to all others at a time, and the first of those frames."""
    # About one centre, as products of frames far from the origin would cancel.
    centre = others.detach().double().mean(dim=-2, keepdim=True)
    frames, others = frames.double() - centre, others.double() - centre
    energies = others.square().sum(-1).unsqueeze(-2)
    n_items = max(1, frames[..., 0, 0].numel())
    step = max(1, _BLOCK // (n_items * others.shape[-2]))
    for start in range(0, frames.shape[-2], step):
        block = frames[..., start : start + step, :]
        squares = block.square().sum(-1, keepdim=True) + energies - 2 * block @ others.mT
        yield start, squares.clamp(min=0)
