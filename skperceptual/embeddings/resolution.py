"""What a metric's parameter ``embedding`` may be."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

# Of each name the module and the class, imported when it is asked for.
_NAMED = {
    "shipped": ("skperceptual.embeddings.shipped", "AuditoryEmbedding"),
    "vggish": ("skperceptual.embeddings.vggish", "VGGish"),
    "openl3": ("skperceptual.embeddings.openl3", "OpenL3"),
}
_PROTOCOL = ("transform", "sr", "min_samples", "hop_seconds")


def resolve_embedding(embedding: Any, *, sr: int | None = None) -> Any:
    """Give the embedding that a parameter of a metric stands for.

    Parameters
    ----------
    embedding : str, Embedding, transformer, torch.nn.Module or callable
        ``"shipped"``, ``"vggish"`` or ``"openl3"``, each with its default parameters; an
        :class:`Embedding`, or any transformer with its attributes ``sr``, ``min_samples`` and
        ``hop_seconds``; or a bare module or function, which then reads signals at the metric's
        own rate, so that nothing is resampled; metrics try it at other lengths of the first clip,
        to notice swapped axes.
    sr : int, default=None
        The metric's rate in Hz, for bare modules and functions.

    Returns
    -------
    Embedding
        The embedding itself, or one made of what was given.

    Raises
    ------
    ValueError
        For a name that is not known, or a bare module or function without ``sr``.
    TypeError
        For anything else.

    Examples
    --------
    >>> from skperceptual.embeddings import resolve_embedding
    >>> resolve_embedding("openl3")
    OpenL3()
    >>> resolve_embedding(abs, sr=16000)
    FunctionEmbedding(function=<built-in function abs>, sr=16000)
    """
    if isinstance(embedding, str):
        if embedding not in _NAMED:
            names = ", ".join(map(repr, _NAMED))
            raise ValueError(
                f"embedding={embedding!r} is not known. Use one of {names}, an Embedding such as "
                "OpenL3(embedding_size=6144), or TorchEmbedding(module, sr=...)."
            )
        place, name = _NAMED[embedding]
        return getattr(import_module(place), name)()
    if inspect.isclass(embedding):
        raise TypeError(
            f"embedding={embedding.__name__} is a class. Give an instance: "
            f"{embedding.__name__}(...)."
        )
    # A bare module or function first: modules have a method of nearly every name.
    if _is_module(embedding) or (callable(embedding) and not hasattr(embedding, "transform")):
        return _wrap(embedding, sr)
    missing = [part for part in _PROTOCOL if not hasattr(embedding, part)]
    if missing:
        raise TypeError(
            f"embedding={embedding!r} has no {', no '.join(missing)}, which an embedding needs. "
            "Wrap it: FunctionEmbedding(function, sr=...) for a function of one clip, "
            "TorchEmbedding(module, sr=...) for a module, HEAREmbedding(name) for a HEAR module."
        )
    return embedding


def _is_module(value: Any) -> bool:
    from torch import nn

    return isinstance(value, nn.Module)


def _wrap(embedding: Any, sr: int | None) -> Any:
    from skperceptual.embeddings.adapters import FunctionEmbedding, TorchEmbedding

    adapter = TorchEmbedding if _is_module(embedding) else FunctionEmbedding
    if sr is None:
        raise ValueError(
            "At which rate a bare module or function reads signals is not known. Use "
            f"{adapter.__name__}(..., sr=...)."
        )
    return adapter(embedding, sr=sr)
