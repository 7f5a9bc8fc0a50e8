"""One row a fault, and how the rows are shown."""

from __future__ import annotations

from dataclasses import dataclass

HEADS = ("fault", "volume", "lost", "missing", "extras", "what else", "minutes", "verdict")


@dataclass(frozen=True, kw_only=True)
class Row:
    """How one fault went. `lost`, `missing` and `extras` are None where there is nothing to count;
    `faults` says what was not as it must be."""

    fault: str
    volume: str
    lost: int | None = None
    missing: int | None = None
    extras: int | None = None
    note: str = ""
    faults: tuple[str, ...] = ()
    minutes: float = 0.0

    @property
    def verdict(self) -> str:
        return "FAILED: " + "; ".join(self.faults) if self.faults else "passed"

    def cells(self) -> tuple[str, ...]:
        """As HEADS has them."""
        counts = ("" if n is None else f"{n:,}" for n in (self.lost, self.missing, self.extras))
        return (
            self.fault,
            self.volume,
            *counts,
            self.note,
            f"{self.minutes:.1f}",
            self.verdict,
        )


def faults_of(**wrong: bool) -> tuple[str, ...]:
    """The names of what is wrong, in words: `alerts_lost=True` becomes "alerts lost"."""
    return tuple(name.replace("_", " ") for name, is_so in wrong.items() if is_so)
