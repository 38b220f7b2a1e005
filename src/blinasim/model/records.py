"""What the record of a transplant holds: missing data are a property of the record, not of the medicine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import NONE
from blinasim.model.fates import Fates
from blinasim.model.history import History
from blinasim.model.parameters import Parameters


@dataclass(frozen=True)
class TransplantRecord:
    """Codes of conditioning, donor and source of cells as recorded, shape (P,).

    They are -1 where there was no transplant, or where the record is missing.
    """

    conditioning: NDArray[np.int8]
    donor: NDArray[np.int8]
    source: NDArray[np.int8]


def record_transplants(history: History, fates: Fates, parameters: Parameters, draws: Draws) -> TransplantRecord:
    """Write down the transplants of P patients, with what is missing; source is missing where the donor is.

    Parameters
    ----------
    history, fates
        Their lives, and the sources that their donors would give.
    parameters : Parameters
        Group ``recording``: shares that are missing.
    draws : Draws
        The block's luck.

    Returns
    -------
    TransplantRecord
    """
    recording = parameters.recording
    transplanted = history.hsct != NONE
    no_conditioning = (draws.uniform("record.conditioning") < recording.conditioning_unknown).ravel()
    no_donor = (draws.uniform("record.donor") < recording.donor_unknown).ravel()
    donor_known = transplanted & ~no_donor
    source = fates.source_of(history.donor)
    return TransplantRecord(
        conditioning=np.where(transplanted & ~no_conditioning, history.conditioning, NONE).astype(np.int8),
        donor=np.where(donor_known, history.donor, NONE).astype(np.int8),
        source=np.where(donor_known, source, NONE).astype(np.int8),
    )
