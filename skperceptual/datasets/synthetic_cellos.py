"""Simulated cellos of two classes, whose bodies are known."""

from __future__ import annotations

import textwrap
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skperceptual.datasets.cello_synthesis import (
    CHARACTERS,
    ETUDE_SECONDS,
    ROOM_NAMES,
    STATES,
    Body,
    Etude,
    Excerpt,
    Hall,
    bow_notes,
    character_of,
    choose_excerpts,
    compose_etude,
    draw_body,
    perform_etude,
    share_out_pieces,
)
from skperceptual.utils._sklearn import Interval, StrOptions, validate_params
from skperceptual.utils.messages import counted
from skperceptual.utils.parallel import run_jobs
from skperceptual.utils.random_states import own_random_state

_CLASSES = tuple(CHARACTERS)
_SPLITS = ("train", "validation", "test")
_STATES_PER_SECOND = 100
_LINE = 96
# What a seed is for, so that no two draws share one.
_BODIES, _ETUDES, _CHOICES, _TAKES = range(4)

_TITLE = "Simulated cellos"
_DESCRIPTION = """\
{n_instruments} of each class ({splits}), {n_excerpts} of {seconds:g} s from each, at {sr} Hz, of
{n_pieces}. {room}; takes: {takes}.

NO INSTRUMENT WAS RECORDED AND NOBODY LISTENED. Two classes of bodies, "A" and "B", each a bank of
some 400 resonances, are driven by the same bowed string. {contrast} A score that tells them apart
says how these simulated bodies differ, and nothing about the quality of cellos.

The envelope that all bodies share is that of the cello of the McGill University Master Samples
(SHARC, G. Sandell). How the classes differ follows, scaled from the violin, what H. Dünnwald and
others published of old Italian and of factory violins, and what a mute does to a cello."""
_DAMPING = "median Q of {a.q:g} in A and of {b.q:g} in B"
_EQ = (
    "{b.air_db:+g} dB around 92 Hz, {b.boxy_db:+g} dB around 340 Hz and {b.shelf_db:+g} dB above "
    "800 Hz in B"
)
_CONTRASTS = {
    "none": "Here the classes do not differ: both are bodies of A, and on instruments that it has "
    "not seen no model can do better than chance.",
    "eq": f"Here the classes differ in their mean spectrum: {_EQ}.",
    "damping": f"Here the classes differ in damping: {_DAMPING}.",
    "both": f"They differ in damping, {_DAMPING}, and in their mean spectrum, {_EQ}.",
}


@validate_params(
    {
        "contrast": [StrOptions({"none", "eq", "damping", "both"})],
        "n_train": [Interval(Integral, 1, None, closed="left")],
        "n_validation": [Interval(Integral, 0, None, closed="left")],
        "n_test": [Interval(Integral, 0, None, closed="left")],
        "excerpts_per_instrument": [Interval(Integral, 1, None, closed="left")],
        "n_pieces": [Interval(Integral, 1, None, closed="left")],
        "duration_seconds": [Interval(Real, 0.1, ETUDE_SECONDS, closed="both")],
        "sr": [Interval(Integral, 8000, None, closed="left")],
        "room": [StrOptions(set(ROOM_NAMES)), None],
        "takes": [StrOptions({"separate", "shared"})],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def make_synthetic_cellos(
    *,
    contrast: str = "both",
    n_train: int = 32,
    n_validation: int = 8,
    n_test: int = 12,
    excerpts_per_instrument: int = 12,
    n_pieces: int = 60,
    duration_seconds: float = 3.0,
    sr: int = 16000,
    room: str | None = "studio",
    takes: str = "separate",
    random_state: Any = None,
    n_jobs: int | None = None,
    verbose: bool | int = 0,
) -> Bunch:
    """Make simulated cellos: excerpts played on many instruments of two classes.

    Every instrument has a body of its own, drawn from its class, and bodies are all in which the
    classes differ: both play the same etudes, on the same strings, in the same room. What a model
    has learned can be held against the truth, as the responses of the bodies are given.

    Parameters
    ----------
    contrast : {"none", "eq", "damping", "both"}, default="both"
        In what the classes differ: nothing, a control on which no model can do better than chance;
        the mean spectrum of their bodies; how long these ring; or both. See the Notes.
    n_train, n_validation, n_test : int, default=32, 8, 12
        Number of instruments of each class in each split.
    excerpts_per_instrument : int, default=12
        Number of excerpts that each instrument plays.
    n_pieces : int, default=60
        Number of etudes, which the splits share out among themselves: no piece of one is played
        in another.
    duration_seconds : float, default=3.0
        Duration of each excerpt, at most 30 s, the length of an etude.
    sr : int, default=16000
        Sampling rate in Hz, 8000 or more. Bodies do not sound above 8 kHz.
    room : {"studio", "chamber", "hall"} or None, default="studio"
        The room that all are recorded in; None for no reverberation. What is played does not depend
        on it, nor on the sampling rate.
    takes : {"separate", "shared"}, default="separate"
        ``"separate"``: every instrument plays for itself, with timing, intonation, vibrato and bow
        of its own. ``"shared"``: an excerpt is one take, in which nothing but the body changes from
        instrument to instrument; but for the recording's hiss, 58 dB below the sound, two excerpts
        differ by the ratio of two bodies, and in level.
    random_state : int, RandomState instance or None, default=None
        Where bodies, etudes and takes come from. The body of an instrument depends on
        ``random_state``, its class and its number alone; with another ``contrast`` it has the same
        modes, at other strengths or with other damping.
    n_jobs : int, default=None
        Number of processes that make excerpts; None means 1, -1 as many as there are processors.
        The result does not depend on it.
    verbose : bool or int, default=0
        Whether to show a progress bar.

    Returns
    -------
    Bunch
        ``signals`` : float32 ndarray of shape (n_signals, n_times)
            The excerpts, all at the same level, -26 dB.
        ``target`` : ndarray of shape (n_signals,)
            The class of the instrument, ``"A"`` or ``"B"``.
        ``groups`` : ndarray of shape (n_signals,)
            The instrument, such as ``"B 7"``.
        ``piece`` : ndarray of shape (n_signals,)
            The piece, such as ``"etude 12"``.
        ``split`` : ndarray of shape (n_signals,)
            ``"train"``, ``"validation"`` or ``"test"``. No instrument and no piece is in two.
        ``states`` : int8 ndarray of shape (n_signals, n_moments)
            What goes on in each excerpt every 10 ms from its first sample on, the frames of
            ``Spectrogram(sr=16000)``: positions in ``state_names``.
        ``state_names`` : list of str
            ``"rest"``; ``"transition"``, where a note or a bow stroke begins, ends or slides to
            another; ``"steady"``, a held note; ``"vibrato"``, a held note with vibrato.
        ``frequencies`` : ndarray of shape (n_frequencies,)
            1 Hz, 2 Hz and so on, up to half the sampling rate.
        ``log_responses`` : float32 ndarray of shape (n_instruments, n_frequencies)
            Natural logarithm of the gain of each body at ``frequencies``, from the force at the
            bridge to the sound. Excerpts are level-matched, so its mean means nothing.
        ``instruments`` : DataFrame of n_instruments rows
            ``instrument``, ``class``, ``split``, ``n_modes``, ``median_q`` (of its modes) and
            ``air_hz`` (of its lowest mode), in the order of ``log_responses``.
        ``sr`` : int
            Sampling rate in Hz.
        ``frame`` : DataFrame of n_signals rows
            ``instrument``, ``class``, ``split``, ``piece``, ``start_seconds`` (where in the piece
            as written), ``key``, ``mood`` and ``tempo`` (beats a minute, of this take).
        ``DESCR`` : str
            What this is.

        The excerpts of one instrument are in a row; ``A 1`` comes first, then ``B 1``, which plays
        the same, then ``A 2``.

    Raises
    ------
    ValueError
        For parameters out of range, or when there are fewer pieces than splits, or more excerpts
        than an instrument's pieces have.

    See Also
    --------
    load_instrument_recordings : Your own recordings of instruments.

    Notes
    -----
    A body is a sum of resonances of gain ``g (j r / Q) / (1 - r**2 + j r / Q)`` with ``r`` the
    frequency relative to the mode's: four at 93, 130, 165 and 208 Hz, each 3 % up or down, where
    all cellos have theirs, and from 240 Hz to 7.8 kHz one every 18 Hz on average, of random sign
    and strength. They keep to an envelope measured on a cello [1]_. The classes:

    ======================================= ======= =======
    ..                                      A       B
    ======================================= ======= =======
    damping: median Q                       35      20
    eq: around 92 Hz                        0 dB    -6 dB
    eq: around 340 Hz                       0 dB    +3 dB
    eq: above 800 Hz                        0 dB    -8 dB
    ======================================= ======= =======

    After what is published of violins, as nothing is of cellos: factory violins are weak at their
    lowest notes and above 1 kHz, and strong below [2]_ [3]_. That lightly damped modes turn vibrato
    into a movement of the spectrum is held to be a part of what listeners call lively. Blind tests
    show no reliable preference for old instruments, and nobody has rated these. The names of the
    classes are letters for that reason.

    The string slips once a period, at which the force on the bridge jumps: a sawtooth, rounded by
    losses above 3.5 kHz. Vibrato of 15 to 30 cents at 5 to 6.5 Hz comes in late on some of the long
    notes, pitch and bow pressure waver, the bow hisses, most where a stroke begins, and the finger
    slides between slurred notes.

    References
    ----------
    .. [1] G. Sandell, "SHARC timbre database": the cello of the McGill University Master Samples.
    .. [2] H. Dünnwald, "Deduction of objective quality parameters on old and new violins",
       Catgut Acoustical Society Journal 1(7), 1991.
    .. [3] C. Gough, "Violin acoustics", Acoustics Today 12(2), 2016.

    Examples
    --------
    >>> from skperceptual.datasets import make_synthetic_cellos
    >>> cellos = make_synthetic_cellos(
    ...     n_train=2, n_validation=1, n_test=1, excerpts_per_instrument=2, random_state=0
    ... )
    >>> cellos.signals.shape, cellos.signals.dtype
    ((16, 48000), dtype('float32'))
    >>> cellos.groups[::2].tolist()
    ['A 1', 'B 1', 'A 2', 'B 2', 'A 3', 'B 3', 'A 4', 'B 4']
    >>> cellos.split[::4].tolist()
    ['train', 'train', 'validation', 'test']
    """
    sizes = dict(zip(_SPLITS, (n_train, n_validation, n_test), strict=True))
    seed = int(own_random_state(random_state).randint(2**31))
    pieces = share_out_pieces(n_pieces, sizes)
    jobs, rows = [], []
    number = 0
    for split, size in sizes.items():
        for _ in range(size):
            number += 1
            excerpts = choose_excerpts(
                pieces[split], excerpts_per_instrument, duration_seconds, [seed, _CHOICES, number]
            )
            for label in _CLASSES:
                rows.append({"instrument": f"{label} {number}", "class": label, "split": split})
                player = [] if takes == "shared" else [number, _CLASSES.index(label)]
                jobs.append(
                    delayed(_record_instrument)(
                        seed, label, number, contrast, excerpts, player, room, duration_seconds, sr
                    )
                )
    made = run_jobs(
        jobs, n_jobs=n_jobs, verbose=verbose, caller="make_synthetic_cellos", unit="instrument"
    )
    n_times = round(duration_seconds * sr)
    n_signals = len(jobs) * excerpts_per_instrument
    signals = np.empty((n_signals, n_times), dtype=np.float32)
    n_moments = 1 + int(_STATES_PER_SECOND * duration_seconds + 1e-9)
    states = np.empty((n_signals, n_moments), dtype=np.int8)
    log_responses = np.empty((len(jobs), sr // 2), dtype=np.float32)
    known: list[dict[str, Any]] = []
    for place, (clips, clip_states, log_response, body, described) in enumerate(made):
        at = slice(len(known), len(known) + excerpts_per_instrument)
        signals[at], states[at], log_responses[place] = clips, clip_states, log_response
        known += [{**rows[place], **excerpt} for excerpt in described]
        rows[place] = {**rows[place], **body}
    frame = pd.DataFrame(known)
    return Bunch(
        signals=signals,
        target=frame["class"].to_numpy(dtype=str),
        groups=frame["instrument"].to_numpy(dtype=str),
        piece=frame["piece"].to_numpy(dtype=str),
        split=frame["split"].to_numpy(dtype=str),
        states=states,
        state_names=list(STATES),
        frequencies=np.arange(1, sr // 2 + 1, dtype=np.float64),
        log_responses=log_responses,
        instruments=pd.DataFrame(rows),
        sr=sr,
        frame=frame,
        DESCR=_describe(
            sizes, excerpts_per_instrument, n_times / sr, sr, n_pieces, room, takes, contrast
        ),
    )


def _record_instrument(
    seed: int,
    label: str,
    number: int,
    contrast: str,
    excerpts: list[Excerpt],
    player: list[int],
    room: str | None,
    duration_seconds: float,
    sr: int,
) -> tuple[
    NDArray[np.float32],
    NDArray[np.int8],
    NDArray[np.float32],
    dict[str, Any],
    list[dict[str, Any]],
]:
    """Make the excerpts of one instrument, and say what is known of it and of them."""
    identity = [seed, _BODIES, _CLASSES.index(label), number]
    body = draw_body(character_of(label, contrast), np.random.default_rng(identity))
    hall = Hall(room, duration_seconds, sr)
    instrument = hall.place(body)
    clips, clip_states, described = [], [], []
    for excerpt in excerpts:
        written = compose_etude(np.random.default_rng([seed, _ETUDES, excerpt.piece]))
        take = [seed, _TAKES, excerpt.piece, *player]
        played = perform_etude(written, np.random.default_rng(take))
        # Drawn anew for every excerpt, but not for other ones of the same take.
        rng = np.random.default_rng([*take, round(1000 * excerpt.start_seconds)])
        start = _when_played(written, played, excerpt.start_seconds)
        bowing = bow_notes(played.notes, start - hall.lead_seconds, hall.bowed_seconds, rng)
        clips.append(hall.record(bowing, instrument, rng))
        clip_states.append(_states_of(bowing.states, hall.lead_seconds, duration_seconds))
        described.append(
            {
                "piece": f"etude {excerpt.piece + 1}",
                "start_seconds": excerpt.start_seconds,
                "key": played.key,
                "mood": played.mood,
                "tempo": played.tempo,
            }
        )
    return (
        np.stack(clips),
        np.stack(clip_states),
        np.log(np.abs(body.response(np.arange(1.0, sr // 2 + 1)))).astype(np.float32),
        _describe_body(body),
        described,
    )


def _when_played(written: Etude, played: Etude, seconds: float) -> float:
    """Say when in a take a place of the score comes."""
    score, take = (
        [*(note.start_seconds for note in etude.notes), etude.end_seconds]
        for etude in (written, played)
    )
    return float(np.interp(seconds, score, take))


def _states_of(
    states: NDArray[np.int8], lead_seconds: float, duration_seconds: float
) -> NDArray[np.int8]:
    times = np.arange(1 + int(_STATES_PER_SECOND * duration_seconds + 1e-9)) / _STATES_PER_SECOND
    moments = np.rint(1000 * (lead_seconds + times)).astype(int)
    return states[np.minimum(moments, len(states) - 1)]


def _describe_body(body: Body) -> dict[str, Any]:
    return {
        "n_modes": len(body.q),
        "median_q": float(np.median(body.q)),
        "air_hz": float(body.frequencies[0]),
    }


def _describe(
    sizes: dict[str, int],
    n_excerpts: int,
    seconds: float,
    sr: int,
    n_pieces: int,
    room: str | None,
    takes: str,
    contrast: str,
) -> str:
    difference = _CONTRASTS[contrast].format(a=CHARACTERS["A"], b=CHARACTERS["B"])
    known = {
        "n_instruments": counted(sum(sizes.values()), "instrument"),
        "splits": ", ".join(f"{size} {split}" for split, size in sizes.items()),
        "n_excerpts": counted(n_excerpts, "excerpt"),
        "seconds": seconds,
        "sr": sr,
        "n_pieces": counted(n_pieces, "etude"),
        "room": "No reverberation" if room is None else f"Room: {room}",
        "takes": takes,
        "contrast": difference,
    }
    text = _DESCRIPTION.format(**known)
    paragraphs = [textwrap.fill(paragraph, _LINE) for paragraph in text.split("\n\n")]
    return "\n".join([_TITLE, "-" * len(_TITLE), "\n\n".join(paragraphs)]) + "\n"
