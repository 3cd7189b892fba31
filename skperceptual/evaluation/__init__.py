"""Whole pipelines on audio: predictions for any number of files, and audits of metrics."""

from skperceptual.evaluation.chunked_prediction import predict_chunked
from skperceptual.evaluation.conformal import ConformalRatings
from skperceptual.evaluation.cross_comparison import cross_compare
from skperceptual.evaluation.metric_audit import MetricAudit, audit_metric

__all__ = ["ConformalRatings", "MetricAudit", "audit_metric", "cross_compare", "predict_chunked"]
