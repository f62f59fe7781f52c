"""Before a single rollout: the contract against what the station shows now, and the policy asked about it."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from regrasp.data.contract import Contract
from regrasp.data.dataset import Dataset
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.observations import (
    ObservationBatch,
    ProbedPolicy,
    first_observations,
    sized,
    with_all_cameras,
)
from regrasp.diagnosis.preflight import LiveView
from regrasp.diagnosis.probe import Case, ProbeResult, load_probes, run_probe
from regrasp.diagnosis.ranking import Diagnosis, rank
from regrasp.diagnosis.reference import Reference
from regrasp.diagnosis.runner import run_checks
from regrasp.stats import Rate

if TYPE_CHECKING:
    from regrasp.data.checkpoint import Checkpoint


def judge_live(
    contract: Contract,
    train: Dataset,
    live: LiveView,
    policy: ProbedPolicy | None,
    address: Address,
    checkpoint: "Checkpoint | None" = None,
) -> Diagnosis:
    """What would make the policy fail on this station, as far as one look tells; nothing moves.

    A difference is called a cause when the policy cares and putting it right brings its inputs back to the training's:
    that it makes rollouts fail has not been seen, and symptoms there are none.
    """
    artefacts: dict[str, object] = {"contract": contract, "live": live}
    if checkpoint is not None:
        artefacts["checkpoint"] = checkpoint
    checked = run_checks(artefacts)
    found = {finding.check for finding in checked.findings}
    probes = () if policy is None else _probes(policy, contract, train, live, found)
    causes = rank(checked.findings, probes, failing=True, probed=policy is not None, address=address)
    named = {cause.name for cause in causes}
    return Diagnosis(
        causes=causes,
        symptoms=(),
        success=Rate(0, 0),
        ruled_out=tuple(name for name in checked.clean if name not in named),
        undecided=tuple(pair for pair in checked.undecided if pair[0] not in named),
        probed=policy is not None,
        address=address,
    )


def _probes(
    policy: ProbedPolicy, contract: Contract, train: Dataset, live: LiveView, found: Collection[str]
) -> tuple[ProbeResult, ...]:
    """Of causes that a check has found: one look is one draw, and one in a hundred sound ones lies outside."""
    healthy = first_observations(with_all_cameras(train, contract), contract)
    reference = Reference(policy, healthy, contract)
    case = Case.of(contract, healthy, observed(contract, live), None, reference)
    results = (run_probe(one, case, reference) for one in load_probes() if one.cause in found)
    return tuple(result for result in results if result is not None)


def observed(contract: Contract, live: LiveView) -> ObservationBatch:
    """What the station shows, as one observation: joints in the contract's order, pictures in the training's size."""
    order = [live.joint_names.index(name) for name in contract.joint_names if name in live.joint_names]
    joints = live.joints[order] if len(order) == len(contract.joints) else live.joints
    images = {
        camera.key: sized(live.images[camera.name], camera.height, camera.width)[None]
        for camera in contract.cameras
        if camera.name in live.images
    }
    return ObservationBatch(joints[None].astype(np.float64), images, [live.instruction])
