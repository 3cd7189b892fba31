"""A missing optional dependency is named with the extra that brings it."""

import math

import pytest

from skperceptual.utils.optional import import_optional


def test_gives_the_module():
    assert import_optional("math", extra="none", purpose="this test") is math


def test_names_the_extra():
    with pytest.raises(ImportError, match=r"a plot needs nowhere.*skperceptual\[plot\]"):
        import_optional("nowhere.to.be.found", extra="plot", purpose="a plot")
