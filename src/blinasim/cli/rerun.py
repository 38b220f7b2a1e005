"""``blinasim rerun``: repeat a run from its manifest and compare the bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.options import ClusterOption, PolicyOption, WorkersOption

if TYPE_CHECKING:
    from blinasim.model.policy_file import PolicyFile
    from blinasim.report.manifest import Manifest

_DIFFERENT = 1


def rerun(
    manifest: Annotated[Path, typer.Argument(help="A results folder, or its manifest.json.")],
    out: Annotated[Path | None, typer.Option(help="Keep the new results in this folder.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace that folder.")] = False,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    policy: PolicyOption = None,
) -> None:
    """Repeat a run and say whether every byte is the same; exit code 1 if not."""
    import tempfile

    from blinasim.cli.terminal import progress
    from blinasim.files import check_free
    from blinasim.report.folder import RunOptions, run_into
    from blinasim.report.manifest import hashes, read_manifest
    from blinasim.study.cluster import hired

    then = read_manifest(manifest)
    source = manifest if manifest.is_dir() else manifest.parent
    scenario = then.resolved_scenario(source)
    parameters = then.parameter_source(source)
    own_policy = _policy(then, source, policy)
    if out is not None:
        check_free(out, force=force)
    with tempfile.TemporaryDirectory(prefix="blinasim-") as scratch:
        target = out or Path(scratch) / "again"
        with (
            hired(workers, cluster) as executor,
            progress("again: trials", scenario.study.replications) as advance,
        ):
            run_into(
                target,
                scenario,
                parameters,
                RunOptions(engine=then.engine, executor=executor),
                own_policy=own_policy,
                patients=then.patients,
                force=force,
                progress=advance,
            )
        now = hashes(target)
    touched = _touched(then, source)
    gone = [name for name in touched if not (source / name).exists()]
    for what, names in (("Changed", [name for name in touched if name not in gone]), ("Missing", gone)):
        if names:
            typer.echo(f"{what} since the run, in {source}: {', '.join(names)}.")
    _report(then, now, touched=bool(touched))
    if touched:
        raise typer.Exit(_DIFFERENT)


def _policy(then: Manifest, folder: Path, said: str | None) -> PolicyFile | None:
    """Return the policy of one's own with which a run was done; its code is run only when it is named."""
    from hashlib import sha256

    from blinasim.errors import PolicyError
    from blinasim.model.policy_file import policy_file
    from blinasim.report.manifest import POLICY_FILE

    if then.policy is None:
        if said is not None:
            raise PolicyError(f"--policy {said}: that run had none; leave it out")
        return None
    if said is None:
        named = f"{folder / POLICY_FILE}:{then.policy}"
        raise PolicyError(f"that run had a policy of its own; to run its code, say so: --policy {named}")
    policy = policy_file(said)
    if then.policy != policy.name or then.files.get(POLICY_FILE) != sha256(policy.text.encode()).hexdigest():
        raise PolicyError(f"--policy {said} is not the policy of that run, which is {then.policy} of its {POLICY_FILE}")
    return policy


def _touched(then: Manifest, folder: Path) -> list[str]:
    """Return the files beside the manifest that are changed or gone since the run; a manifest may also stand alone."""
    from blinasim.report.manifest import hashes

    there = {name: digest for name, digest in hashes(folder).items() if name in then.files}
    return sorted(name for name in then.files if there.get(name) != then.files[name]) if there else []


def _report(then: Manifest, now: dict[str, str], *, touched: bool) -> None:
    from blinasim.report.manifest import versions

    different = sorted(name for name in {*then.files, *now} if then.files.get(name) != now.get(name))
    if not different:
        same = f"all {len(now)} files"
        typer.echo(
            f"Not confirmed: the run itself gives the same bytes again ({same}), but the folder no longer holds them."
            if touched
            else f"The same bytes: {same}."
        )
        return
    typer.echo(f"{len(different)} of {len(now)} files differ: {', '.join(different)}")
    changed = [
        f"{name} {then_version} then, {versions()[name]} now"
        for name, then_version in {**then.packages, "blinasim": then.blinasim, "python": then.python}.items()
        if versions().get(name) != then_version
    ]
    unchanged = "nothing in the versions: the files were changed, or a policy of its own draws numbers"
    typer.echo(f"What may explain it: {'; '.join(changed) or unchanged}.")
    raise typer.Exit(_DIFFERENT)
