"""From a checkpoint, its training data and rollouts that failed, to the cause."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regrasp.data.checkpoint import Checkpoint, read_checkpoint
from regrasp.data.contract import Contract
from regrasp.data.contract_measuring import measure_contract
from regrasp.data.dataset import Dataset, read_dataset
from regrasp.data.rollouts import Rollouts, read_rollouts
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.experiment import Setting, run_experiments
from regrasp.diagnosis.finding import Evidence, Finding
from regrasp.diagnosis.live_diagnosis import judge_live
from regrasp.diagnosis.observations import (
    ObservationBatch,
    ProbedPolicy,
    first_observations,
    sampled_episodes,
    with_all_cameras,
)
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.probe import Case, ProbeResult, load_probes, run_all
from regrasp.diagnosis.ranking import Cause, Diagnosis, Symptom, rank
from regrasp.diagnosis.reference import InputDistance, Reference
from regrasp.diagnosis.runner import check_names, run_checks
from regrasp.diagnosis.symptoms import symptoms
from regrasp.diagnosis.trained import Loader, Training, read_training
from regrasp.errors import DatasetError, UsageError
from regrasp.stats import Rate


def diagnose(
    checkpoint_path: str | Path | None = None,
    *,
    train: Dataset | str | Path,
    rollouts: Rollouts | str | Path | None = None,
    live: LiveView | None = None,
    policy: ProbedPolicy | None = None,
    load: Loader | None = None,
    station: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Diagnosis:
    """What differs between training and deployment, or went wrong in training, and which of it is the cause.

    Without a `policy` that can be asked, causes are only suspected, and without `load`, which loads other checkpoints
    of its run, most of those that lie in training. The saved contract is used where there is one, else it is measured
    from `train`. Without `rollouts`, what a station shows now (`live`) is judged; without a checkpoint, the two datasets
    are compared. `options` are those of `regrasp rollout` that the live station was looked at with, by name without
    dashes; rollouts know their own. Printed commands repeat them.

    Raises:
        UsageError: Neither rollouts nor a live view are given, or a live view without a checkpoint.
        DatasetError: The rollouts are empty or of another robot.
    """
    checkpoint = None if checkpoint_path is None else read_checkpoint(checkpoint_path)
    data = train if isinstance(train, Dataset) else read_dataset(train)
    if rollouts is None:
        address = Address(
            str(checkpoint_path), station or "STATION", options=dict(options or {}), train=str(data.path)
        )
        return _diagnose_live(checkpoint, data, live, policy, address)
    deployed = rollouts if isinstance(rollouts, Rollouts) else read_rollouts(rollouts)
    contract = (
        contract_of_data(data)
        if checkpoint is None
        else checkpoint.contract or measure_contract(data, checkpoint)
    )
    _require_same_robot(contract, deployed)
    _require_training(contract, data)
    deployment = deployed.deployment
    address = Address(
        str(checkpoint_path or "CHECKPOINT"),
        station or deployment.station or "STATION",
        f"{deployed.dataset.path}_again",
        deployment.options,
        str(data.path),
        tuple(name for name in deployment.overrides if name in check_names()),
    )
    training = None if checkpoint is None else read_training(checkpoint, contract, data, policy, load)
    return judge(contract, data, deployed, policy, address, training)


def _diagnose_live(
    checkpoint: Checkpoint | None,
    train: Dataset,
    live: LiveView | None,
    policy: ProbedPolicy | None,
    address: Address,
) -> Diagnosis:
    if live is None or checkpoint is None:
        raise UsageError(
            "There is nothing to compare the training with; expected rollouts, or a checkpoint and a live view of a "
            "station. Try `--rollouts R`, or `CHECKPOINT --station S`."
        )
    contract = checkpoint.contract or measure_contract(train, checkpoint)
    _require_training(contract, train)
    return judge_live(contract, train, live, policy, address, checkpoint)


def contract_of_data(data: Dataset) -> Contract:
    """What a policy would be trained to expect on this dataset, whichever policy that is."""
    cameras = data.episodes[0].cameras.values() if data.episodes else ()
    features = {
        camera.key: {"type": "VISUAL", "shape": [3, camera.height, camera.width]} for camera in cameras
    }
    return measure_contract(data, Checkpoint(data.path, "", {"input_features": features}, hashes={}))


def judge(
    contract: Contract,
    train: Dataset,
    rollouts: Rollouts,
    policy: ProbedPolicy | None,
    address: Address,
    training: Training | None = None,
) -> Diagnosis:
    """The diagnosis of artefacts that have been read; without `training`, of the deployment alone."""
    artefacts: dict[str, object] = {"contract": contract, "rollouts": rollouts, "train": train}
    if training is not None:
        artefacts |= {"checkpoint": training.checkpoint, "training": training}
    checked = run_checks(artefacts)
    probed = None if policy is None else run_probes(policy, contract, train, rollouts, checked.findings)
    tried = (
        ()
        if training is None
        else run_experiments(
            Setting(
                training,
                rollouts,
                checked.findings,
                probed.reference if probed else None,
                probed.observed if probed else None,
            )
        )
    )
    success = Rate.of(rollouts.successes)
    causes = rank(
        checked.findings,
        (*(probed.results if probed else ()), *tried),
        failing=success.n == 0 or success.k < success.n,
        probed=policy is not None,
        address=address,
        successes={outcome.episode: outcome.success for outcome in rollouts.outcomes},
    )
    named = {cause.name for cause in causes}
    return Diagnosis(
        causes=causes,
        symptoms=(*symptoms(contract, train, rollouts), *_unexplained(probed, causes)),
        success=success,
        ruled_out=tuple(name for name in checked.clean if name not in named),
        undecided=tuple(pair for pair in checked.undecided if pair[0] not in named),
        probed=policy is not None,
        address=address,
    )


@dataclass(frozen=True)
class Probed:
    """What the probes said, how far each input lies from the training with nothing changed, and by what it was asked."""

    results: tuple[ProbeResult, ...]
    inputs: tuple[InputDistance, ...]
    reference: Reference
    observed: ObservationBatch


def run_probes(
    policy: ProbedPolicy,
    contract: Contract,
    train: Dataset,
    rollouts: Rollouts,
    findings: Iterable[Finding] = (),
) -> Probed:
    """Every probe on the first observations of the rollouts, on those episodes that the findings name."""
    healthy = first_observations(with_all_cameras(train, contract), contract)
    reference = Reference(policy, healthy, contract)
    seen = first_observations(rollouts.dataset, contract)
    case = Case.of(contract, healthy, seen, rollouts, reference, train)
    affected = _affected(rollouts.dataset, findings)
    made = run_all(load_probes(), case, reference, affected)
    return Probed(made, reference.inputs(case.observed), reference, case.observed)


def _unexplained(probed: Probed | None, causes: Iterable[Cause]) -> Iterator[Symptom]:
    """Inputs that lie far from the training and that no cause touches, whatever its standing."""
    probes = [cause.probe for cause in causes if cause.probe is not None]
    explained = {distance.name for probe in probes for distance in probe.distances}
    for one in probed.inputs if probed else ():
        if one.disturbed and one.name not in explained:
            yield Symptom(
                name="unfamiliar-input",
                summary=f"What reaches the policy as '{one.name}' lies {one.before:.3g} from the training; "
                f"training starts lie within {one.limit:.3g}.",
                evidence=(Evidence(f"distance of {one.name}", round(one.before, 3), round(one.limit, 3)),),
            )


def _affected(rollouts: Dataset, findings: Iterable[Finding]) -> Mapping[str, Sequence[int]]:
    """Check -> places, in the sampled episodes, of those that its findings name; all where they name none."""
    named: dict[str, set[int]] = {}
    for finding in findings:
        named.setdefault(finding.check, set()).update(finding.where.episodes)
    sampled = [episode.index for episode in sampled_episodes(rollouts)]
    return {
        check: [place for place, index in enumerate(sampled) if index in episodes]
        for check, episodes in named.items()
    }


def _require_training(contract: Contract, train: Dataset) -> None:
    """Refuse data that the policy cannot have been trained on."""
    if not train.episodes:
        raise DatasetError(
            f"Found no episode in {train.path}; expected the data that the policy was trained on."
        )
    if train.joint_names != contract.joint_names:
        raise DatasetError(
            f"Found joints {', '.join(train.joint_names)} in {train.path}; expected those that the policy was trained "
            f"on, {', '.join(contract.joint_names)}. Name its training data with --train."
        )
    lost = [one.name for one in contract.cameras if not any(one.name in e.cameras for e in train.episodes)]
    if lost:
        raise DatasetError(
            f"Found no pictures of camera '{lost[0]}' in {train.path}, which the policy was trained with; expected its "
            "training data. Name them with --train, or copy the videos again."
        )


def _require_same_robot(contract: Contract, rollouts: Rollouts) -> None:
    """Refuse rollouts of another robot, and empty ones."""
    where = rollouts.dataset.path
    if not rollouts.episodes:
        raise DatasetError(f"Found no episode in {where}; expected rollouts; try `regrasp rollout` first.")
    if rollouts.dataset.joint_names != contract.joint_names:
        raise DatasetError(
            f"Found joints {', '.join(rollouts.dataset.joint_names)} in {where}; expected those of the "
            "training, "
            f"{', '.join(contract.joint_names)}; try rollouts of the same robot."
        )
