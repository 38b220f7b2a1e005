"""Patients under a policy of one's own: the protocol stays, the decisions are asked for day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from blinasim.engine.body import NEVER_MOMENT
from blinasim.engine.clinic import Clinic
from blinasim.engine.des import Patient
from blinasim.engine.fate import Fate
from blinasim.errors import PolicyError
from blinasim.model.chart import Chart
from blinasim.model.codes import NEVER, NONE, Conditioning, Depth, Donor, Fitness, Mrd, Reason
from blinasim.model.history import LogEntry
from blinasim.model.own_policy import answers

#: Days after which a policy that put a transplant off is asked again.
_ASKED_AGAIN_AFTER_DAYS = 7


class OwnPatient(Patient):
    """A patient whose decisions a policy of one's own takes; what it does not answer is as usual."""

    def __init__(self, clinic: Clinic, number: int, entry_day: int, fate: Fate, log: list[LogEntry] | None) -> None:
        assert clinic.own is not None
        self.policy = clinic.policy
        self.rules = clinic.own
        self.cycles_over = False
        super().__init__(clinic, number, entry_day, fate, log)

    # --- decisions -------------------------------------------------------------------------------------

    def searches_at_entry(self) -> bool:
        """Ask whether a donor is sought from day 0 on."""
        return self._yes_or_no("searches", super().searches_at_entry())

    def searches_at_remission(self) -> bool:
        """Ask whether a candidate's search begins."""
        return self._yes_or_no("searches", super().searches_at_remission())

    def is_candidate(self) -> bool:
        """Ask whether the patient is a candidate; nobody is where no transplantation is offered."""
        usual = super().is_candidate()
        return usual if self.fate.reason_at_entry == Reason.NOT_OFFERED else self._yes_or_no("is_candidate", usual)

    def acceptance(self) -> Sequence[tuple[int, int]]:
        """Ask from which day of the search each donor type is acceptable."""
        usual = super().acceptance()
        if not answers(self.policy, "accept_from_day"):
            return usual
        answer = self._ask("accept_from_day", {Donor(kind).name.lower(): day for kind, day in usual})
        known = {donor.name.lower(): donor for donor in Donor}
        if not isinstance(answer, dict) or not all(
            key in known and type(day) is int and 0 <= day < NEVER for key, day in answer.items()
        ):
            raise self._wrong("accept_from_day", answer, f"days by donor type ({', '.join(known)})")
        return [(int(known[key]), day) for key, day in answer.items()]

    def takes_cycle(self) -> bool:
        """Ask whether the cycle that is due is given; no is for good."""
        if not self._yes_or_no("starts_cycle", super().takes_cycle()):
            self.cycles_over = True
        return not self.cycles_over

    def takes_transplant(self) -> bool:
        """Ask whether the transplant takes place today; after a no, again in a week."""
        takes = self._yes_or_no("transplants", super().takes_transplant())
        if not takes:
            self.no_transplant_before = self.day + _ASKED_AGAIN_AFTER_DAYS
        return takes

    def chosen_conditioning(self) -> int:
        """Ask for the conditioning, and let its speeds be those of the graft."""
        chosen = super().chosen_conditioning()
        if answers(self.policy, "conditioning"):
            known = {code.name.lower(): int(code) for code in Conditioning}
            answer = self._ask("conditioning", Conditioning(chosen).name.lower())
            if not isinstance(answer, str) or answer not in known:
                raise self._wrong("conditioning", answer, " or ".join(known))
            chosen = known[answer]
        graft = self.rules.grafts[chosen]
        speeds = {item.name: getattr(graft, item.name)[self.number].tolist() for item in fields(graft)}
        self.fate = self.fate._replace(**speeds)
        return chosen

    def cycle_due(self) -> int:
        """Return when the next cycle is due; a policy that has declined one is not asked again."""
        return NEVER_MOMENT if self.cycles_over else super().cycle_due()

    # --- asking ----------------------------------------------------------------------------------------

    def _yes_or_no(self, question: str, usual: bool) -> bool:
        if not answers(self.policy, question):
            return usual
        answer = self._ask(question, usual)
        if not isinstance(answer, bool):
            raise self._wrong(question, answer, "True or False")
        return answer

    def _ask(self, question: str, usual: Any) -> Any:
        try:
            return getattr(self.policy, question)(self._chart(usual))
        except Exception as problem:
            raise PolicyError(f"{self._where(question)}: {type(problem).__name__}: {problem}") from problem

    def _wrong(self, question: str, answer: Any, wanted: str) -> PolicyError:
        return PolicyError(f"{self._where(question)}: answered {answer!r}; {wanted} was asked for")

    def _where(self, question: str) -> str:
        draws = self.rules.draws
        trial, patient = divmod(self.number, draws.patients)
        who = f"patient {draws.first_patient + patient + 1} of trial {draws.block[trial] + 1}"
        return f"policy {type(self.policy).__name__}.{question}, {who}, day {self.day}"

    def _chart(self, usual: Any) -> Chart:
        cohort, number = self.rules.cohort, self.number
        remitted = self.remission != NONE
        reason = self.fate.reason if remitted else self.fate.reason_at_entry

        def known(day: int) -> int | None:
            return None if day == NONE else day

        return Chart(
            day=self.day,
            age_years=int(cohort.age_years[number]),
            salvage_lines=int(cohort.salvage_lines[number]),
            blasts_pct=float(cohort.blasts_pct[number]),
            prior_hsct=bool(cohort.prior_hsct[number]),
            fitness=Fitness(int(cohort.fitness[number])).name.lower(),
            cycles=self.cycles,
            infusing=self.infusing,
            in_remission=remitted and self.relapse_detected == NONE,
            remission_day=known(self.remission),
            depth={Depth.CR: "CR", Depth.CRH: "CRh"}[Depth(self.depth)] if remitted else None,
            mrd=Mrd(self.fate.mrd).name.lower() if remitted else None,
            search_day=known(self.search_start),
            donor=None if self.donor == NONE else Donor(self.donor).name.lower(),
            stopped=self.stop != NONE,
            switched=self.switch != NONE,
            excluded_by=None if reason == NONE else Reason(reason).name.lower(),
            usual=usual,
        )
