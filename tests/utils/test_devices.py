"""Devices are resolved when work starts, and named when they are not there."""

import pytest
import torch

from skperceptual.utils.devices import resolve_device


def test_auto_takes_what_is_there():
    accelerators = torch.cuda.is_available() or torch.backends.mps.is_available()
    assert (resolve_device("auto").type != "cpu") == accelerators


def test_a_named_device_is_taken():
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("device", ["warp", "cpu:cpu"])
def test_an_unknown_device_is_named(device):
    with pytest.raises(ValueError, match="not a device that torch knows"):
        resolve_device(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_missing_device_is_named():
    with pytest.raises(ValueError, match="device='auto'"):
        resolve_device("cuda")
