"""What a graft would do to the clocks of each patient: speeds by conditioning and donor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NEVER, ORDINARY_SPEED, Conditioning, Donor, Fitness
from blinasim.model.cohort import Cohort
from blinasim.model.durations import as_speed
from blinasim.model.fates import Fates
from blinasim.model.fates.clocks import NON_RELAPSE_CLOCK_DAYS, non_relapse_hazards
from blinasim.model.parameter_groups import Value
from blinasim.model.parameters import Parameters


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


@np.errstate(divide="ignore", over="ignore", invalid="ignore")  # hazards without end
def graft(
    cohort: Cohort, fates: Fates, candidate: NDArray[np.bool_], conditioning: NDArray[np.int8], parameters: Parameters
) -> Graft:
    """Return the speeds that a transplant with the planned conditioning would bring.

    Parameters
    ----------
    cohort, fates
        P patients.
    candidate : ndarray of bool, shape (P,)
        Who may be transplanted; the speeds of the others are 0.
    conditioning : ndarray of int8, shape (P,)
        Codes of ``Conditioning``.
    parameters : Parameters
        Groups ``relapse`` and ``non_relapse``.

    Returns
    -------
    Graft
    """
    everybody, who = candidate.size, np.flatnonzero(candidate)
    parameters = parameters.by_patient(who // cohort.patients)
    relapse, risks = parameters.relapse, parameters.non_relapse
    reduced = conditioning[who] == Conditioning.REDUCED
    own = fates.relapse_speed_rest[who] / ORDINARY_SPEED * relapse.graft_speed
    relapse_ratio = own * np.where(reduced, relapse.reduced_speed, 1.0)
    fitness = np.where(
        cohort.fitness[who] == Fitness.POOR,
        risks.poor_fitness_speed,
        np.where(cohort.fitness[who] == Fitness.FAIR, risks.fair_fitness_speed, 1.0),
    )
    non_relapse_ratio = (
        fitness
        * risks.speed_per_decade ** cohort.decades_over_40[who]
        * np.where(reduced, risks.reduced_speed, 1.0)
        * np.where(cohort.prior_hsct[who], risks.second_hsct_speed, 1.0)
    )
    early_hazard, late_hazard = (hazards.sum(axis=0) for hazards in non_relapse_hazards(parameters))
    late = non_relapse_ratio * late_hazard * NON_RELAPSE_CLOCK_DAYS
    relapse_by_donor = (relapse.sibling_speed, relapse.haploidentical_speed, relapse.cord_speed)
    risk_by_donor = (risks.sibling_speed, risks.haploidentical_speed, risks.cord_speed)

    def speeds(ratio: NDArray[np.float64], by_donor: tuple[Value, Value, Value]) -> NDArray[np.int32]:
        """Speeds by donor, of the candidates; the unrelated donor is the reference."""
        sibling, haploidentical, cord = by_donor
        factor = {Donor.SIBLING: sibling, Donor.HAPLOIDENTICAL: haploidentical, Donor.CORD: cord}
        table = np.zeros((everybody, len(Donor)), dtype=np.int32)
        for donor in Donor:
            table[who, donor] = as_speed(ratio * factor.get(donor, 1.0))
        return table

    def days(value: Value) -> NDArray[np.int32]:
        column = np.zeros(everybody, dtype=np.int32)
        column[who] = np.minimum(np.rint(value), NEVER)
        return column

    return Graft(
        relapse_speed=speeds(relapse_ratio, relapse_by_donor),
        relapse_speed_late=speeds(relapse_ratio * relapse.graft_late_speed, relapse_by_donor),
        plateau_days=days(relapse.plateau_days),
        non_relapse_speed=speeds(non_relapse_ratio * early_hazard * NON_RELAPSE_CLOCK_DAYS, risk_by_donor),
        non_relapse_speed_late=speeds(late, risk_by_donor),
        non_relapse_speed_tail=speeds(late * risks.tail_ratio, risk_by_donor),
        non_relapse_late_until_days=days(risks.late_until_days),
    )
