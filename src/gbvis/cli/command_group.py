"""A group of commands: its help has whole sentences, and alone it prints its help."""

from typing import Any

import typer
from typer.core import TyperGroup

WIDEST = 1000
"""Columns of help at most: as many as the terminal has, and 80 in a pipe."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": WIDEST}
"""What all commands are made with."""

SHELL_OPTIONS = ("--install-completion", "--show-completion")
"""Options that take a shell, or nothing."""

THIS_SHELL = "this"
"""What they take where nothing is said."""


class CommandGroup(TyperGroup):
    """Commands, each listed with the whole of its first sentence; without any, the help is printed, and that is all."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, whose line in the list is not cut."""
        command = super().get_command(ctx, cmd_name)
        if command and command.help and not command.short_help:
            command.short_help = command.help.split("\n\n")[0]
        return command

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Print the help where nothing is asked for; an option whose shell need not be said gets one."""
        if args[-1:] and args[-1] in SHELL_OPTIONS:
            args = [*args[:-1], f"{args[-1]}={THIS_SHELL}"]
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)
