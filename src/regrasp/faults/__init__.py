"""Each defect that a check knows, put into sound artefacts: `faults.frozen_camera(dataset)`.

A fault bears its check's name, takes what the check reads, and gives back a changed copy.
"""

from regrasp.faults.action_lag import action_lag
from regrasp.faults.averaged_quantiles import averaged_quantiles
from regrasp.faults.calibration_offset import calibration_offset
from regrasp.faults.changed_calibration import changed_calibration
from regrasp.faults.changed_joint_order import changed_joint_order
from regrasp.faults.changed_light import changed_light
from regrasp.faults.changed_policy_files import changed_policy_files
from regrasp.faults.changed_resolution import changed_resolution
from regrasp.faults.clipped_actions import clipped_actions
from regrasp.faults.copied_actions import copied_actions
from regrasp.faults.dark_camera import dark_camera
from regrasp.faults.dataset_defect import dataset_defect
from regrasp.faults.dropped_frames import dropped_frames
from regrasp.faults.duplicate_episodes import duplicate_episodes
from regrasp.faults.empty_instruction import empty_instruction
from regrasp.faults.exchanged_colours import exchanged_colours
from regrasp.faults.flipped_camera import flipped_camera
from regrasp.faults.frozen_camera import frozen_camera
from regrasp.faults.idle_gripper import idle_gripper
from regrasp.faults.idle_stretches import idle_stretches
from regrasp.faults.instruction_mismatch import instruction_mismatch
from regrasp.faults.inverted_gripper import inverted_gripper
from regrasp.faults.irregular_timestamps import irregular_timestamps
from regrasp.faults.jerky_motion import jerky_motion
from regrasp.faults.late_inference import late_inference
from regrasp.faults.missing_camera import missing_camera
from regrasp.faults.missing_video import missing_video
from regrasp.faults.mixed_units import mixed_units
from regrasp.faults.moved_camera import moved_camera
from regrasp.faults.nan_values import nan_values
from regrasp.faults.near_duplicate_instructions import near_duplicate_instructions
from regrasp.faults.normalisation_mismatch import normalisation_mismatch
from regrasp.faults.out_of_limits import out_of_limits
from regrasp.faults.outlier_episodes import outlier_episodes
from regrasp.faults.overflowed_image_statistics import overflowed_image_statistics
from regrasp.faults.rate_mismatch import rate_mismatch
from regrasp.faults.replanning_jumps import replanning_jumps
from regrasp.faults.scattered_starts import scattered_starts
from regrasp.faults.stale_statistics import stale_statistics
from regrasp.faults.start_pose_shift import start_pose_shift
from regrasp.faults.swapped_cameras import swapped_cameras
from regrasp.faults.thin_coverage import thin_coverage
from regrasp.faults.timer_ended_episodes import timer_ended_episodes
from regrasp.faults.too_few_epochs import too_few_epochs
from regrasp.faults.too_many_epochs import too_many_epochs
from regrasp.faults.truncated_episodes import truncated_episodes
from regrasp.faults.uncovered_positions import uncovered_positions
from regrasp.faults.unfollowed_joint import unfollowed_joint
from regrasp.faults.unit_mismatch import unit_mismatch
from regrasp.faults.unspecific_instruction import unspecific_instruction
from regrasp.faults.video_out_of_step import video_out_of_step
from regrasp.faults.weak_grasp import weak_grasp
from regrasp.faults.wrong_counts import wrong_counts
from regrasp.faults.wrong_rate import wrong_rate

__all__ = [
    "clipped_actions",
    "dropped_frames",
    "action_lag",
    "averaged_quantiles",
    "calibration_offset",
    "changed_calibration",
    "changed_joint_order",
    "changed_light",
    "changed_policy_files",
    "copied_actions",
    "missing_camera",
    "changed_resolution",
    "exchanged_colours",
    "dark_camera",
    "dataset_defect",
    "duplicate_episodes",
    "empty_instruction",
    "flipped_camera",
    "frozen_camera",
    "idle_gripper",
    "idle_stretches",
    "instruction_mismatch",
    "inverted_gripper",
    "irregular_timestamps",
    "jerky_motion",
    "late_inference",
    "missing_video",
    "mixed_units",
    "moved_camera",
    "nan_values",
    "near_duplicate_instructions",
    "normalisation_mismatch",
    "out_of_limits",
    "outlier_episodes",
    "overflowed_image_statistics",
    "rate_mismatch",
    "replanning_jumps",
    "scattered_starts",
    "stale_statistics",
    "start_pose_shift",
    "swapped_cameras",
    "thin_coverage",
    "timer_ended_episodes",
    "too_few_epochs",
    "too_many_epochs",
    "truncated_episodes",
    "uncovered_positions",
    "unfollowed_joint",
    "video_out_of_step",
    "unit_mismatch",
    "unspecific_instruction",
    "weak_grasp",
    "wrong_counts",
    "wrong_rate",
]
