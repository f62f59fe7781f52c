"""Interventions: each puts one thing right and leaves the rest as it was."""

from dataclasses import replace

import numpy as np
import pytest
from deployments import TASK, NumpyPolicy, contract, rollouts, swapped_pictures, training

from regrasp import faults
from regrasp.data.alignment import Alignment, align
from regrasp.diagnosis.observations import ObservationBatch, first_observations
from regrasp.diagnosis.probe import Case, Measurement, Probe, load_probes, run_probe
from regrasp.diagnosis.reference import InputDistance, Reference
from regrasp.diagnosis.runner import check_names
from regrasp.errors import CheckpointError
from regrasp.faults.loop_times import with_ticks
from regrasp.probes.blank_camera import blank_camera
from regrasp.probes.camera_flip import camera_flip
from regrasp.probes.camera_permutation import camera_permutation, resized
from regrasp.probes.camera_view import moved_as
from regrasp.probes.colour_order import colour_order
from regrasp.probes.gripper_sense import gripper_sense
from regrasp.probes.hand_over import hand_over
from regrasp.probes.instruction import instruction
from regrasp.probes.joint_units import joint_units
from regrasp.probes.light import light
from regrasp.probes.loop_rate import between, loop_rate
from regrasp.probes.lost_camera import lost_camera
from regrasp.probes.query_time import query_time
from regrasp.probes.start_pose import nearest_starts, start_pose
from regrasp.stats.resampling import interval_of_median

TRAIN = training()
KNOWN = contract(TRAIN)


def case(deployed=None, known=KNOWN):
    data = (deployed or rollouts(8)).dataset
    return Case.of(known, first_observations(TRAIN, known), first_observations(data, known))


def same(one: ObservationBatch, other: ObservationBatch, *, but: str):
    parts = {
        "states": np.array_equal(one.states, other.states),
        "images": all(np.array_equal(one.images[key], other.images[key]) for key in one.images),
        "tasks": one.tasks == other.tasks,
    }
    return all(equal for part, equal in parts.items() if part != but)


def test_every_probe_speaks_for_a_check():
    assert {probe.cause for probe in load_probes()} <= set(check_names())
    assert {probe.name for probe in load_probes()} >= {"instruction", "camera-permutation", "start-pose"}


def test_the_instruction_is_put_right_and_nothing_else():
    given = case(faults.instruction_mismatch(rollouts(8)))
    (form,) = instruction(given)
    assert form.batch.tasks == [TASK] * 8
    assert same(form.batch, given.observed, but="tasks")


def test_every_training_instruction_is_tried():
    two = KNOWN.model_copy(update={"instructions": {TASK: 900, "Fold the towel": 300}})
    assert [form.batch.tasks[0] for form in instruction(case(known=two))] == [TASK, "Fold the towel"]


def test_cameras_are_exchanged_and_nothing_else():
    given = case()
    (form,) = camera_permutation(given)
    front, wrist = (f"observation.images.{name}" for name in ("front", "wrist"))
    assert np.array_equal(form.batch.images[front], given.observed.images[wrist])
    assert np.array_equal(form.batch.images[wrist], given.observed.images[front])
    assert same(form.batch, given.observed, but="images")


def test_three_cameras_have_five_exchanges_and_one_has_none():
    given = case()
    front = given.observed.images["observation.images.front"]
    three = replace(given.observed, images={f"observation.images.{name}": front for name in "abc"})
    assert len(list(camera_permutation(replace(given, observed=three)))) == 5
    lone = replace(given.observed, images={"observation.images.front": front})
    assert not list(camera_permutation(replace(given, observed=lone)))


def test_pictures_of_another_size_are_fitted():
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(1, 4, 6, 3)
    assert np.array_equal(resized(resized(picture, (8, 12)), (4, 6)), picture)


def test_the_state_becomes_the_nearest_training_start():
    given = case(faults.start_pose_shift(rollouts(8)))
    (form,) = start_pose(given)
    starts = {tuple(state) for state in given.train.states}
    assert all(tuple(state) in starts for state in form.batch.states)
    assert same(form.batch, given.observed, but="states")


def test_a_training_start_is_its_own_nearest():
    starts = case().train.states
    assert np.array_equal(nearest_starts(starts, starts), starts)


def test_healthy_starts_lie_within_the_healthy_level():
    reference = Reference(NumpyPolicy(), case().train, KNOWN)
    for seed in range(5):
        observed = first_observations(rollouts(20, seed + 50).dataset, KNOWN)
        assert not [one.name for one in reference.inputs(observed) if one.disturbed]


def test_only_the_input_that_was_disturbed_lies_outside():
    reference = Reference(NumpyPolicy(), case().train, KNOWN)
    for fault, names in (
        (faults.instruction_mismatch, {"instruction"}),
        (faults.start_pose_shift, {"state", "front", "wrist"}),  # the cameras see where the arm stands
        (lambda r: replace(r, dataset=swapped_pictures(r.dataset)), {"front", "wrist"}),
    ):
        observed = first_observations(fault(rollouts(8)).dataset, KNOWN)
        assert {one.name for one in reference.inputs(observed) if one.disturbed} == names


def test_an_exchange_stands_out_tenfold():
    reference = Reference(NumpyPolicy(), case().train, KNOWN)
    swapped = first_observations(swapped_pictures(rollouts(8).dataset), KNOWN)
    for one in reference.inputs(swapped):
        if one.name in ("front", "wrist"):
            assert one.before > 10 * one.healthy


def test_a_camera_without_features_is_judged_by_its_picture():
    class Featureless(NumpyPolicy):
        def features(self, batch):
            return {}

        def chunks(self, batch):
            return np.zeros((len(batch), 8, 6))

    reference = Reference(Featureless(), case().train, KNOWN)
    swapped = first_observations(swapped_pictures(rollouts(8).dataset), KNOWN)
    assert {one.name for one in reference.inputs(swapped) if one.disturbed} == {"front", "wrist"}


@pytest.mark.parametrize(("name", "rows"), [("front", 8), ("wrist", 8)])
def test_first_observations_are_the_first_pictures(name, rows):
    deployed = rollouts(8).dataset
    pictures = first_observations(deployed, KNOWN).images[f"observation.images.{name}"]
    assert len(pictures) == rows
    assert np.array_equal(pictures[3], deployed.episodes[3].cameras[name].frames([0])[0])


def test_of_many_starts_a_hundred_are_taken_evenly():
    many = replace(TRAIN, episodes=TRAIN.episodes * 4)
    assert len(first_observations(many, KNOWN)) == 100


def test_a_probe_with_nothing_to_try_has_no_result():
    given = case()
    reference = Reference(NumpyPolicy(), given.train, KNOWN)
    assert run_probe(Probe("none", "none", lambda _: iter(())), given, reference) is None


def test_a_probe_that_measures_for_itself_is_given_the_affected_rollouts_and_its_numbers_stand():
    deployed = rollouts(8)
    reference = Reference(NumpyPolicy(), case().train, KNOWN)
    observed = first_observations(deployed.dataset, KNOWN)
    given = Case.of(KNOWN, case().train, observed, deployed, reference)
    asked = []

    def pace(part):
        asked.extend(episode.index for episode in part.rollouts.episodes)
        slow = InputDistance("pace", 0.5, 0.1, 0.1, 0.2, (0.4, 0.6))
        yield Measurement("run faster", (slow,), np.array([1.0, 3.0, 2.0]), "it moves {:.0f} mm", "regrasp")

    result = run_probe(Probe("pace", "rate-mismatch", pace), given, reference, {"rate-mismatch": [1, 5, 6]})
    assert asked == [1, 5, 6]
    assert (result.moved, result.relief, result.episodes) == (2.0, 1.0, 3)
    assert result.moving.format(result.moved) == "it moves 2 mm"


def test_the_interval_of_a_median_holds_it_and_narrows_with_episodes():
    values = np.random.default_rng(0).normal(size=200)
    few, many = interval_of_median(values[:10]), interval_of_median(values)
    assert many[0] <= np.median(values) <= many[1]
    assert many[1] - many[0] < few[1] - few[0]


@pytest.mark.parametrize("turn", ["left-right", "upside-down", "half-turn"])
def test_flipped_pictures_are_turned_back_and_nothing_else(turn):
    given = case(faults.flipped_camera(rollouts(8), camera="wrist", turn=turn))
    (form,) = camera_flip(given)
    assert form.inputs == ("wrist",)
    assert same(form.batch, case().observed, but="")


def test_two_flipped_cameras_are_turned_back_together():
    (form,) = camera_flip(
        case(faults.flipped_camera(faults.flipped_camera(rollouts(8)), camera="wrist", turn="left-right"))
    )
    assert form.inputs == ("front", "wrist")
    assert same(form.batch, case().observed, but="")


@pytest.mark.parametrize("unit", ["rad", "counts", "-100..100"])
def test_one_of_the_units_puts_the_state_right_and_nothing_else_changes(unit):
    given, sound = case(faults.unit_mismatch(rollouts(8), unit=unit)), case().observed
    forms = list(joint_units(given))
    assert all(same(form.batch, given.observed, but="states") for form in forms)
    (right,) = [form for form in forms if np.allclose(form.batch.states, sound.states)]
    assert right.name == f"joints converted from {unit} to deg"


def test_a_training_in_another_unit_is_converted_to():
    radian = [joint.model_copy(update={"unit": "rad"}) for joint in KNOWN.joints[:5]]
    known = KNOWN.model_copy(update={"joints": [*radian, KNOWN.joints[5]]})
    trained = first_observations(faults.unit_mismatch(rollouts(40, 0), unit="rad").dataset, KNOWN)
    forms = {form.name: form.batch for form in joint_units(replace(case(known=known), train=trained))}
    expected = faults.unit_mismatch(rollouts(8), unit="rad")
    converted = forms["joints converted from deg to rad"].states
    assert np.allclose(converted, case(expected).observed.states)


def test_joints_of_an_unknown_unit_are_left():
    unknown = [joint.model_copy(update={"unit": "unknown"}) for joint in KNOWN.joints]
    assert not list(joint_units(case(known=KNOWN.model_copy(update={"joints": unknown}))))


def test_exchanged_colours_are_exchanged_back_and_nothing_else():
    (form,) = colour_order(case(faults.exchanged_colours(rollouts(8), camera="wrist")))
    assert form.inputs == ("wrist",)
    assert same(form.batch, case().observed, but="")


def test_an_inverted_gripper_is_inverted_back_and_nothing_else():
    given = case(faults.inverted_gripper(rollouts(8)))
    (form,) = gripper_sense(given)
    assert np.allclose(form.batch.states, case().observed.states)
    assert same(form.batch, given.observed, but="states")


@pytest.mark.parametrize(
    "untried", [colour_order, gripper_sense, camera_flip, joint_units, light, blank_camera, lost_camera]
)
def test_what_looks_sound_is_not_tried(untried):
    for sound in (
        rollouts(8),
        faults.start_pose_shift(rollouts(8)),
        faults.instruction_mismatch(rollouts(8)),
    ):
        assert not list(untried(case(sound)))


def test_light_is_matched_to_the_training_and_nothing_else():
    given = case(faults.changed_light(rollouts(8), cameras=["wrist"], brightness=0.6, warmth=1.3))
    sound = case().observed.images
    for form in light(given):
        assert form.inputs == ("wrist",)
        if form.without is None:
            assert same(form.batch, given.observed, but="images")
            for key, pictures in form.batch.images.items():
                assert np.abs(pictures.mean(axis=(1, 2)) - sound[key].mean(axis=(1, 2))).max() < 3
                assert np.abs(pictures.astype(float) - sound[key]).mean() < 3


def test_a_light_that_no_training_start_had_is_tried_though_it_is_little():
    dimmed = case(faults.changed_light(rollouts(8), cameras=["wrist"], brightness=0.9))
    forms = list(light(dimmed))
    assert {form.inputs for form in forms} == {("wrist",)}
    assert all("wrist (brightness times 0.9" in form.name for form in forms)
    two_lamps = faults.changed_light(TRAIN, cameras=["wrist"], brightness=0.85)
    assert not list(light(replace(dimmed, train=first_observations(two_lamps, KNOWN))))


def test_cameras_whose_light_changed_clearly_are_tried_alone_and_with_those_where_it_hardly_did():
    dimmed = faults.changed_light(rollouts(8), cameras=["wrist"], brightness=0.9)
    forms = light(case(faults.changed_light(dimmed, cameras=["front"], brightness=0.5)))
    assert list(dict.fromkeys(form.inputs for form in forms)) == [("front",), ("front", "wrist")]


def test_training_starts_are_lit_as_the_rollouts_were_even_where_light_was_too_much_for_the_camera():
    given = case(faults.changed_light(rollouts(8), cameras=["wrist"], brightness=2.4))
    (form,) = [form for form in light(given) if form.without is not None]
    assert form.batch is given.train
    assert same(form.without, given.train, but="images")
    lit, seen = (batch.images["observation.images.wrist"] for batch in (form.without, given.observed))
    assert (seen == 255).mean() > 0.1
    assert np.abs(np.quantile(lit, [0.1, 0.5, 0.9]) - np.quantile(seen, [0.1, 0.5, 0.9])).max() < 4


@pytest.mark.parametrize(
    ("probe", "fault", "level"),
    [(blank_camera, faults.dark_camera, 2), (lost_camera, faults.missing_camera, 0)],
)
def test_a_camera_without_a_picture_is_blanked_in_training_starts_and_nothing_else(probe, fault, level):
    given = case(fault(rollouts(8), camera="wrist"))
    (form,) = probe(given)
    assert form.inputs == ("wrist",)
    assert form.batch is given.train
    assert same(form.without, given.train, but="images")
    front, wrist = (form.without.images[f"observation.images.{name}"] for name in ("front", "wrist"))
    assert np.array_equal(front, given.train.images["observation.images.front"])
    assert np.ptp(wrist, axis=0).max() == 0
    assert abs(wrist.mean() - level) < 0.5


def test_a_camera_that_rollouts_lack_is_black_in_what_was_observed():
    given = case(faults.missing_camera(rollouts(8), camera="front"))
    assert given.lacking == {"observation.images.front"}
    assert not given.observed.images["observation.images.front"].any()


@pytest.mark.parametrize(
    ("right", "down", "turn_deg", "zoom"), [(0.08, -0.04, 0, 1), (0, 0, 9, 1), (0.03, 0, -6, 1.1)]
)
def test_a_picture_is_moved_as_it_was_found_to_lie(right, down, turn_deg, zoom):
    rng = np.random.default_rng(4)
    smooth = np.kron(rng.uniform(40, 210, size=(6, 8)), np.ones((8, 8)))
    picture = np.repeat(smooth[None, :, :, None], 3, axis=-1).astype(np.uint8)
    moved = moved_as(picture, Alignment(right, down, turn_deg, zoom))
    everywhere = np.ones((48, 64))
    found = align(smooth, moved[0, ..., 0].astype(float), everywhere, everywhere)
    assert found.coordinates() == pytest.approx(
        Alignment(right, down, turn_deg, zoom).coordinates(), abs=0.006
    )


def run_case(deployed, policy=None):
    """With the rollouts themselves, and a policy to ask."""
    train = first_observations(TRAIN, KNOWN)
    reference = Reference(policy or NumpyPolicy(), train, KNOWN)
    return Case.of(KNOWN, train, first_observations(deployed.dataset, KNOWN), deployed, reference)


class Walker(NumpyPolicy):
    """Plans one degree a frame for each joint, wherever it stands."""

    def chunks(self, batch):
        return batch.states[:, None] + np.arange(8)[:, None] * np.ones(6)


@pytest.mark.parametrize(("times", "off"), [(0.5, 50), (2.0, 100), (0.8, 20)])
def test_at_another_rate_the_arm_keeps_another_pace_and_is_elsewhere(times, off):
    (form,) = loop_rate(run_case(faults.rate_mismatch(rollouts(8), times=times), Walker()))
    (pace,) = form.distances
    assert (pace.before, pace.after) == (pytest.approx(off), pytest.approx(0, abs=1e-6))
    assert (form.moved > 0).all()


def test_a_loop_that_was_slow_by_the_clock_is_put_right_alike():
    on_file = faults.rate_mismatch(rollouts(8), times=0.5)
    by_clock = faults.rate_mismatch(rollouts(8), times=0.5, by_the_clock=True)
    (one,), (other,) = (list(loop_rate(run_case(given, Walker()))) for given in (on_file, by_clock))
    np.testing.assert_allclose(one.moved, other.moved)


@pytest.mark.parametrize("function", [loop_rate, query_time, hand_over])
@pytest.mark.parametrize("ticks", [True, False])
def test_a_loop_in_order_has_nothing_to_put_right(function, ticks):
    sound = with_ticks(rollouts(8), 30) if ticks else rollouts(8)
    assert not list(function(run_case(sound)))
    assert not list(function(case()))


def test_frames_between_two_lie_between_them():
    plans = np.arange(8.0)[None, :, None] ** 2
    np.testing.assert_allclose(between(plans, np.array([0.0, 2.5, 7.0, 9.0]))[0, :, 0], [0, 6.5, 49, 49])


def test_an_arm_that_waits_is_behind_by_the_time_of_a_query():
    deployed = faults.late_inference(rollouts(8), inference_s=0.3, n_action_steps=5)
    (form,) = query_time(run_case(deployed, Walker()))
    spread = Reference(Walker(), first_observations(TRAIN, KNOWN), KNOWN).plan_spread
    behind = np.minimum(np.arange(8), 2)[:, None] / spread
    np.testing.assert_allclose(form.moved, np.sqrt(np.mean(behind**2)), rtol=1e-6)
    assert form.distances[0].before == pytest.approx(100 * (1 - 28 / (28 + 5 * 2)), abs=0.1)


@pytest.mark.parametrize("ticks", [True, False])
def test_chunks_handed_over_step_at_seams_as_demonstrations_do(ticks):
    sound = with_ticks(rollouts(8), 5) if ticks else rollouts(8)
    (form,) = hand_over(run_case(faults.replanning_jumps(sound, joint=2, jump_deg=40.0)))
    (jump,) = form.distances
    assert jump.before > 6
    assert jump.after < 3.0
    assert form.command.endswith("--handover")


def test_what_was_handed_over_is_not_handed_over_again():
    jumping = faults.replanning_jumps(with_ticks(rollouts(8), 5), joint=2, jump_deg=40.0)
    on = replace(jumping, deployment=replace(jumping.deployment, control={"handover": "on"}))
    assert not list(hand_over(run_case(on)))


def test_a_policy_that_answers_with_nan_is_refused_in_a_sentence():
    class Diverged(NumpyPolicy):
        def features(self, batch):
            return {name: values * np.nan for name, values in super().features(batch).items()}

    starts = first_observations(TRAIN, contract(TRAIN))
    with pytest.raises(
        CheckpointError, match="answers the starts of its own training with what is no number"
    ):
        Reference(Diverged(), starts, contract(TRAIN)).distances(starts)
