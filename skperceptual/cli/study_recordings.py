"""The recordings of a study: where they are, and what they are recordings of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from skperceptual.cli.audio_files import look_at
from skperceptual.cli.errors import CommandError
from skperceptual.cli.options import Reading
from skperceptual.datasets import load_audio_folder
from skperceptual.io import AudioFileError
from skperceptual.utils.audio_files import AudioHeader
from skperceptual.utils.messages import as_list

__all__ = ["Recording", "find_recordings"]


class Recording(NamedTuple):
    """A recording of the study.

    Examples
    --------
    >>> from skperceptual.cli.study_recordings import Recording
    >>> from skperceptual.utils.audio_files import AudioHeader
    >>> Recording("a/b.wav", "speech", AudioHeader(32000, 16000, 1, "WAV", "PCM_16")).seconds(1.5)
    1.5
    """

    file: str
    content: str
    header: AudioHeader

    def seconds(self, at_most: float | None) -> float:
        """Give how much of it is studied."""
        whole = self.header.duration_seconds
        return whole if at_most is None else min(whole, at_most)


def find_recordings(audio: Iterable[tuple[str | None, Path]], *, output: Path) -> list[Recording]:
    """Find the recordings that a study is asked for.

    Parameters
    ----------
    audio : iterable of (str or None, Path)
        Files and folders, with their content where that was said.
    output : Path
        The folder of the study; what an earlier one left there is no recording.

    Returns
    -------
    list of Recording
        Each file once, by content in order of appearance.

    Raises
    ------
    CommandError
        When there are none, some cannot be read, or one has two contents.
    """
    found: dict[str, Recording] = {}
    problems: list[str] = []
    for content, path in audio:
        for file, own in _list_files(path):
            if output.is_dir() and Path(file).resolve().is_relative_to(output.resolve()):
                continue
            label = own if content is None else content
            try:
                header = look_at(file, Reading())
            except AudioFileError as error:
                problems.append(f"{file} {error}")
                continue
            known = found.setdefault(os.path.realpath(file), Recording(file, label, header))
            if known.content != label:
                raise CommandError(
                    f"{file!r} is named as {known.content!r} and as {label!r}. Name each "
                    "recording once."
                )
    if problems:
        raise CommandError(
            f"some recordings cannot be used:\n{as_list(problems, 'files')}\nLeave them out."
        )
    if not found:
        raise CommandError("there is nothing to study but what an earlier study left.")
    contents = list(dict.fromkeys(recording.content for recording in found.values()))
    return sorted(found.values(), key=lambda recording: contents.index(recording.content))


def _list_files(path: Path) -> Iterator[tuple[str, str]]:
    """Give the files that a path stands for, and what their folders are called."""
    if not path.is_dir():
        yield str(path), path.absolute().parent.name
        return
    try:
        folder = load_audio_folder(path)
    except AudioFileError as error:
        raise CommandError(str(error)) from error
    except ValueError as error:
        raise CommandError(f"{error}") from error
    own = path.absolute().resolve().name
    for name, group in zip(folder.frame["file"], folder.groups, strict=True):
        yield str(path / name), own if group == "." else str(group)
