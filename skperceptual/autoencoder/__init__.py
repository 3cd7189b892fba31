"""Compression of spectrograms by networks that are trained with perceptual losses."""

from skperceptual.autoencoder.estimator import CompressiveAutoencoder

__all__ = ["CompressiveAutoencoder"]
