"""Options that name some of what there is."""

import argparse
from collections.abc import Callable, Iterable


def listed(known: Iterable[str], or_none: bool = False) -> Callable[[str], list[str]]:
    """Reads names with commas between them. With `or_none`, the word `none` is no name at all."""
    names = list(known)

    def parse(text: str) -> list[str]:
        wanted = [] if or_none and text == "none" else text.split(",")
        for name in wanted:
            if name not in names:
                raise argparse.ArgumentTypeError(f"{name} is none of {','.join(names)}")
        return wanted

    return parse
