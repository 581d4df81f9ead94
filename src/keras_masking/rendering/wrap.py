"""Breaks lines in English and Chinese, which has no spaces to break at, and in long names."""

import re
from collections.abc import Callable

OPENING, CLOSING = "（「《", "，。、；：！？）」》"
WIDE = "\u2e80-\u2fff\u3005-\u3007\u3021-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff10-\uff5a"
TOKEN = re.compile(rf"\s+|[{OPENING}]*(?:[{WIDE}]|[^\s{WIDE}{OPENING}{CLOSING}]+)[{CLOSING}]*|.")


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Lines of which none measures more than `width`, unless a single character does."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for token in TOKEN.findall(paragraph):
            if measure((line + token).rstrip()) <= width:
                line += token
                continue
            if line.strip():
                lines.append(line.rstrip())
            line = "" if token.isspace() else token
            while measure(line) > width:
                end = _fitting(line, width, measure)
                lines.append(line[:end])
                line = line[end:]
        lines.append(line.rstrip())
    return lines


def longest_token(text: str, measure: Callable[[str], float]) -> float:
    return max((measure(token) for token in TOKEN.findall(text)), default=0)


def _fitting(token: str, width: float, measure: Callable[[str], float]) -> int:
    """How much of a name fits, up to a sign that joins words where there is one."""
    end = 1
    while end < len(token) and measure(token[: end + 1]) <= width:
        end += 1
    joint = max(token.rfind(sign, 0, end) for sign in "_/.-") + 1
    return joint if joint > end // 2 else end
