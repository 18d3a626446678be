"""Which of many submissions hold the same code. Pure.

Winnowing (Schleimer, Wilkerson and Aiken, 2003) by copydetect: names, strings, comments and white space do not count,
and neither does what the starter holds. The library is an extra of the site, so it is imported when it is needed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

NOISE = 25  # characters of code without names: what is shorter is chance
WINDOW = 6  # so that what is NOISE + WINDOW - 1 long is found for certain

Ranges = Mapping[str, Sequence[tuple[int, int]]]  # path → lines from, to; both from 1 and included


class LibraryMissing(Exception):
    """The extra `similarity` is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A submission to be compared."""

    id: int
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Two submissions with code in common. A share is how much of a submission's own code the other holds, 0–1."""

    first_id: int
    second_id: int
    first_share: float
    second_share: float
    first_lines: Ranges
    second_lines: Ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """The fingerprint of one file. `skipped` newlines stand before what the library has seen of it."""

    data: Any  # copydetect.CodeFingerprint
    skipped: int

    def lines(self, slices: Any) -> list[tuple[int, int]]:
        """Return the lines of `slices`, which are characters; those that touch are one."""
        code: str = self.data.raw_code
        found: list[tuple[int, int]] = []
        for start, end in sorted(zip(*(map(int, each) for each in slices), strict=True)):
            first = code.count("\n", 0, start) + 1 + self.skipped
            last = code.count("\n", 0, max(start, end - 1)) + 1 + self.skipped
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        return found


def matches(candidates: Iterable[Candidate], starter: Mapping[str, str], *, threshold: float) -> list[Match]:
    """Return the pairs of which at least one holds `threshold` (0–1) of its code in common, the most similar first.

    What `starter` holds counts for nobody. Files are compared by name: an exercise gives them. Raises LibraryMissing.
    """
    known = {path: _hashes(path, text) for path, text in starter.items()}
    prints = [(each.id, _prints(each.files, known)) for each in sorted(candidates, key=lambda each: each.id)]
    pairs = (_match(first, second, threshold) for first, second in combinations(prints, 2))
    found = [pair for pair in pairs if pair is not None]
    return sorted(found, key=lambda pair: (-max(pair.first_share, pair.second_share), pair.first_id, pair.second_id))


def _prints(files: Mapping[str, str], known: Mapping[str, set[int]]) -> dict[str, Print]:
    found = {}
    for path, text in files.items():
        made = _fingerprint(path, text)
        if made is not None:
            _leave_out(made.data, known.get(path, set()))
            if made.data.hashes:
                found[path] = made
    return found


def _fingerprint(path: str, text: str, window: int = WINDOW) -> Print | None:
    """Return the fingerprint of a file; None for one that is too short to say anything."""
    try:
        from copydetect import CodeFingerprint
        from copydetect.utils import filter_code
    except ImportError as error:
        raise LibraryMissing("The library that compares code is not installed.") from error
    tidy = text.replace("\r\n", "\n").replace("\r", "\n")
    code = tidy.lstrip("\n")  # Pygments drops these, which would shift every place that is found
    if len(filter_code(code, path)[0]) < NOISE + WINDOW:
        return None
    return Print(
        data=CodeFingerprint(path, NOISE, window, fp=io.StringIO(code, newline="")), skipped=len(tidy) - len(code)
    )


def _hashes(path: str, text: str) -> set[int]:
    made = _fingerprint(path, text, window=1)
    return set(made.data.hashes) if made is not None else set()


def _leave_out(data: Any, known: set[int]) -> None:
    # Not the library's own `boilerplate`: it also drops what a file repeats (intersect1d of lists that are not unique).
    from copydetect.utils import get_token_coverage

    data.hashes = data.hashes - known
    data.hash_idx = {value: places for value, places in data.hash_idx.items() if value not in known}
    data.token_coverage = get_token_coverage(data.hash_idx, data.k, len(data.filtered_code))


def _match(first: tuple[int, dict[str, Print]], second: tuple[int, dict[str, Print]], threshold: float) -> Match | None:
    from copydetect import compare_files

    own, other = first[1], second[1]
    shared = [path for path in own if path in other and not own[path].data.hashes.isdisjoint(other[path].data.hashes)]
    if not shared:
        return None
    compared = {path: compare_files(own[path].data, other[path].data) for path in shared}
    first_share = _share([shares[0] for _, shares, _ in compared.values()], shared, own)
    second_share = _share([shares[1] for _, shares, _ in compared.values()], shared, other)
    if max(first_share, second_share) < threshold:
        return None
    return Match(
        first_id=first[0],
        second_id=second[0],
        first_share=first_share,
        second_share=second_share,
        first_lines={path: own[path].lines(slices[0]) for path, (_, _, slices) in compared.items()},
        second_lines={path: other[path].lines(slices[1]) for path, (_, _, slices) in compared.items()},
    )


def _share(shares: Sequence[float], paths: Sequence[str], prints: Mapping[str, Print]) -> float:
    """Return the share over all files of one side, from that of each shared file."""
    whole = sum(float(each.data.token_coverage) for each in prints.values())
    common = sum(
        float(share) * float(prints[path].data.token_coverage) for share, path in zip(shares, paths, strict=True)
    )
    return min(1.0, common / whole) if whole else 0.0
