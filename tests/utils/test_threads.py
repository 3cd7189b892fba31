"""One thread within the block, as many as before after it."""

import pytest
import torch

from skperceptual.utils.threads import single_threaded


def test_one_thread_inside_and_the_old_number_outside():
    torch.zeros(10).sum()
    before = torch.get_num_threads()
    with single_threaded():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with pytest.raises(KeyboardInterrupt), single_threaded():
        raise KeyboardInterrupt
    assert torch.get_num_threads() == before
