"""Requests for files over HTTP: what is safe to follow, what may be tried again, what to say."""

from __future__ import annotations

import re
import ssl
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from skperceptual._version import __version__

SCHEMES = ("http", "https")
# For the connection, and for every wait for more.
TIMEOUT_SECONDS = 30.0

# Timeout, too early, too many requests, and what is wrong with a server for a while.
_TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206


class DownloadError(OSError):
    """A file could not be downloaded, or what came is not that file.

    Examples
    --------
    >>> from skperceptual.utils.http_requests import DownloadError
    >>> issubclass(DownloadError, OSError)
    True
    """


class TemporaryFailure(Exception):
    """What another request may put right.

    Parameters
    ----------
    reason : str
        What went wrong.
    wait_seconds : float, default=0.0
        How long the server asks to wait.
    restart : bool, default=False
        Whether the next request must be for the whole file, as the server cannot send that part.
    """

    def __init__(self, reason: str, *, wait_seconds: float = 0.0, restart: bool = False) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds
        self.restart = restart


def open_url(url: str, *, start: int = 0) -> HTTPResponse:
    """Ask for a file, or for the rest of it.

    Parameters
    ----------
    url : str
        Where the file is.
    start : int, default=0
        The first byte that is asked for.

    Returns
    -------
    HTTPResponse
        The answer: the rest, or all of it where the server does not do parts.

    Raises
    ------
    DownloadError
        When the server refuses for good.
    TemporaryFailure
        When it cannot be reached, or may answer otherwise another time.
    """
    headers = {"User-Agent": f"skperceptual/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        return _opener().open(Request(url, headers=headers), timeout=TIMEOUT_SECONDS)
    except DownloadError:
        raise
    except HTTPError as error:
        error.close()
        raise _judge_status(error, url, start) from error
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise DownloadError(
                f"Cannot download {url}: the certificate of the server cannot be verified "
                f"({reason.verify_message}). Check the clock and the certificates of this machine."
            ) from error
        raise TemporaryFailure(describe(reason)) from error


def first_byte(response: HTTPResponse) -> tuple[int, int | None]:
    """Tell which part of the file a response brings.

    Parameters
    ----------
    response : HTTPResponse
        The answer to a request.

    Returns
    -------
    start : int
        The place of its first byte in the file; 0 where the response is all of the file.
    size : int or None
        The size of the whole file, if the server says.

    Raises
    ------
    TemporaryFailure
        When the server sends a part and does not say which.
    """
    if response.status != _PARTIAL_CONTENT:
        return 0, response.length
    header = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"\s*bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)\s*", header)
    if found is None:
        raise TemporaryFailure(f"the server sends an unknown part ({header!r})", restart=True)
    start = int(found[1])
    if found[2] != "*":
        return start, int(found[2])
    return start, None if response.length is None else start + response.length


def describe(reason: object) -> str:
    """Say in a few words why a connection failed.

    Parameters
    ----------
    reason : exception or str
        What urllib gives as the reason.

    Returns
    -------
    str
        The reason, for a sentence.
    """
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return str(reason) or type(reason).__name__


def _judge_status(error: HTTPError, url: str, start: int) -> DownloadError | TemporaryFailure:
    answer = f"the server answers {error.code} ({error.reason})"
    if error.code == _RANGE_NOT_SATISFIABLE and start:
        return TemporaryFailure(answer, restart=True)
    if error.code in _TEMPORARY:
        return TemporaryFailure(answer, wait_seconds=_retry_after(error.headers))
    return DownloadError(
        f"Cannot download {url}: {answer}. If the address opens in a browser, the network here "
        "stands in between; if not, the file has moved."
    )


def _retry_after(headers: Message) -> float:
    value = headers.get("Retry-After", "")
    return float(value) if re.fullmatch(r"\d{1,6}", value) else 0.0


class _SafeRedirect(HTTPRedirectHandler):
    """Follows no redirection to anything but http and https, and none from https to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        # What comes with a redirection is of no use, and may have no end.
        fp.close()
        scheme = urlsplit(newurl).scheme
        if scheme not in SCHEMES or (req.type, scheme) == ("https", "http"):
            raise DownloadError(
                f"Cannot download {req.full_url}: the server redirects to {newurl!r}, which is "
                f"refused because it leads from {req.type} to {scheme}."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    """Give what opens http and https, through proxies where the environment names them.

    That of urllib reads files and ftp as well.
    """
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _SafeRedirect(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
