"""The Fréchet distance of two sets of frames, each taken for a Gaussian.

Covariances are never multiplied, nor their square roots iterated for. With centred frames as the
rows of A and B, both divided by the root of their number less one, the trace of the square root of
the product of the covariances is the sum of the singular values of A Bᵀ. Where there are more
frames than dimensions, the triangular factor of a QR decomposition stands for them: a *root* of the
covariance, with root.T @ root the covariance. That form is exact to rounding also for covariances
of low rank, where square roots of products of covariances lose half of the digits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from skperceptual.functional._frames import check_frames, check_one_set

# How far below 0, of the largest one, rounding may put an eigenvalue of a covariance.
_RELATIVE_ROUNDING = 1e-6


def frechet_distance(reference: Tensor, degraded: Tensor) -> Tensor:
    """Compare the Gaussians that two sets of frames are taken for.

    Parameters
    ----------
    reference : Tensor of shape (..., n_reference_frames, dim)
        Frames of the reference, two or more.
    degraded : Tensor of shape (..., n_frames, dim)
        Frames of what is measured, two or more.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, never negative; 0 where mean and covariance agree. It is computed in
        double precision and has the type of the frames.

    Raises
    ------
    TypeError
        When an argument is not a floating-point tensor.
    ValueError
        When dimensions differ, there are fewer than two frames, or a value is not finite.

    Notes
    -----
    The distance is not in the unit of the embedding but in its square; with few frames it is mostly
    bias, which falls about as one over their number.

    Gradients are those of the first order; where a covariance has not full rank, a subgradient.

    References
    ----------
    .. [1] K. Kilgour, M. Zuluaga, D. Roblek, M. Sharifi, "Fréchet audio distance: a reference-free
       metric for evaluating music enhancement algorithms", Interspeech 2019, equation 1.
    .. [2] D. C. Dowson, B. V. Landau, "The Fréchet distance between multivariate normal
       distributions", Journal of Multivariate Analysis 12, 1982, equation 4.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import frechet_distance
    >>> frames = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    >>> frechet_distance(frames, frames + 1.0)
    tensor(2.)
    """
    check_frames(reference, degraded)
    one, other = gaussian_root(reference), gaussian_root(degraded)
    return gaussian_frechet_distance(*one, *other).to(reference.dtype)


def gaussian_root(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Give the mean of frames and a root of their covariance.

    Parameters
    ----------
    frames : Tensor of shape (..., n_frames, dim)
        Frames, two or more.

    Returns
    -------
    mean : Tensor of shape (..., dim)
        Mean frame, in double precision.
    root : Tensor of shape (..., min(n_frames, dim), dim)
        A matrix with ``root.mT @ root`` the covariance with divisor ``n_frames - 1``. Gradients of
        what depends on it through that product alone are right.

    Raises
    ------
    TypeError
        When the frames are not a floating-point tensor.
    ValueError
        When there are fewer than two of them, or a value is not finite.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import gaussian_root
    >>> frames = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    >>> mean, root = gaussian_root(frames)
    >>> torch.allclose(root.mT @ root, torch.cov(frames.mT))
    True
    """
    check_one_set("frames", frames)
    n_frames, dim = frames.shape[-2:]
    if n_frames < 2:
        raise ValueError(
            "A covariance needs at least two frames, got one. Use longer clips or a shorter hop."
        )
    frames = frames.double()
    mean = frames.mean(dim=-2)
    rows = (frames - mean.unsqueeze(-2)) / (n_frames - 1) ** 0.5
    if n_frames > dim:
        # The orthogonal factor is a constant for the gradient: the product of root and root does
        # not depend on it, to the first order.
        with torch.no_grad():
            orthogonal = torch.linalg.qr(rows, mode="reduced").Q
        rows = orthogonal.mT @ rows
    return mean, rows


def covariance_root(covariance: Tensor) -> Tensor:
    """Give the symmetric root of a covariance.

    Parameters
    ----------
    covariance : Tensor of shape (..., dim, dim)
        Symmetric matrices without negative eigenvalues.

    Returns
    -------
    Tensor of shape (..., dim, dim)
        A matrix whose product with itself is the covariance, in double precision.

    Raises
    ------
    ValueError
        When a matrix is not square, not finite, not symmetric, or has a negative eigenvalue.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import covariance_root
    >>> covariance_root(torch.diag(torch.tensor([4.0, 9.0])))
    tensor([[2., 0.],
            [0., 3.]], dtype=torch.float64)
    """
    check_one_set("covariance", covariance)
    covariance = covariance.double()
    if covariance.shape[-1] != covariance.shape[-2]:
        raise ValueError(
            f"Expected a covariance of shape (..., dim, dim), got {tuple(covariance.shape)}."
        )
    largest = covariance.abs().amax(dim=(-2, -1), keepdim=True)
    if ((covariance - covariance.mT).abs() > _RELATIVE_ROUNDING * largest).any():
        raise ValueError(
            "Expected a symmetric covariance, got one that differs from its transpose."
        )
    eigenvalues, vectors = torch.linalg.eigh((covariance + covariance.mT) / 2)
    if (eigenvalues < -_RELATIVE_ROUNDING * eigenvalues[..., -1:]).any():
        raise ValueError(
            "Expected a covariance without negative eigenvalues, got one of "
            f"{eigenvalues.min().item():.3g}. Estimate it in double precision."
        )
    return (vectors * eigenvalues.clamp(min=0).sqrt().unsqueeze(-2)) @ vectors.mT


def gaussian_frechet_distance(
    mean: Tensor, root: Tensor, other_mean: Tensor, other_root: Tensor
) -> Tensor:
    """Compare two Gaussians by their means and roots of their covariances.

    Parameters
    ----------
    mean : Tensor of shape (..., dim)
        Mean of the one.
    root : Tensor of shape (..., any, dim)
        Root of its covariance, as :func:`gaussian_root` and :func:`covariance_root` give it.
    other_mean : Tensor of shape (..., dim)
        Mean of the other.
    other_root : Tensor of shape (..., any, dim)
        Root of its covariance.

    Returns
    -------
    Tensor of shape (...)
        One distance an item, in double precision and never negative.

    Examples
    --------
    >>> import torch
    >>> from skperceptual.functional import gaussian_frechet_distance
    >>> one, two = torch.eye(2), 3 * torch.eye(2)  # standard deviations 1 and 3 in each dimension
    >>> gaussian_frechet_distance(torch.zeros(2), one, torch.ones(2), two)
    tensor(10., dtype=torch.float64)
    """
    mean, root, other_mean, other_root = (
        part.double() for part in (mean, root, other_mean, other_root)
    )
    between_means = (mean - other_mean).square().sum(-1)
    traces = root.square().sum((-2, -1)) + other_root.square().sum((-2, -1))
    shared = torch.linalg.svdvals(root @ other_root.mT).sum(-1)
    # The sum of the singular values is at most half of the traces: below 0 is rounding.
    return between_means + (traces - 2 * shared).clamp(min=0)
