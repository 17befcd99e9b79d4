"""RFC 8259 written down rule by rule, with the interface's additions: what the real decoders are held to.

Slow and plain, and made of nothing that the real ones use: neither Python's json nor msgspec.
"""

MAX_DEPTH = 500
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
DIGITS = "0123456789"
Value = dict[str, "Value"] | list["Value"] | str | float | bool | None


class NotJsonError(Exception):
    """The text breaks a rule."""


def parse(data: bytes) -> Value:
    """The value of a JSON text, numbers as 64-bit floats; raises `NotJsonError`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotJsonError from None
    reader = _Reader(text)
    value = reader.value(1)
    reader.space()
    if reader.at < len(text):
        raise NotJsonError
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, allowed: str) -> str:
        character = self.peek()
        if not character or character not in allowed:
            raise NotJsonError
        self.at += 1
        return character

    def space(self) -> None:
        while self.peek() and self.peek() in " \t\n\r":
            self.at += 1

    def value(self, depth: int) -> Value:  # noqa: C901  (see below)
        """One value. A single frame a level, so that 500 levels fit on Python's stack."""
        self.space()
        first = self.peek()
        if first and first in "[{" and depth > MAX_DEPTH:
            raise NotJsonError
        if first == "[":
            self.at += 1
            items: list[Value] = []
            self.space()
            while self.peek() != "]":
                if items:
                    self.take(",")
                items.append(self.value(depth + 1))
                self.space()
            self.at += 1
            return items
        if first == "{":
            self.at += 1
            members: dict[str, Value] = {}
            self.space()
            while self.peek() != "}":
                if members:
                    self.take(",")
                    self.space()
                name = self.string()
                self.space()
                self.take(":")
                members[name] = self.value(depth + 1)
                self.space()
            self.at += 1
            return members
        if first == '"':
            return self.string()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return self.number()

    def string(self) -> str:
        self.take('"')
        units = ""
        while (character := self.peek()) != '"':
            if not character or character < " ":
                raise NotJsonError
            self.at += 1
            units += self.escape() if character == "\\" else character
        self.at += 1
        # Halves that stand side by side are one character; a half that is left over is a lone surrogate.
        try:
            return units.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise NotJsonError from None

    def escape(self) -> str:
        if self.peek() != "u":
            return ESCAPES[self.take("".join(ESCAPES))]
        self.at += 1
        return chr(int("".join(self.take(DIGITS + "abcdefABCDEF") for _ in range(4)), 16))

    def number(self) -> float:
        start = self.at
        if self.peek() == "-":
            self.at += 1
        if self.take(DIGITS) != "0":
            self.digits()
        whole = True
        if self.peek() == ".":
            whole = False
            self.at += 1
            self.take(DIGITS)
            self.digits()
        if self.peek() and self.peek() in "eE":
            whole = False
            self.at += 1
            if self.peek() and self.peek() in "+-":
                self.at += 1
            self.take(DIGITS)
            self.digits()
        text = self.text[start : self.at]
        return 0.0 if whole and text == "-0" else float(text)

    def digits(self) -> None:
        while self.peek() and self.peek() in DIGITS:
            self.at += 1
