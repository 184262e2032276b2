"""Modules: the page's own scripts joined into one, and its styles; no tool but Python is needed for it."""

import re
from collections.abc import Iterator, Mapping

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+\.js)";[^\S\n]*\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class)\b)", re.MULTILINE)
_NAME = re.compile(r"^(?:async )?(?:function\*?|const|let|var|class)\s+([\w$]+)", re.MULTILINE)
_BLOCK_COMMENT = re.compile(r"^[^\S\n]*/\*(?:(?!\*/).)*\*/[^\S\n]*\n", re.MULTILINE | re.DOTALL)
_LINE_COMMENT = re.compile(r"^[^\S\n]*//.*\n", re.MULTILINE)
_INDENT = re.compile(r"\n\s+")

FIRST = "main.js"
"""The module that all others are imported from."""


class PageError(Exception):
    """The page's own files do not go together: our own mistake, which tests find."""


def join_modules(sources: Mapping[str, str], first: str = FIRST) -> str:
    """Return the modules that `first` imports, and that these import, as one script, each before who imports it.

    Comments that have lines of their own are left out, and so are indents.

    Args:
        sources: The text of each module by its file's name.
        first: Where to begin.

    Raises:
        PageError: A module is missing, imports itself in the end, or is written in a way that cannot be joined; or two
            declare the same name.
    """
    names = list(dict.fromkeys(_list_modules(sources, first, ())))
    owners: dict[str, str] = {}
    parts = []
    for name in names:
        script = _strip(name, sources[name])
        for declared in _NAME.findall(script):
            if declared in owners:
                raise PageError(f"{name} declares {declared}, and so does {owners[declared]}")
            owners[declared] = name
        parts.append(_INDENT.sub("\n", script).strip() + "\n")
    _check_imports(sources, names, owners)
    return "".join(parts)


def _list_modules(sources: Mapping[str, str], name: str, importers: tuple[str, ...]) -> Iterator[str]:
    """Yield a module after all that it imports, some several times."""
    if name in importers:
        raise PageError(f"{' imports '.join((*importers[importers.index(name) :], name))}")
    if name not in sources:
        raise PageError(f"{importers[-1] if importers else 'the page'} imports {name}, which is missing")
    for _, imported in _IMPORT.findall(_uncomment(sources[name])):
        yield from _list_modules(sources, imported, (*importers, name))
    yield name


def _check_imports(sources: Mapping[str, str], names: list[str], owners: Mapping[str, str]) -> None:
    """Check that what is imported is there; an import under another name would be lost."""
    for name in names:
        for imported, source in _IMPORT.findall(_uncomment(sources[name])):
            for word in filter(None, map(str.strip, imported.split(","))):
                if owners.get(word) != source:
                    raise PageError(f"{name} imports {word!r} from {source}, which has no such name")


def _uncomment(script: str) -> str:
    return _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", script + "\n"))


def _strip(name: str, source: str) -> str:
    """Return a module without imports, exports and comments."""
    script = _EXPORT.sub("", _IMPORT.sub("", _uncomment(source)))
    script = re.sub(r"^export \{\};\n", "", script, flags=re.MULTILINE)
    odd = re.search(r"^(?:import|export)\b.*", script, re.MULTILINE)
    if odd:
        raise PageError(f"{name} cannot be joined with others: {odd[0]}")
    for line in source.splitlines():
        if not line.lstrip().startswith(("//", "*", "/*")) and line.count("`") % 2:
            raise PageError(f"{name} has a text of several lines, in which comments would be looked for: {line}")
    return script


def join_styles(sources: Mapping[str, str]) -> str:
    """Return the styles as one: the base first, what is for printing last, the others by their names."""
    order = sorted(sources, key=lambda name: (name != "base.css", name == "print.css", name))
    joined = "\n".join(sources[name] for name in order)
    return _INDENT.sub("\n", re.sub(r"\s*/\*.*?\*/", "", joined, flags=re.DOTALL)).strip() + "\n"
