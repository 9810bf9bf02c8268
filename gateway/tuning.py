"""How the interpreter is set for a gateway."""

from __future__ import annotations

import gc
import sys


def tune() -> None:
    """Settings of the interpreter for one busy event loop; each was measured by `make bench`.

    The thread that commits needs the GIL back for a few microseconds after the disk has answered: with the usual 5 ms every
    group of messages would wait so long. What lives as long as the process is taken out of the collector's sight.
    """
    sys.setswitchinterval(0.0005)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
