"""The usual sections of a page (success, training, deployment, preflight, diagnosis), and blocks of several pages."""

from collections.abc import Iterable, Mapping, Sequence

from regrasp.data.contract import Contract
from regrasp.data.dataset import Dataset
from regrasp.data.episode import Episode
from regrasp.data.rollouts import Rollouts
from regrasp.diagnosis.finding import Finding
from regrasp.diagnosis.preflight import Preflight
from regrasp.diagnosis.ranking import CARES_SPREADS, Diagnosis, Status
from regrasp.report import figures, motion_figures, probe_figures
from regrasp.report.blocks import (
    Block,
    ClipBlock,
    FigureBlock,
    FindingsBlock,
    Picture,
    PicturesBlock,
    Row,
    Section,
    TableBlock,
    Tone,
    VerdictBlock,
)
from regrasp.report.diagnosis_text import evidence_lines
from regrasp.report.figures import Figure
from regrasp.report.pictures import clip_uri, enlarged, filmstrip, picture_uri
from regrasp.stats import Comparison, Rate


def success_section(
    rates: Mapping[str, Rate],
    *,
    baseline: tuple[str, Rate] | None = None,
    comparison: Comparison | None = None,
    compared: tuple[str, str] = ("A", "B"),
    title: str = "How often it succeeded",
    lead: str = "",
) -> Section:
    """Success rates with intervals, and what may be said of the difference between two that have names."""
    blocks: list[Block] = [FigureBlock(figures.success_rates(rates, baseline=baseline))]
    if comparison is not None:
        tone: Tone = (
            "good" if comparison.decision == "better" else "bad" if comparison.decision == "worse" else ""
        )
        blocks.append(VerdictBlock(comparison.told(*compared), tone=tone))
    return Section(title, tuple(blocks), lead)


def training_section(
    train: Dataset,
    contract: Contract | None = None,
    *,
    title: str = "What it learned from",
    lead: str = "",
) -> Section:
    """The training data: counts, and one demonstration as its cameras saw it."""
    clip = clip_of(train.episodes[0], "A demonstration") if train.episodes else None
    return Section(title, (_training_table(train, contract), *filter(None, [clip])), lead)


def deployment_section(
    name: str,
    train: Dataset,
    rollouts: Rollouts,
    contract: Contract | None = None,
    *,
    title: str = "",
    lead: str = "",
) -> Section:
    """One run beside the training: cameras, gripper, start poses, joints, and a clip."""
    runs = {name: rollouts.dataset}
    threshold = None if contract is None else contract.gripper_closed_threshold
    rate = Rate.of(rollouts.successes)
    blocks: list[Block | None] = [
        camera_pairs(train, rollouts.dataset, name),
        rollout_clip(rollouts),
        _figure(motion_figures.gripper_histogram(train, runs, threshold), half=True),
        _figure(motion_figures.start_poses(train, runs), half=True),
        _figure(
            motion_figures.jumps(train, rollouts.dataset, rollouts.ticks)
            or motion_figures.largest_steps(train, runs),
            half=True,
        ),
        FigureBlock(motion_figures.joint_traces(train, runs), wide=True),
    ]
    told = f"Told '{rollouts.task}'. " if rollouts.task else ""
    overridden = f"Overridden: {', '.join(rollouts.overrides)}. " if rollouts.overrides else ""
    tone: Tone = "" if rate.n == 0 else "good" if rate.value >= 0.5 else "bad"
    return Section(
        title or name,
        tuple(block for block in blocks if block is not None),
        lead or f"{told}Success {rate}. {overridden}".strip(),
        tone,
    )


def diagnosis_section(diagnosis: Diagnosis, *, title: str = "Why", lead: str = "") -> Section:
    """The verdict with three lines of evidence and its command; the probes; the differences; what was seen."""
    proven = any(cause.status.proven for cause in diagnosis.causes)
    tone: Tone = "bad" if proven else ""
    probes = [cause.probe for cause in diagnosis.causes if cause.probe is not None]
    bars = probe_figures.probe_bars(probes)
    moves = probe_figures.plan_moves(probes, CARES_SPREADS)
    blocks: list[Block | None] = [
        VerdictBlock(diagnosis.headline, evidence_lines(diagnosis), diagnosis.remedy, tone),
        _figure(bars, half=moves is not None),
        _figure(moves, half=True),
        FindingsBlock(tuple(_cause_rows(diagnosis)), "Differences") if diagnosis.causes else None,
        FindingsBlock(tuple(_symptom_rows(diagnosis)), "Seen") if diagnosis.symptoms else None,
        _looked_at(diagnosis),
    ]
    shown = tuple(block for block in blocks if block is not None)
    success = f"Success {diagnosis.success}." if diagnosis.success.n else ""
    return Section(title, shown, lead or success, tone)


def _looked_at(diagnosis: Diagnosis) -> TableBlock | None:
    rows = [("ruled out", ", ".join(diagnosis.ruled_out))] if diagnosis.ruled_out else []
    rows += [(name, reason) for name, reason in diagnosis.undecided]
    return TableBlock(("Looked at", ""), tuple(rows)) if rows else None


def preflight_section(judged: Preflight, *, title: str = "Before it moves", lead: str = "") -> Section:
    """Go or no go, and why."""
    headline = "Preflight: go" if judged.go else "Preflight: no go, nothing has moved"
    verdict = VerdictBlock(headline, (), None, "good" if judged.go else "bad")
    rows = findings_block(judged.findings)
    return Section(title, (verdict, rows) if rows.rows else (verdict,), lead, verdict.tone)


def findings_block(findings: Sequence[Finding], title: str = "") -> FindingsBlock:
    """Findings of checks as rows."""
    rows = [
        Row(
            tag=finding.check,
            text=finding.summary,
            tone=finding.severity.value if finding.severity else "",
            evidence="; ".join(str(item) for item in finding.evidence),
            command=finding.fix.command,
        )
        for finding in findings
    ]
    return FindingsBlock(tuple(rows), title)


def camera_pairs(train: Dataset, deployed: Dataset, name: str = "this run") -> PicturesBlock | None:
    """Each camera's first picture in training beside its first in the run; None without pictures."""
    before, after = _first_pictures(train), _first_pictures(deployed)
    if not before or not after:
        return None
    ours = {picture.caption: picture.uri for picture in after}
    pairs = [
        Picture(uri, f"{camera}, {when}")
        for picture in before
        if (camera := picture.caption) in ours
        for when, uri in (("training", picture.uri), (name, ours[camera]))
    ]
    return PicturesBlock(tuple(pairs), "What the policy was shown", half=False) if pairs else None


def rollout_clip(rollouts: Rollouts) -> ClipBlock | None:
    """A film of a rollout that ended as most did; None without pictures."""
    rate = Rate.of(rollouts.successes)
    usual = None if rate.n == 0 else 2 * rate.k >= rate.n
    chosen = next((o.episode for o in rollouts.outcomes if o.success is usual), None)
    episode = next((e for e in rollouts.episodes if e.index == chosen), rollouts.episodes[0])
    ended = {True: "succeeded", False: "failed", None: "not scored"}[usual]
    return clip_of(episode, f"Episode {episode.index}, {ended}")


def clip_of(episode: Episode, title: str = "") -> ClipBlock | None:
    """All cameras of an episode, side by side; None without pictures."""
    if not episode.cameras:
        return None
    frames = filmstrip(episode)
    poster = picture_uri(frames[len(frames) // 2])
    return ClipBlock(clip_uri(frames, episode.fps), poster, title, f"Cameras: {', '.join(episode.cameras)}.")


def _figure(figure: Figure | None, *, half: bool = False) -> FigureBlock | None:
    return None if figure is None else FigureBlock(figure, half)


def _training_table(train: Dataset, contract: Contract | None) -> TableBlock:
    minutes = train.frames / train.fps / 60
    rows = [
        ("episodes", f"{len(train.episodes)}"),
        ("frames", f"{train.frames:,} at {train.fps:g} Hz, {minutes:.1f} minutes"),
        ("instructions", ", ".join(f"'{task}'" for task in train.tasks if task) or "none"),
        ("cameras", ", ".join(train.camera_names) or "none"),
    ]
    if contract is not None:
        rows += _contract_rows(contract)
    return TableBlock(("", ""), tuple(rows), half=True)


def _contract_rows(contract: Contract) -> list[tuple[str, str]]:
    rows = [
        (
            "policy",
            f"{contract.policy_type}, chunks of {contract.chunk_size}, {contract.n_action_steps} executed",
        )
    ]
    if contract.epochs is not None:
        rows.append(
            (
                "training",
                f"{contract.steps:,} steps x batch {contract.batch_size} = {contract.epochs:.1f} epochs",
            )
        )
    if contract.gripper_closed_share is not None:
        rows.append(("gripper closed", f"{100 * contract.gripper_closed_share:.0f} % of the frames"))
    return rows


def _first_pictures(dataset: Dataset) -> tuple[Picture, ...]:
    """The first picture of each camera, captioned with its name."""
    if not dataset.episodes:
        return ()
    cameras = dataset.episodes[0].cameras
    return tuple(
        Picture(picture_uri(enlarged(camera.frames([0]))[0]), name) for name, camera in cameras.items()
    )


def _cause_rows(diagnosis: Diagnosis) -> Iterable[Row]:
    for cause in diagnosis.causes:
        evidence = "; ".join(
            f"{finding.summary} {', '.join(str(item) for item in finding.evidence)}"
            for finding in cause.findings
        )
        tone = "cause" if cause.status.proven else "suspected" if cause.status is Status.SUSPECTED else ""
        yield Row(
            f"{cause.name}: {cause.status}",
            cause.reason,
            tone,
            evidence,
            _own_command(diagnosis, cause.fix.command),
        )


def _symptom_rows(diagnosis: Diagnosis) -> Iterable[Row]:
    for symptom in diagnosis.symptoms:
        yield Row(symptom.name, symptom.summary, "", "; ".join(str(item) for item in symptom.evidence))


def _own_command(diagnosis: Diagnosis, command: str | None) -> str | None:
    """A cause's command, unless the verdict shows it already."""
    return None if command == diagnosis.remedy else command
