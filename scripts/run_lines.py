"""Shortens Dagster's log of one run to a line a step and a line a message; passes everything else on in the end.

Reads standard input, prints as it comes. What it does not understand it prints whole, so nothing is hidden.
"""

import re
import sys

LINE = re.compile(
    r"^(?:\x1b\[\d+m)?\S+ \S+ \S+(?:\x1b\[0m)? - dagster - \S*?(DEBUG|INFO|WARNING|ERROR)\S* - (?:\x1b\[\d+m)?(.*)$"
)
STEP = re.compile(r"- (\w+?)__(raw|analyzed|anonymized|validated|cataloged) - (.*)$")


def main() -> None:
    """Filters standard input."""
    for raw in sys.stdin:
        match = LINE.match(raw.rstrip())
        if match is None:
            sys.stdout.write(raw)
            continue
        level, text = match.groups()
        step = STEP.search(text)
        if level in {"ERROR", "WARNING"}:
            sys.stdout.write(text + "\n")
        elif step is not None and (level == "INFO" or "ASSET_CHECK_EVALUATION" in text):
            message = re.sub(r"^ASSET_CHECK_EVALUATION - ", "", step[3])
            sys.stdout.write(f"  {step[2]:<11} {message}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
