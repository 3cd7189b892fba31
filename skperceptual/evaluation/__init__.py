"""Whole pipelines on audio: any number of files, in little memory and on any number of machines."""

from skperceptual.evaluation.chunked_prediction import predict_chunked

__all__ = ["predict_chunked"]
