"""Write the API pages from what the package itself calls public.

The pages list ``skperceptual.__all__`` and the ``__all__`` of each public module in it, so that
a new name shows up in the documentation (and in the tests of the docstrings, which read the same
list) without anybody having to remember it.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

PACKAGE = "skperceptual"

# The order in which a user meets the modules; any other follows by name.
ORDER = [
    "io",
    "preprocessing",
    "spectrograms",
    "pyramids",
    "full_reference",
    "embeddings",
    "regression",
    "cello",
    "autoencoder",
    "calibration",
    "metrics",
    "evaluation",
    "inspection",
    "plotting",
    "degradations",
    "datasets",
    "functional",
    "networks",
    "base",
]

INDEX_TITLE = "API reference"
INDEX_TEXT = """\
Every public name, by module. Names that stand here without a module are imported from
``skperceptual`` itself, at first use.
"""


def public_modules() -> dict[str, ModuleType]:
    """Give the public modules by name, in the order of the documentation."""
    package = importlib.import_module(PACKAGE)
    names = [name for name in package.__all__ if inspect.ismodule(getattr(package, name))]
    rank = {name: position for position, name in enumerate(ORDER)}
    names.sort(key=lambda name: (rank.get(name, len(ORDER)), name))
    return {name: getattr(package, name) for name in names}


def public_names() -> dict[str, list[str]]:
    """Give, for each public module, the full name of every public class, function and constant.

    An object has one name: ``skperceptual.NLPD`` where the package exports it, and
    ``skperceptual.functional.nlpd`` where only its module does.
    """
    package = importlib.import_module(PACKAGE)
    modules = public_modules()
    listed: dict[str, list[str]] = {name: [] for name in modules}
    seen = set()
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.ismodule(value) or name.startswith("__"):
            continue
        home = value.__module__.split(".")[1]
        listed[home].append(f"{PACKAGE}.{name}")
        seen.add(id(value))
    for home, module in modules.items():
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if not inspect.ismodule(value) and id(value) not in seen:
                listed[home].append(f"{PACKAGE}.{home}.{name}")
                seen.add(id(value))
    return listed


def public_objects() -> dict[str, object]:
    """Give every public class and function by its full name."""
    objects = {}
    for names in public_names().values():
        for name in names:
            module, _, attribute = name.rpartition(".")
            value = getattr(importlib.import_module(module), attribute)
            if inspect.isclass(value) or inspect.isroutine(value):
                objects[name] = value
    return objects


def defined_here(member: object) -> bool:
    """Say whether a method or property comes from this package, and not from a base outside it."""
    function = member.fget if isinstance(member, property) else member
    return (getattr(function, "__module__", None) or "").startswith(PACKAGE)


def write_pages(folder: Path) -> None:
    """Write ``index.rst`` and one page a public module; leave unchanged files alone."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = public_modules()
    pages = {}
    for home, names in public_names().items():
        if not names:
            continue
        title = f"skperceptual.{home}"
        text = inspect.getdoc(modules[home]) or ""
        entries = "\n".join(f"   {name.removeprefix(f'{PACKAGE}.')}" for name in names)
        pages[home] = (
            f"{title}\n{'=' * len(title)}\n\n{text}\n\n.. currentmodule:: {PACKAGE}\n\n"
            f".. autosummary::\n   :toctree: generated\n   :nosignatures:\n\n{entries}\n"
        )
    toctree = "\n".join(f"   {home}" for home in pages)
    pages["index"] = (
        f"{INDEX_TITLE}\n{'=' * len(INDEX_TITLE)}\n\n{INDEX_TEXT}\n"
        f".. toctree::\n   :maxdepth: 2\n\n{toctree}\n"
    )
    for page, text in pages.items():
        path = folder / f"{page}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    objects = {name for names in public_names().values() for name in names}
    for stale in [*folder.glob("*.rst"), *(folder / "generated").glob("*.rst")]:
        if stale.stem not in pages and stale.stem not in objects:
            stale.unlink()


def _on_config(app: Sphinx, config: Config) -> None:
    write_pages(Path(app.srcdir) / "api")


def _skip_foreign_members(
    app: Sphinx, what: str, name: str, member: object, skip: bool, options: object
) -> bool | None:
    """Leave out the methods that scikit-learn gives every estimator: it documents them itself."""
    return None if defined_here(member) else True


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for its source files, and keep them to our own."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("config-inited", _on_config)
    app.connect("autodoc-skip-member", _skip_foreign_members)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
