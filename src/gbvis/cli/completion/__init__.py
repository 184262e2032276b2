"""Completion by TAB: the shells' parts of it, and what puts them in place. `cli/complete` answers them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gbvis.cli.command_group import SHELL_OPTIONS, THIS_SHELL
from gbvis.errors import UsageError
from gbvis.registry import check_name
from gbvis.shell import join_words

SHELLS = ("bash", "zsh", "fish")

_METAVAR = f"[{'|'.join(SHELLS)}]"


def script_of(shell: str) -> Path:
    """Return the file that a shell reads."""
    return Path(__file__).with_name(f"gbvis.{shell}")


def install(shell: str) -> tuple[Path, Path | None]:
    """Put a shell's part in place; once more does no harm.

    Returns:
        Where it is, and the shell's own file that reads it now; None where it is found without.

    Raises:
        UsageError: It cannot be written.
    """
    home = Path.home()
    try:
        if shell == "fish":
            return _copy(shell, _folder("XDG_CONFIG_HOME", home / ".config") / "fish/completions"), None
        script = _copy(shell, _folder("XDG_DATA_HOME", home / ".local/share") / "gbvis")
        start = (_folder("ZDOTDIR", home) if shell == "zsh" else home) / f".{shell}rc"
        word = join_words([str(script)])
        _append_once(start, f"[ -r {word} ] && . {word}")
    except OSError as error:
        problem = f"cannot write {error.filename or 'the completion'}: {error.strerror or error}"
        hint = f"put it where your shell reads it: gbvis --show-completion {shell}"
        raise UsageError(problem, hint) from error
    return script, start


def _folder(variable: str, otherwise: Path) -> Path:
    return Path(os.environ.get(variable) or otherwise)


def _copy(shell: str, folder: Path) -> Path:
    from gbvis.atomic_file import replace_file  # here: it brings filelock, and each call would wait for that

    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / script_of(shell).name, script_of(shell).read_bytes())
    return folder / script_of(shell).name


def _append_once(path: Path, line: str) -> None:
    """Add a line to a file, which may be a link to where the user keeps it, unless it has that line."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if line not in text.splitlines():
        with path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")


def find_shell(said: str) -> str:
    """Return the shell that is said, or else the one that gbvis was called from.

    Raises:
        UsageError: There is no completion for it.
    """
    if said != THIS_SHELL:
        return check_name("shell", SHELLS, said)
    for shell in (_read_parent(), Path(os.environ.get("SHELL", "")).name):
        if shell in SHELLS:
            return shell
    raise UsageError("cannot tell which shell this is", f"say it: {' or '.join(SHELLS)}")


def _read_parent() -> str:
    """Return the name of the program that called this one, where the system shows it."""
    try:
        return Path(f"/proc/{os.getppid()}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _install_and_say(said: str | None) -> None:
    if said is None:
        return
    shell = find_shell(said)
    script, start = install(shell)
    typer.echo(f"completion for {shell} is in {script}" + (f", and {start} reads it" if start else ""))
    typer.echo("start a new shell to use it")
    raise typer.Exit


def _show(said: str | None) -> None:
    if said is None:
        return
    typer.echo(script_of(find_shell(said)).read_text(encoding="utf-8"), nl=False)
    raise typer.Exit


InstallCompletion = Annotated[
    str | None,
    typer.Option(
        SHELL_OPTIONS[0],
        metavar=_METAVAR,
        callback=_install_and_say,
        is_eager=True,
        help="Install completion by TAB. Default: for the shell that this is typed in.",
    ),
]
ShowCompletion = Annotated[
    str | None,
    typer.Option(SHELL_OPTIONS[1], metavar=_METAVAR, callback=_show, is_eager=True, help="Print it instead."),
]
