"""The contract against what the station shows now."""

from deployments import contract, live

from regrasp import faults
from regrasp.diagnosis.address import Address
from regrasp.diagnosis.preflight import preflight

KNOWN = contract()
ALL = ("instruction-mismatch", "start-pose-shift", "swapped-cameras")


def test_a_sound_station_may_go():
    judged = preflight(KNOWN, live())
    assert judged.go
    assert (judged.findings, judged.undecided) == ((), ())
    assert set(ALL) <= set(judged.clean)


def test_a_mismatch_stops_the_arm():
    judged = preflight(KNOWN, faults.instruction_mismatch(live()))
    assert not judged.go
    assert [finding.check for finding in judged.blocking] == ["instruction-mismatch"]
    assert str(judged).startswith("Preflight: no go. Nothing has moved.")


def test_an_override_by_name_lets_it_go_and_is_told():
    judged = preflight(KNOWN, faults.instruction_mismatch(live()), allow=["instruction-mismatch"])
    assert judged.go
    assert judged.allowed == ("instruction-mismatch",)
    assert "instruction-mismatch (allowed)" in str(judged)


def test_what_is_allowed_takes_one_line():
    judged = preflight(KNOWN, faults.instruction_mismatch(live()), allow=["instruction-mismatch"])
    assert "fix:" not in str(judged)


def test_a_fix_that_several_findings_share_is_told_once():
    shifted = faults.start_pose_shift(faults.start_pose_shift(live()), joint=2)
    judged = preflight(KNOWN, shifted)
    assert len(judged.blocking) == 2
    assert str(judged).count("fix:") == 1


def test_an_override_of_what_is_fine_is_not_recorded():
    assert preflight(KNOWN, live(), allow=["swapped-cameras"]).allowed == ()


def test_an_override_lets_nothing_else_pass():
    view = faults.start_pose_shift(faults.instruction_mismatch(live()))
    judged = preflight(KNOWN, view, allow=["instruction-mismatch"])
    assert not judged.go
    assert {finding.check for finding in judged.blocking} == {"start-pose-shift"}


def test_a_warning_does_not_stop_the_arm():
    judged = preflight(contract(type="act"), faults.instruction_mismatch(live()))
    assert judged.go
    assert len(judged.findings) == 1


def test_what_cannot_be_judged_is_told_and_does_not_stop_the_arm():
    lone = KNOWN.model_copy(update={"cameras": KNOWN.cameras[:1]})
    judged = preflight(lone, live())
    assert judged.go
    assert judged.undecided == (("swapped-cameras", "needs 2 to 5 cameras with a fingerprint, got 1"),)


def test_the_command_names_checkpoint_and_station_and_repeats_the_options():
    address = Address("runs/my run", "desk.yaml", "again", {"area": "6in"})
    (finding,) = preflight(KNOWN, faults.instruction_mismatch(live()), address=address).findings
    assert finding.fix.command == (
        "regrasp rollout 'runs/my run' --station desk.yaml --area 6in --task 'Grab the brain' --out again"
    )


def test_json_is_as_laid_down():
    told = preflight(KNOWN, faults.instruction_mismatch(live())).to_json()
    assert {"go", "findings", "clean", "undecided"} <= set(told)
    assert told["go"] is False
