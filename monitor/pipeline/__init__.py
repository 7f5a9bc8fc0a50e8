"""The way a post takes: handlers, each of which claims its rows, does one thing and commits.

    collect(source)  poll* -> match                        -> COMMIT* {mentions, cursor}
    assess()         claim* -> classify -> decide          -> COMMIT* {verdicts, concerns, outbox}
    deliver(kinds)   claim* -> send*                       -> COMMIT* {mark}
    digest()         gather* -> compose -> words           -> COMMIT* {day, outbox}
    tidy()           what may be kept no longer            -> COMMIT* {erasures}

(* = effect.) No network, model or mail call happens inside a transaction. A crash anywhere leaves
rows that say what is still due, and every handler may be run again. The pipeline decides nothing:
`policy/` does. Logs name sources, ids and outcomes, never what a post says or who wrote it.
"""

from monitor.pipeline.assess import Assessor
from monitor.pipeline.collect import Collector, Polled
from monitor.pipeline.day import Day
from monitor.pipeline.deliver import Deliverer

__all__ = ["Assessor", "Collector", "Day", "Deliverer", "Polled"]
