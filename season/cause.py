"""Turns ONNX Runtime's error about a file or a run into a sentence for a person."""

import re

_MAX_CHARACTERS = 300  # characters

_CODES = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCE = re.compile(r"\S+\.(?:cc|cpp|h|hpp):\d+ ")  # "/onnxruntime_src/onnxruntime/core/graph/model.cc:256 "
_TAIL = re.compile(r"(?: const)?(?: \[with [^\]]*\])? ?")
_NEW_IR = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
_NEW_OPSET = re.compile(r"Opset (\d+) is under development .* support for domain (\S+) is till opset (\d+)")


def cause(error: Exception) -> str:
    """Return the cause of ONNX Runtime's error in one line that is not too long, without codes and C++ signatures."""
    text = " ".join((str(error) or type(error).__name__).split())
    remedy = "this ONNX Runtime takes: export it for an older one, or install a newer ONNX Runtime"
    if found := _NEW_IR.search(text):
        return f"its IR version is {found[1]}, newer than {found[2]}, the newest that {remedy}"
    if found := _NEW_OPSET.search(text):
        return f"its opset of {found[2]} is {found[1]}, newer than {found[3]}, the newest that {remedy}"
    text = _without_signatures(_CODES.sub("", text))
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= _MAX_CHARACTERS else text[:_MAX_CHARACTERS] + "…"


def _without_signatures(text: str) -> str:
    """Return the text without "file.cc:12 ns::Class::method(types) const [with T = float] ", wherever that stands."""
    while found := _SOURCE.search(text):
        end = _signature_end(text, found.end())
        rest = text[end:]
        text = text[: found.start()] + (rest[tail.end() :] if (tail := _TAIL.match(rest)) else rest)
    return text


def _signature_end(text: str, start: int) -> int:
    """Return where the C++ signature that begins at `start` ends: at the first blank behind its brackets."""
    depth, closed = 0, False
    for index in range(start, len(text)):
        character = text[index]
        depth += (character == "(") - (character == ")")
        closed = closed or (character == ")" and depth == 0)
        if closed and depth == 0 and character == " ":
            return index
    return len(text) if closed else start  # no brackets: no signature
