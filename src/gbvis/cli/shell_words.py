"""A command line that is being typed, as bash reads it; and words quoted so that they go on from what is typed."""

import os

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,/:=+@%")
"""What needs no quotes anywhere in a word; any letter or digit of another script needs none either."""


class TypedLine:
    """What is typed as far as the cursor.

    Attributes:
        words: The words before the one at the cursor, without their quotes.
        prefix: What is typed of the word at the cursor, without its quotes.
        quote: The quote that is open there: `'`, `"`, `$'`, or nothing.
        is_plain: False where the shell would put something else in place of it, or sends it elsewhere: `$HOME/`, `> `.
    """

    def __init__(self, words: list[str], prefix: str = "") -> None:
        self.words, self.prefix = words, prefix
        self.quote = ""
        self.is_plain = True


def read_line(text: str) -> TypedLine:
    """Return a line of bash, split into words."""
    line = TypedLine([])
    is_open, is_redirected, place = False, False, 0
    while place < len(text):
        character, place = text[place], place + 1
        if not line.quote and character in " \t\n<>|&;()":
            if is_open:
                line.words.append(line.prefix)
            is_redirected = character in "<>" or (is_redirected and not is_open)
            line.prefix, is_open, line.is_plain = "", False, not is_redirected
            continue
        is_open = True
        if character in "'\"" and line.quote in ("", character):
            line.quote = "" if line.quote else character
        elif character == "'" and line.quote == "$'":
            line.quote = ""
        elif character == "$" and not line.quote and text[place : place + 1] == "'":
            line.quote, place = "$'", place + 1
        elif character == "\\" and line.quote != "'":
            line.prefix += text[place : place + 1]
            place += 1
            line.is_plain &= line.quote != "$'"  # `\x41`: what has been typed so is left alone
        else:
            line.is_plain &= character not in "$`" or line.quote in ("'", "$'")
            line.prefix += character
    return line


def quote_rest(rest: str, quote: str) -> str:
    """Return the rest of a word for bash, behind what is typed of it with this quote open.

    Whatever is in it, it stays one word, and is shown as it is: what a terminal does not show is written as escapes.
    """
    return "".join(_quote(character, quote) for character in rest)


def _quote(character: str, quote: str) -> str:
    if not character.isprintable():
        escapes = "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
        close = quote[-1:]
        return escapes if quote == "$'" else f"{close}$'{escapes}'{quote}"
    if quote == "'":
        return "'\\''" if character == "'" else character
    if quote == "$'":
        return f"\\{character}" if character in "\\'" else character
    if quote == '"':
        return '"\\!"' if character == "!" else f"\\{character}" if character in '\\"$`' else character
    return character if character in _PLAIN or character.isalnum() else f"\\{character}"
