"""Training keeps what it reached: resumed, interrupted, diverged, out of memory, in a pickle."""

from __future__ import annotations

import copy
import itertools
import pickle
import signal
import time
import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from torch import nn

from skperceptual.utils.network_training import (
    Checkpoint,
    FittedNetworkMixin,
    NetworkRecipe,
    TrainingSteps,
    fitted as fitted_networks,
    generator_of_step,
    load_state,
    module_state,
    train_network,
)
from skperceptual.utils.network_training.states import all_finite

CPU = torch.device("cpu")


class Classifier(nn.Module):
    """What makes resuming hard: dropout, and running statistics."""

    def __init__(self, n_hidden=8, fails_above=None):
        super().__init__()
        self.fails_above = fails_above
        self.layers = nn.Sequential(
            nn.Linear(3, n_hidden),
            nn.BatchNorm1d(n_hidden),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(n_hidden, 1),
        )

    def forward(self, inputs):
        if self.fails_above is not None and len(inputs) > self.fails_above:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return self.layers(inputs)


@pytest.fixture
def heeded_ctrl_c():
    """A shell that runs tests in the background has them ignore interruptions."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def batch(step):
    inputs = generator_of_step(7, step).standard_normal((16, 3), dtype=np.float32)
    targets = (inputs.sum(axis=1, keepdims=True) > 0).astype(np.float32)
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def recipe(**parameters):
    return NetworkRecipe(Classifier, parameters, nn.BCEWithLogitsLoss(), 0.01)


def train(n_steps=12, batch=batch, recipe=recipe(), **options):  # noqa: B008
    options = {"steps_per_epoch": 5, "seed": 3, "device": CPU, "caller": "Model"} | options
    return train_network(recipe, batch, n_steps=n_steps, **options)


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name, strict=True)


def stop_at(step, error):
    """Give batches of which one never comes."""

    def batch_or_error(number):
        if number == step:
            raise error
        return batch(number)

    return batch_or_error


# ---- the loop -----------------------------------------------------------------------------


def test_it_is_the_loop_that_torch_users_write():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Classifier()
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
        losses = []
        for step in range(12):
            torch.manual_seed(int(generator_of_step(3, step).integers(2**63)))
            inputs, targets = batch(step)
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(network(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    trained = train()
    assert_same(trained.state, module_state(network))
    assert trained.losses == losses
    assert (trained.n_steps, trained.interruption, trained.failure) == (12, "", None)
    trained.tell()


def test_it_learns():
    trained = train(n_steps=300)
    assert np.mean(trained.losses[-20:]) < 0.7 * np.mean(trained.losses[:20])


def test_seeds_decide_and_global_generators_stay():
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    one, other = train(seed=3), train(seed=4)
    assert not np.array_equal(one.state["layers.0.weight"], other.state["layers.0.weight"])
    torch.rand(5)  # no matter what was drawn elsewhere
    assert_same(train(seed=3).state, one.state)
    torch.set_rng_state(before[0])
    train()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


class Slow(Classifier):
    """Between what it draws, other threads have their turn."""

    def __init__(self):
        super().__init__()
        for layer in self.layers:
            if hasattr(layer, "reset_parameters"):
                time.sleep(0.002)
                layer.reset_parameters()

    def forward(self, inputs):
        time.sleep(0.002)
        return super().forward(inputs)


@pytest.mark.parametrize("with_validation", [False, True])
def test_threads_do_not_disturb_one_another(with_validation):
    options = {"validation": [batch(999)]} if with_validation else {}
    slow = NetworkRecipe(Slow, {}, nn.BCEWithLogitsLoss(), 0.01)
    before = torch.get_rng_state()
    alone = [train(recipe=slow, seed=seed, **options) for seed in range(4)]
    together = joblib.Parallel(n_jobs=4, backend="threading")(
        joblib.delayed(train)(recipe=slow, seed=seed, **options) for seed in range(4)
    )
    assert torch.equal(torch.get_rng_state(), before)
    for one, other in zip(alone, together, strict=True):
        assert_same(one.state, other.state)
        assert one.losses == other.losses


def test_only_steps_that_draw_wait_for_one_another():
    class Watched(nn.Linear):
        seen = set()

        def forward(self, inputs):
            Watched.seen.add(torch.initial_seed())
            return super().forward(inputs)

    sizes = {"in_features": 3, "out_features": 1}
    for draws, n_seeds in ((False, 1), (True, 12)):
        Watched.seen.clear()
        described = NetworkRecipe(Watched, sizes, nn.BCEWithLogitsLoss(), draws=draws)
        before = torch.get_rng_state()
        train(recipe=described)
        assert len(Watched.seen) == n_seeds
        assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("n_steps", "per_epoch"), [(10, 5), (12, 5), (3, 5), (4, 1)])
def test_steps_are_taken_in_order_and_once(n_steps, per_epoch):
    seen = []

    def watched(step):
        seen.append(step)
        return batch(step)

    train(n_steps, watched, steps_per_epoch=per_epoch)
    assert seen == list(range(n_steps))


def test_progress_is_shown_when_asked_for(capsys):
    train(verbose=1)
    shown = capsys.readouterr().err
    assert "Model" in shown
    assert "12/12" in shown
    assert "loss=" in shown
    train()
    assert capsys.readouterr() == ("", "")


def test_mixed_precision_learns_and_leaves_single_precision_weights():
    seen = []

    class Watched(Classifier):
        def forward(self, inputs):
            self.layers[0].register_forward_hook(lambda *call: seen.append(call[2].dtype))
            return super().forward(inputs)

    described = NetworkRecipe(Watched, {}, nn.BCEWithLogitsLoss(), 0.01)
    trained = train(100, recipe=described, mixed_precision=True)
    assert torch.bfloat16 in seen
    assert {a.dtype for a in trained.state.values()} == {np.dtype("f4"), np.dtype("i8")}
    assert np.mean(trained.losses[-10:]) < np.mean(trained.losses[:10])
    exact = train(100, recipe=described)
    assert trained.losses[0] == pytest.approx(exact.losses[0], rel=0.02)


# ---- validation ---------------------------------------------------------------------------


def test_the_best_epoch_is_kept_and_patience_ends():
    validation = [batch(10_000), batch(10_001)]
    options = {"steps_per_epoch": 4, "validation": validation}
    whole = train(200, **options)
    assert len(whole.validation_losses) == 50
    best = int(np.argmin(whole.validation_losses))
    until_then = train(4 * (best + 1), **options)
    assert_same(whole.state, until_then.state)
    # What the kept weights give is what was noted.
    network = Classifier().eval()
    load_state(network, whole.state)
    with torch.no_grad():
        losses = [
            nn.functional.binary_cross_entropy_with_logits(network(inputs), targets).item()
            for inputs, targets in validation
        ]
    assert np.mean(losses) == pytest.approx(min(whole.validation_losses), rel=1e-6)
    patient = train(200, patience=2, **options)
    losses = patient.validation_losses
    assert len(losses) < 50
    assert np.argmin(losses) == len(losses) - 3
    assert losses == whole.validation_losses[: len(losses)]
    assert patient.interruption == ""


# ---- resuming -----------------------------------------------------------------------------


@pytest.mark.parametrize("stopped", [0, 1, 4, 5, 7, 9, 10, 11])
@pytest.mark.parametrize("with_validation", [False, True])
def test_resumed_training_ends_with_the_same_bits(stopped, with_validation, tmp_path):
    options = {"validation": [batch(999)], "patience": 50} if with_validation else {}
    whole = train(**options)
    checkpoint = Checkpoint(tmp_path / "a.npz", "this", every=3)
    first = train(batch=stop_at(stopped, KeyboardInterrupt), checkpoint=checkpoint, **options)
    assert first.n_steps == stopped
    resumed = train(checkpoint=checkpoint, **options)
    assert_same(resumed.state, whole.state)
    assert resumed.losses == whole.losses
    assert resumed.validation_losses == whole.validation_losses


def test_a_crash_loses_no_more_than_what_was_not_written(tmp_path):
    checkpoint = Checkpoint(tmp_path / "a.npz", "this", every=4)
    with pytest.raises(ZeroDivisionError):
        train(batch=stop_at(10, ZeroDivisionError), checkpoint=checkpoint)
    assert checkpoint.load().step == 8
    assert_same(train(checkpoint=checkpoint).state, train().state)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_finished_training_goes_on(tmp_path):
    checkpoint = Checkpoint(tmp_path / "a.npz", "this")
    seven = train(7, checkpoint=checkpoint)
    again = train(7, stop_at(6, AssertionError), checkpoint=checkpoint)  # nothing is left to do
    assert_same(again.state, seven.state)
    assert_same(train(12, checkpoint=checkpoint).state, train(12).state)
    with pytest.raises(ValueError, match="has 12 steps already, more than the 7 asked for"):
        train(7, checkpoint=checkpoint)


def test_patience_that_ended_stays_ended(tmp_path):
    options = {"validation": [batch(999)], "patience": 1, "steps_per_epoch": 1}
    whole = train(300, **options)
    assert whole.n_steps < 300
    checkpoint = Checkpoint(tmp_path / "a.npz", "this")
    train(300, checkpoint=checkpoint, **options)
    again = train(300, stop_at(0, AssertionError), checkpoint=checkpoint, **options)
    assert_same(again.state, whole.state)


def test_checkpoints_of_others_are_refused(tmp_path):
    train(checkpoint=Checkpoint(tmp_path / "a.npz", "this"))
    with pytest.raises(ValueError, match="checkpoint of another training: other data, or other"):
        train(checkpoint=Checkpoint(tmp_path / "a.npz", "that"))
    with pytest.raises(ValueError, match="has the seed 3, and not 4"):
        train(checkpoint=Checkpoint(tmp_path / "a.npz", "this"), seed=4)
    assert Checkpoint(tmp_path / "a.npz", "this").seed(default=9) == 3
    assert Checkpoint(tmp_path / "b.npz", "this").seed(default=9) == 9
    with pytest.raises(ValueError, match=r"weights of this Classifier.*'layers\.0\.weight'"):
        train(recipe=recipe(n_hidden=4), checkpoint=Checkpoint(tmp_path / "a.npz", "this"))
    with pytest.raises(FileNotFoundError, match="folder of the checkpoint"):
        Checkpoint(tmp_path / "none" / "a.npz", "this")


@pytest.mark.parametrize("damage", ["cut", "text", "pickle"])
def test_damaged_checkpoints_are_refused(damage, tmp_path):
    path = tmp_path / "a.npz"
    checkpoint = Checkpoint(path, "this")
    train(checkpoint=checkpoint)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "text":
        path.write_text("nothing", encoding="utf-8")
    else:
        np.savez(path, header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="no checkpoint, or a damaged one"):
        train(checkpoint=checkpoint)


# ---- what comes in between ----------------------------------------------------------------


@pytest.mark.parametrize("stopped", [0, 7])
def test_interruption_keeps_the_last_completed_step(stopped):
    trained = train(batch=stop_at(stopped, KeyboardInterrupt))
    if stopped:
        assert_same(trained.state, train(stopped).state)
    assert trained.n_steps == len(trained.losses) == stopped
    match = rf"Model was interrupted in step {stopped + 1} of 12 \(batch {stopped}\)\. The weights"
    with pytest.warns(UserWarning, match=match):
        trained.tell()


@pytest.mark.usefixtures("heeded_ctrl_c")
def test_ctrl_c_in_the_middle_of_a_step():
    class Interrupted(nn.BCEWithLogitsLoss):
        calls = 0

        def forward(self, output, target):
            Interrupted.calls += 1
            if Interrupted.calls == 6:
                signal.raise_signal(signal.SIGINT)
            return super().forward(output, target)

    trained = train(recipe=NetworkRecipe(Classifier, {}, Interrupted(), 0.01))
    assert trained.n_steps == 5
    assert_same(trained.state, train(5).state)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_divergence_names_the_batch_and_keeps_the_last_good_state(bad):
    def with_damage(step):
        inputs, targets = batch(step)
        if step == 8:
            inputs[3, 1] = bad
        return inputs, targets

    trained = train(batch=with_damage, describe_batch="rows of batch {}".format)
    assert_same(trained.state, train(8).state)  # also the running statistics
    assert trained.n_steps == 8
    match = r"Model: the loss became nan in step 9 of 12 \(rows of batch 8\)\. The weights after 8"
    with pytest.raises(FloatingPointError, match=match):
        trained.tell()


def test_weights_that_overflow_are_noticed():
    trained = train(recipe=NetworkRecipe(Classifier, {}, nn.BCEWithLogitsLoss(), 1e36))
    assert all(np.isfinite(array).all() for array in trained.state.values())
    with pytest.raises(FloatingPointError, match=r"Model: (a weight|the loss) became"):
        trained.tell()


@pytest.mark.parametrize(("fits", "told"), [(5, "batch_size=4 would fit, 16 does not"), (0, "Not")])
def test_out_of_memory_names_a_batch_size_that_fits(fits, told):
    trained = train(recipe=recipe(fails_above=fits))
    with pytest.raises(MemoryError, match=f"ran out of memory in step 1 of 12 .*{told}"):
        trained.tell()


def test_out_of_memory_in_later_steps_keeps_what_was_reached():
    def growing(step):
        inputs, targets = batch(step)
        return (inputs, targets) if step < 4 else (inputs.repeat(4, 1), targets.repeat(4, 1))

    trained = train(batch=growing, recipe=recipe(fails_above=40))
    assert_same(trained.state, train(4).state)
    with pytest.raises(MemoryError, match="batch_size=32 would fit, 64 does not"):
        trained.tell()


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]
)
def test_a_batch_for_which_there_is_no_memory(error):
    trained = train(batch=stop_at(4, error))
    assert_same(trained.state, train(4).state)
    assert trained.losses == train(4).losses
    match = r"ran out of memory in step 5 of 12 .* Not even the batch itself fits: use a smaller b"
    with pytest.raises(MemoryError, match=match):
        trained.tell()


def test_large_weights_are_finite():
    network = nn.Linear(2, 1)
    for value, finite in ((1e30, True), (np.nan, False), (-np.inf, False)):
        load_state(network, {"weight": np.array([[value, 1]], "f4"), "bias": np.ones(1, "f4")})
        assert all_finite(network) is finite
    empty = nn.ReLU()
    assert all_finite(empty)
    empty.register_buffer("nothing", torch.zeros(0))
    assert all_finite(empty)


def test_other_errors_come_through():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        train(batch=lambda step: (torch.zeros(2, 4), torch.zeros(2, 1)))


# ---- fitted estimators --------------------------------------------------------------------


class Fitted(FittedNetworkMixin, BaseEstimator):
    def __init__(self, *, device="auto", n_hidden=8):
        self.device = device
        self.n_hidden = n_hidden

    def _make_recipe(self):
        return recipe(n_hidden=self.n_hidden)

    def fit(self):
        self._keep_state(train(recipe=self._make_recipe()).state, self._make_recipe())
        return self

    def predict(self, X):
        with torch.no_grad():
            return self.net_.module_(torch.tensor(X)).numpy()


X = batch(77)[0].numpy()


@pytest.mark.parametrize("copies", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_copies_hold_arrays_and_predict_the_same(copies):
    fitted = Fitted().fit()
    copied = copies(fitted)
    assert b"torch" not in pickle.dumps(fitted)
    assert_same(copied.state_, fitted.state_)
    np.testing.assert_array_equal(copied.predict(X), fitted.predict(X))


def test_the_net_is_made_once_and_follows_the_device():
    fitted = Fitted().fit()
    assert fitted.net_ is fitted.net_
    before = fitted.net_
    fitted.set_params(device="cpu")
    assert fitted.net_ is before
    fitted.net_.partial_fit(TrainingSteps(batch, 2, 2))  # a net of one's own
    assert_same(pickle.loads(pickle.dumps(fitted)).state_, fitted.state_)


class Late(Classifier):
    """Each one takes longer than the one before, so that the last to begin is the last to end."""

    numbers = itertools.count(1)

    def __init__(self, **parameters):
        super().__init__(**parameters)
        time.sleep(0.005 * next(Late.numbers))
        self.layers[0].reset_parameters()


class LateFitted(Fitted):
    def _make_recipe(self):
        return NetworkRecipe(Late, {"n_hidden": self.n_hidden}, nn.BCEWithLogitsLoss())


def test_nets_are_rebuilt_without_a_hand_on_the_generators():
    copies = [pickle.loads(pickle.dumps(LateFitted().fit())) for _ in range(4)]
    before = torch.get_rng_state()
    joblib.Parallel(n_jobs=4, backend="threading")(joblib.delayed(c.predict)(X) for c in copies)
    assert torch.equal(torch.get_rng_state(), before)


def test_parameters_set_after_fit_do_not_change_the_net():
    fitted = Fitted().fit()
    expected = fitted.predict(X)
    fitted = pickle.loads(pickle.dumps(fitted.set_params(n_hidden=3)))
    np.testing.assert_array_equal(fitted.predict(X), expected)
    assert fitted.module_parameters_ == {"n_hidden": 8}


def test_a_net_that_cannot_be_rebuilt_leaves_the_former_one_whole(monkeypatch):
    fitted = Fitted().fit()
    expected, before = fitted.predict(X), dict(vars(fitted))
    fitted.n_hidden = 3

    def no_memory(*arguments):
        raise MemoryError

    other = train(recipe=recipe(n_hidden=3)).state
    with monkeypatch.context() as patch:
        patch.setattr(fitted_networks, "load_state", no_memory)
        with pytest.raises(MemoryError):
            fitted._keep_state(other, recipe(n_hidden=3))
    assert vars(fitted) == before | {"n_hidden": 3}
    np.testing.assert_array_equal(fitted.predict(X), expected)


def test_the_net_of_an_unfitted_estimator():
    with pytest.raises(NotFittedError):
        Fitted().net_  # noqa: B018


def test_read_only_arrays_are_taken():
    state = train().state
    for array in state.values():
        array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_state(Classifier(), state)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_what_a_gpu_learned_opens_on_a_cpu():
    trained = train(device=torch.device("cuda"))
    fitted = Fitted(device="cpu")
    fitted._keep_state(trained.state, recipe())
    assert fitted.predict(X).shape == (16, 1)
    np.testing.assert_allclose(trained.losses, train().losses, rtol=1e-2)
