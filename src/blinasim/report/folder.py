"""Results folders: every file of a run, written whole or not at all."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blinasim.engine.choice import EngineName, choose
from blinasim.errors import BlinasimError, InterruptedRunError, OutputError
from blinasim.files import whole_folder
from blinasim.model.cohort_file import CohortSource, read_cohort
from blinasim.model.parameters import ParameterSource
from blinasim.model.policy_file import PolicyFile
from blinasim.report import exports, figures, style
from blinasim.report.contents import Contents, write_contents
from blinasim.report.manifest import COHORT_FILE, POLICY_FILE, Manifest, posterior_to_keep, resolved, simulated
from blinasim.report.page.run import run_page
from blinasim.report.rows import Row, endpoint_frame, rows_of
from blinasim.report.summary_file import EXPORTED_TRIAL, summary_file
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import Batch
from blinasim.study.checkpoint import Checkpoint, identify
from blinasim.study.chunks import cut, trials_at_a_time, usual_chunk
from blinasim.study.precision import Precision
from blinasim.study.replay import Replay, replay
from blinasim.study.simulate import Result, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENTS_FILE = "patients.parquet"


@dataclass(frozen=True)
class RunOptions:
    """How a run is done; but for ``precision`` and ``most``, and for the engine's name, no byte depends on it.

    Attributes
    ----------
    engine : {"auto", "fast", "des"}
        Which engine walks the patients.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default.
    chunk : int, optional
        Trials done at a time.
    precision : tuple of Precision
        Monte Carlo standard errors wanted; the trials are doubled until they are reached.
    most : int, optional
        Trials at which to give up on them.
    keep_chunks : bool
        Whether a long run keeps its finished chunks beside the results until these are whole.
    resume : bool
        Whether it begins from those that an interrupted run has kept.
    """

    engine: EngineName = "auto"
    executor: Executor | None = None
    chunk: int | None = None
    precision: tuple[Precision, ...] = ()
    most: int | None = None
    keep_chunks: bool = False
    resume: bool = False


def run_into(
    target: Path,
    scenario: Scenario,
    parameters: ParameterSource,
    options: RunOptions,
    *,
    own_policy: PolicyFile | None = None,
    patients: bool = False,
    force: bool = False,
    progress: Callable[[int], None] | None = None,
    remark: Callable[[str], None] = lambda _: None,
) -> tuple[Result, list[str]]:
    """Run a scenario and write its results folder.

    Parameters
    ----------
    target : Path
        The folder; it appears when it is whole.
    scenario, parameters
        What is run.
    options : RunOptions
        How.
    own_policy : PolicyFile, optional
        A policy of the user's own; its file is copied into the folder.
    patients : bool
        Also write every patient of every trial, to ``patients.parquet``; such a run keeps no chunks.
    force : bool
        Replace a folder that is there.
    progress : callable, optional
        Called with the number of trials finished since the last call.
    remark : callable, optional
        Called with a line for the user, which names arguments in braces (`blinasim.errors.naming`).

    Returns
    -------
    tuple of Result and list of str
        The result, and the names of the files written.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written; if what is to be resumed is of another run.
    InterruptedRunError
        After Ctrl-C or SIGTERM, if finished chunks are kept.
    WorkerError
        If those who do the work keep dying.
    """
    if patients and options.resume:
        raise OutputError("patients are not kept; such a run cannot go on", advice="leave out {patients} or {resume}")
    source = read_cohort(scenario.cohort)
    walker = choose(options.engine, scenario.capacity, own_policy=own_policy is not None)
    step = trials_at_a_time(options.chunk, usual_chunk(scenario.cohort.size, walker))
    checkpoint = None
    if options.keep_chunks and not patients:
        identity = identify(scenario, parameters, source, options.engine, step, own_policy)
        checkpoint = Checkpoint(checkpoint_folder(target), identity, resume=options.resume, force=force)
        _remark_on(checkpoint, remark, resume=options.resume)
    try:
        with whole_folder(target, force=force) as folder:
            writer = _PatientsWriter(folder / PATIENTS_FILE) if patients else None
            try:
                result = simulate(
                    scenario,
                    parameters=parameters,
                    engine=options.engine,
                    progress=progress,
                    keep=writer.write if writer else None,
                    source=source,
                    executor=options.executor,
                    chunk=options.chunk,
                    precision=options.precision,
                    most=options.most,
                    checkpoint=checkpoint,
                    own_policy=own_policy,
                )
            finally:
                if writer:
                    writer.close()
            contents = _contents(result, parameters, source, own_policy, patients=patients)
            files = write_contents(contents, folder)
    except (KeyboardInterrupt, BlinasimError) as problem:
        if checkpoint is None:
            raise
        if not checkpoint.kept:
            checkpoint.leave()
            raise
        whole = "" if options.precision else f" of {len(cut(range(scenario.study.replications), step)):,}"
        kept = f"{checkpoint.kept:,}{whole} chunks are kept"
        if isinstance(problem, BlinasimError):
            advice = "; ".join(filter(None, (problem.advice, f"{kept}: {{resume}} goes on from them")))
            raise type(problem)(problem.message, problem.place, advice) from None
        raise InterruptedRunError(f"stopped; {kept}") from None
    if checkpoint is not None:
        checkpoint.remove()
    return result, files


def checkpoint_folder(target: Path) -> Path:
    """Return where a run keeps its finished chunks until its results folder is whole."""
    return target.parent / f".{target.name}.checkpoint"


def _remark_on(checkpoint: Checkpoint, remark: Callable[[str], None], *, resume: bool) -> None:
    there = checkpoint.found() if checkpoint.resumable else 0
    chunks = f"{there:,} finished chunk{'s' * (there != 1)}"
    if resume:
        remark(f"goes on from {chunks}" if there else "there is nothing to resume; the run begins at the start")
    elif there:
        remark(f"{chunks} of this same run are kept; with {{resume}} it would go on from them")


def _contents(
    result: Result,
    parameters: ParameterSource,
    source: CohortSource | None,
    own_policy: PolicyFile | None,
    *,
    patients: bool,
) -> Contents:
    """Return everything but the patients."""
    scenario = result.scenario
    one = replay(scenario, parameters, EXPORTED_TRIAL, source=source, own_policy=own_policy)
    rows = rows_of(result)
    texts = {COHORT_FILE: source.text} if source else {}
    return Contents(
        Manifest(
            **simulated(parameters),
            engine=result.engine,
            patients=patients,
            policy=own_policy.name if own_policy else None,
            scenario=resolved(scenario, COHORT_FILE),
        ),
        "summary",
        summary_file(result, rows),
        {
            "endpoints": endpoint_frame(rows),
            "occupancy": exports.occupancy(result),
            "adsl": exports.adsl(one.batch),
            "adtte": exports.adtte(one.batch, scenario.trial),
            "events": exports.event_log(one.batch, one.log, one.stays),
        },
        _figures(result, rows, one),
        run_page(result, rows, own_policy),
        texts | ({POLICY_FILE: own_policy.text} if own_policy else {}),
        posterior_to_keep(parameters),
    )


def _figures(result: Result, rows: list[Row], one: Replay) -> dict[str, style.Drawing]:
    return {
        "survival": figures.survival(result),
        "cumulative_incidence": figures.cumulative_incidence(result),
        "patient_flow": figures.patient_flow(result),
        "published_against_simulated": figures.forest(rows),
        "state_occupancy": figures.occupancy(result),
        "swimmer": figures.swimmer(one.batch.seen, result.scenario, trial=EXPORTED_TRIAL, first_trial=EXPORTED_TRIAL),
    }


class _PatientsWriter:
    """Writes batches of patients to one Parquet file, a row group a batch; nothing is kept in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, batch: Batch) -> None:
        """Append a batch."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(exports.patients(batch), preserve_index=False)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
