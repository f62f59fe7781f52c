"""From rollouts that failed to the cause: named when proven, suspected when not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deployments import (
    NumpyPolicy,
    contract,
    never_closing,
    rollouts,
    swapped_pictures,
    training,
)

from regrasp import faults
from regrasp.data.contract import write_contract
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.diagnose import diagnose, judge
from regrasp.diagnosis.ranking import Status
from regrasp.errors import DatasetError
from regrasp.faults.pictures import change_pictures

TRAIN = training()
KNOWN = contract(TRAIN)
ADDRESS = Address("runs/last", "twin", "again")


def diagnosed(deployed, policy=None, **changes):
    return judge(KNOWN, TRAIN, replace(deployed, **changes), policy or NumpyPolicy(), ADDRESS)


def swapped(deployed):
    return replace(deployed, dataset=swapped_pictures(deployed.dataset))


@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("successes", [12, 10])
def test_healthy_rollouts_have_no_cause(seed, successes):
    found = diagnosed(rollouts(12, seed, successes))
    assert found.verdict is None
    assert found.causes == ()
    assert found.symptoms == ()


FAULTS = {
    "instruction-mismatch": (faults.instruction_mismatch, "--task 'Grab the brain'"),
    "swapped-cameras": (swapped, "--cameras front=wrist,wrist=front"),
    "start-pose-shift": (faults.start_pose_shift, "--starts home"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_single_cause_is_named_with_its_command(name, seed):
    fault, option = FAULTS[name]
    found = diagnosed(fault(rollouts(12, seed, successes=1)))
    assert found.verdict == name
    assert [cause.name for cause in found.causes] == [name]
    assert found.causes[0].findings
    assert found.remedy == f"regrasp rollout runs/last --station twin {option} --out again"
    assert found.headline == f"Verdict: {name}."


@pytest.mark.parametrize("name", FAULTS)
def test_a_policy_that_does_not_care_has_a_mismatch_and_no_cause(name):
    blind_to = {
        "instruction-mismatch": {"instruction"},
        "swapped-cameras": {"front", "wrist"},
        "start-pose-shift": {"state"},
    }[name]
    found = diagnosed(FAULTS[name][0](rollouts(successes=0)), NumpyPolicy(blind_to=frozenset(blind_to)))
    assert found.verdict is None
    (cause,) = found.causes
    assert (cause.name, cause.status) == (name, Status.NO_EFFECT)
    assert cause.reason.startswith("The policy does not care")


def test_without_a_policy_causes_are_only_suspected():
    found = judge(KNOWN, TRAIN, faults.instruction_mismatch(rollouts(successes=0)), None, ADDRESS)
    assert found.verdict is None
    assert found.causes[0].status is Status.SUSPECTED
    assert found.headline == "No verdict. Suspected: instruction-mismatch."
    assert not found.probed


def test_a_mismatch_without_a_failure_is_no_cause():
    found = diagnosed(faults.instruction_mismatch(rollouts(successes=12)))
    assert found.verdict is None
    assert found.causes[0].status is Status.NO_HARM
    assert found.headline == "No verdict: nothing failed."


def test_a_policy_without_an_embedding_of_words_is_judged_by_its_plans():
    found = diagnosed(faults.instruction_mismatch(rollouts(successes=0)), NumpyPolicy(embeds_words=False))
    assert found.verdict == "instruction-mismatch"


def test_two_causes_are_both_named_and_put_right_by_one_command():
    found = diagnosed(swapped(faults.instruction_mismatch(rollouts(successes=0))))
    assert {cause.name for cause in found.causes if cause.status is Status.CAUSE} == {
        "instruction-mismatch",
        "swapped-cameras",
    }
    assert found.remedy == (
        "regrasp rollout runs/last --station twin --task 'Grab the brain' "
        "--cameras front=wrist,wrist=front --out again"
    )


def test_another_scene_is_seen_but_blamed_on_nothing_that_was_not_proven():
    deployed = rollouts(successes=0)
    numbers = range(len(deployed.episodes))
    scene = np.kron(np.random.default_rng(9).uniform(40, 200, size=(6, 8, 3)), np.ones((4, 4, 1)))
    elsewhere = change_pictures(deployed.dataset, "front", lambda _, __: scene.astype(np.uint8), numbers)
    found = diagnosed(replace(deployed, dataset=elsewhere))
    assert found.verdict is None
    assert {symptom.name for symptom in found.symptoms} == {"unfamiliar-input", "unfamiliar-pictures"}
    assert "moved-camera" in found.headline


def test_a_shift_in_two_rollouts_is_probed_on_those_two():
    deployed = rollouts(12, successes=10)
    moved = faults.start_pose_shift(deployed).dataset.episodes
    mixed = replace(deployed.dataset, episodes=(*deployed.dataset.episodes[:10], *moved[10:]))
    found = diagnosed(replace(deployed, dataset=mixed))
    assert found.verdict == "start-pose-shift"
    assert found.causes[0].probe is not None
    assert found.causes[0].probe.episodes == 2


def test_a_gripper_that_never_closes_is_a_symptom_with_its_numbers():
    deployed = rollouts(successes=0)
    found = diagnosed(replace(deployed, dataset=never_closing(deployed.dataset)))
    symptom, behind = found.symptoms
    assert (symptom.name, behind.name) == ("gripper-seldom-closes", "poor-tracking")
    assert behind.summary.startswith("gripper stays ")
    trained = {item.name: item.value for item in symptom.evidence}["closed, trained"]
    assert trained == pytest.approx(100 * KNOWN.gripper_closed_share)
    assert found.verdict is None


def test_a_gripper_that_never_opens_is_a_symptom_too():
    deployed = rollouts(successes=0)
    shut = deployed.dataset.map_episodes(lambda e: replace(e, states=e.states * [1, 1, 1, 1, 1, 0]))
    symptom, *others = diagnosed(replace(deployed, dataset=shut)).symptoms
    assert symptom.name == "gripper-seldom-opens"
    assert [one.name for one in others] == ["path-not-covered", "poor-tracking"]
    trained = {item.name: item.value for item in symptom.evidence}["open, trained"]
    assert trained == pytest.approx(100 * (1 - KNOWN.gripper_closed_share))


def test_the_policy_is_asked_about_first_frames_alone():
    seen = []

    class Watched(NumpyPolicy):
        def chunks(self, batch):
            seen.append(batch)
            return super().chunks(batch)

    deployed = rollouts(5, successes=0)
    diagnosed(deployed, Watched())
    starts = {tuple(e.states[0]) for e in (*TRAIN.episodes, *deployed.episodes)}
    assert {tuple(state) for batch in seen for state in batch.states} <= starts


def test_json_is_as_laid_down():
    told = json.loads(json.dumps(diagnosed(swapped(rollouts(12, successes=3))).to_json()))
    assert told["verdict"] == "swapped-cameras"
    assert told["success"]["k"] == 3
    assert told["success"]["n"] == 12
    (cause,) = told["causes"]
    assert {"cause", "score", "probe", "findings", "fix"} <= set(cause)
    assert cause["probe"]["plan_moved"] > 0.25
    assert all(one["after"] < one["limit"] < one["before"] for one in cause["probe"]["inputs"])
    assert 0 <= cause["score"] <= 1


def test_the_same_answer_every_time():
    deployed = swapped(rollouts(successes=2))
    assert diagnosed(deployed).to_json() == diagnosed(deployed).to_json()


def test_reads_the_checkpoint_and_takes_its_contract(tmp_path):
    (tmp_path / "config.json").write_text('{"type": "keypoint"}')
    told = faults.instruction_mismatch(rollouts(successes=0), told="Fold the towel")
    write_contract(tmp_path, KNOWN.model_copy(update={"instructions": {"Fold the towel": 10}}))
    found = diagnose(tmp_path, train=TRAIN, rollouts=told)
    assert "instruction-mismatch" not in {cause.name for cause in found.causes}
    write_contract(tmp_path, KNOWN)
    found = diagnose(tmp_path, train=TRAIN, rollouts=told)
    assert "instruction-mismatch" in {cause.name for cause in found.causes}


def test_rollouts_of_another_robot_are_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"type": "keypoint"}')
    write_contract(tmp_path, KNOWN)
    names = tuple(f"joint_{number}" for number in range(6))
    with pytest.raises(DatasetError) as error:
        diagnose(tmp_path, train=TRAIN, rollouts=rollouts(joint_names=names))
    assert str(error.value).startswith("Found joints joint_0, joint_1")
    assert str(error.value).endswith("try rollouts of the same robot.")


def test_empty_rollouts_are_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"type": "keypoint"}')
    write_contract(tmp_path, KNOWN)
    with pytest.raises(DatasetError) as error:
        diagnose(tmp_path, train=TRAIN, rollouts=rollouts(0))
    assert str(error.value) == "Found no episode in training; expected rollouts; try `regrasp rollout` first."


def test_unscored_rollouts_are_taken_for_failing():
    deployed = faults.instruction_mismatch(rollouts())
    unscored = tuple(replace(outcome, success=None) for outcome in deployed.outcomes)
    found = diagnosed(replace(deployed, outcomes=unscored))
    assert found.verdict == "instruction-mismatch"
    assert np.isnan(found.success.value)
    assert "0/0 (no trials)" in str(found)
