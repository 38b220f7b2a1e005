"""What a graft would do to the clocks of each patient: speeds by conditioning and donor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import Conditioning, Donor, Fitness
from blinasim.model.cohort import Cohort
from blinasim.model.durations import as_speed
from blinasim.model.fates import NON_RELAPSE_CLOCK_DAYS, Fates, non_relapse_hazards
from blinasim.model.parameters import Parameters, Value


@dataclass(frozen=True)
class Graft:
    """Speeds after a transplant, int32 milli-days a day, shape (P, D) in the order of ``Donor``.

    ``plateau_days``, shape (P,), is when the relapse clock's speed falls from ``relapse_speed`` to
    ``relapse_speed_late``. Non-relapse death runs at ``non_relapse_speed`` up to day 100 after the transplant, at
    ``non_relapse_speed_late`` up to ``non_relapse_late_until_days``, shape (P,), and at ``non_relapse_speed_tail``
    from there.
    """

    relapse_speed: NDArray[np.int32]
    relapse_speed_late: NDArray[np.int32]
    plateau_days: NDArray[np.int32]
    non_relapse_speed: NDArray[np.int32]
    non_relapse_speed_late: NDArray[np.int32]
    non_relapse_speed_tail: NDArray[np.int32]
    non_relapse_late_until_days: NDArray[np.int32]


def graft(cohort: Cohort, fates: Fates, conditioning: NDArray[np.int8], parameters: Parameters) -> Graft:
    """Return the speeds that a transplant with the planned conditioning would bring.

    Parameters
    ----------
    cohort, fates
        P patients.
    conditioning : ndarray of int8, shape (P,)
        Codes of ``Conditioning``.
    parameters : Parameters
        Groups ``relapse`` and ``non_relapse``.
    """
    relapse, risks = parameters.relapse, parameters.non_relapse
    shape = (cohort.replications, cohort.patients)

    def flat(value: Value) -> NDArray[np.float64]:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), shape).ravel()

    reduced = conditioning == Conditioning.REDUCED
    own = fates.relapse_speed_rest / 1000.0 * flat(relapse.graft_speed)
    relapse_ratio = own * np.where(reduced, flat(relapse.reduced_speed), 1.0)
    fitness = np.where(
        cohort.fitness == Fitness.POOR,
        flat(risks.poor_fitness_speed),
        np.where(cohort.fitness == Fitness.FAIR, flat(risks.fair_fitness_speed), 1.0),
    )
    non_relapse_ratio = (
        fitness
        * flat(risks.speed_per_decade) ** cohort.decades_over_40
        * np.where(reduced, flat(risks.reduced_speed), 1.0)
        * np.where(cohort.prior_hsct, flat(risks.second_hsct_speed), 1.0)
    )
    relapse_by_donor = _by_donor(relapse.sibling_speed, relapse.haploidentical_speed, relapse.cord_speed, flat)
    risk_by_donor = _by_donor(risks.sibling_speed, risks.haploidentical_speed, risks.cord_speed, flat)
    early = relapse_ratio[:, None] * relapse_by_donor
    risk = non_relapse_ratio[:, None] * risk_by_donor
    early_hazard, late_hazard = (flat(hazards.sum(axis=0))[:, None] for hazards in non_relapse_hazards(parameters))
    late = risk * late_hazard * NON_RELAPSE_CLOCK_DAYS
    return Graft(
        relapse_speed=as_speed(early),
        relapse_speed_late=as_speed(early * flat(relapse.graft_late_speed)[:, None]),
        plateau_days=np.rint(flat(relapse.plateau_days)).astype(np.int32),
        non_relapse_speed=as_speed(risk * early_hazard * NON_RELAPSE_CLOCK_DAYS),
        non_relapse_speed_late=as_speed(late),
        non_relapse_speed_tail=as_speed(late * flat(risks.tail_ratio)[:, None]),
        non_relapse_late_until_days=np.rint(flat(risks.late_until_days)).astype(np.int32),
    )


def _by_donor(
    sibling: Value, haploidentical: Value, cord: Value, flat: Callable[[Value], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Stack the ratios of the donor types, shape (P, D); the unrelated donor is the reference."""
    by_donor = {
        Donor.SIBLING: sibling,
        Donor.UNRELATED: 1.0,
        Donor.HAPLOIDENTICAL: haploidentical,
        Donor.CORD: cord,
    }
    return np.stack([flat(by_donor[donor]) for donor in Donor], axis=1)
