"""What `regrasp audit` makes of dataset folders that were damaged at random.

python benchmarks/audit_mutations.py                    300 seeded mutations
python benchmarks/audit_mutations.py --seeds 17 18      some of them, with what was said

Each is audited as a process of its own. It must end within 20 s of computing with findings, with none, or with one
sentence and exit code 2; leave no traceback; and change no byte of the folder.
"""

import argparse
import collections
import hashlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dataset_folder import write_v3, write_v21
from sound_dataset import sound_dataset

PROCESSES = multiprocessing.get_context("forkserver")
"""Each audit is a process of its own, which finds the libraries loaded: it takes a tenth of the time."""

LONGEST_S = 20
"""Of computing, so that a busy computer changes nothing."""

WAITING_S = 180.0
"""An audit that does not compute has to have ended by then."""

JUNK = [
    None,
    True,
    -1,
    0,
    1e308,
    float("nan"),
    "",
    "x",
    [],
    {},
    [[]],
    10**30,
    "\0",
    "../..",
    "\ud800",
    "ü" * 300,
]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="*")
    options = parser.parse_args()
    PROCESSES.set_forkserver_preload(
        ["numpy", "pyarrow.parquet", "av", "regrasp.cli", "regrasp.diagnosis.audit"]
    )
    with tempfile.TemporaryDirectory() as root:
        sound = sound_folders(Path(root))
        outcomes = []
        for seed in options.seeds or range(options.count):
            outcome = audited(seed, sound, Path(root) / f"damaged-{seed}")
            outcomes.append(outcome)
            if options.seeds or outcome.failure:
                print(f"seed {seed}: {outcome}", flush=True)
    report(outcomes)
    sys.exit(any(outcome.failure for outcome in outcomes))


@dataclass(frozen=True)
class Outcome:
    """What became of one audit."""

    damage: str
    code: int | None
    said: str
    seconds: float
    failure: str | None


def sound_folders(root):
    dataset = sound_dataset(1, episodes=3, seconds=2, height=32, width=32)
    return [
        write_v3(dataset, root / "v3", codec="libx264", episodes_per_file=2),
        write_v21(dataset, root / "v21"),
        write_v3(dataset, root / "pictures", video=False),
    ]


def audited(seed, sound, folder):
    """Damage a copy of a sound folder, audit it, and judge the outcome."""
    rng = random.Random(seed)
    shutil.copytree(rng.choice(sound), folder)
    (damage,) = rng.choices(list(DAMAGES), weights=list(DAMAGES.values()))
    damage(rng, folder)
    before = content(folder)
    code, out, err, seconds = audit_of(folder)
    failure = judged(code, out, err) or ("the folder was changed" if content(folder) != before else None)
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(folder)
    return Outcome(damage.__name__, code, (err or out)[-300:].strip(), seconds, failure)


def audit_of(folder):
    """Exit code, output, errors and seconds of computing of `regrasp audit FOLDER --json`.

    The code is None when it had to be ended.
    """
    with tempfile.TemporaryDirectory() as said:
        out, err, took = (Path(said) / name for name in ("out", "err", "took"))
        process = PROCESSES.Process(target=regrasp_audit, args=(folder, out, err, took))
        process.start()
        process.join(WAITING_S)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        texts = [p.read_text(errors="replace") if p.exists() else "" for p in (out, err, took)]
        code = None if code == -signal.SIGXCPU else code
        return code, texts[0], texts[1], float(texts[2] or LONGEST_S)


def regrasp_audit(folder, out, err, took):
    """In a new process, which has its own descriptors 1 and 2, and no more time than is allowed."""
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S + 5))
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), descriptor)
    sys.argv = ["regrasp", "audit", str(folder), "--json"]
    from regrasp.cli import main as regrasp

    try:
        regrasp()
    finally:
        took.write_text(str(time.process_time()))


def judged(code, out, err):
    """What is wrong with an outcome; None when it is one of the three allowed."""
    if code is None:
        return f"no end within {LONGEST_S} s of computing"
    if "Traceback" in err or "defect of" in err:
        return "a traceback"
    if code == 2:
        return None if err.startswith("error: ") and err.strip().count("\n") <= 3 else "no sentence"
    if code not in (0, 1):
        return f"exit code {code}"
    try:
        json.loads(out)
    except ValueError:
        return "no JSON"
    return None


def content(folder):
    """Names, kinds, and digests of all that a folder holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path] = str(path.readlink())
        elif path.is_file() and os.access(path, os.R_OK):
            found[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[path] = "folder" if path.is_dir() else "not readable"
    return found


def report(outcomes):
    print(
        f"{'damage':28} {'cases':>5} {'exit 0':>6} {'exit 1':>6} {'exit 2':>6} {'failed':>6} {'slowest':>8}"
    )
    for name in sorted({outcome.damage for outcome in outcomes}):
        of_it = [outcome for outcome in outcomes if outcome.damage == name]
        codes = collections.Counter(outcome.code for outcome in of_it)
        failed = sum(outcome.failure is not None for outcome in of_it)
        slowest = max(outcome.seconds for outcome in of_it)
        print(f"{name:28} {len(of_it):5} {codes[0]:6} {codes[1]:6} {codes[2]:6} {failed:6} {slowest:6.1f} s")
    print(f"{len(outcomes)} mutations, {sum(o.failure is not None for o in outcomes)} failures")


def files(folder, *suffixes):
    return sorted(p for p in folder.rglob("*") if p.is_file() and (not suffixes or p.suffix in suffixes))


def cut_off(rng, folder):
    """A file ends too early."""
    path = rng.choice(files(folder))
    held = path.read_bytes()
    path.write_bytes(held[: rng.choice([0, 4, len(held) // 2, len(held) - 1, rng.randrange(len(held))])])


def overwritten_bytes(rng, folder):
    """Some bytes of a file are others."""
    path = rng.choice(files(folder))
    held = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 10, 200])):
        held[rng.randrange(len(held))] = rng.randrange(256)
    path.write_bytes(bytes(held))


def garbage_file(rng, folder):
    """A file is replaced by noise, text, or a Git LFS pointer."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    rng.choice(files(folder)).write_bytes(
        rng.choice([rng.randbytes(5000), b"nothing\n", pointer, b"[" * 50_000])
    )


def missing_file(rng, folder):
    """A file or folder is not there."""
    path = rng.choice([*files(folder), *(p for p in folder.rglob("*") if p.is_dir())])
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def junk_in_json(rng, folder):
    """A value somewhere in the metadata is another."""
    path = rng.choice(files(folder, ".json", ".jsonl"))
    text = path.read_text()
    lines = (
        [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
    )
    for _ in range(rng.choice([1, 1, 3])):
        places = list(places_in(lines))
        container, key = rng.choice(places)
        container[key] = rng.choice(JUNK)
    path.write_text("\n".join(map(json.dumps, lines)))


def places_in(value):
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places_in(value[key])


def lost_key(rng, folder):
    """A key of the metadata is not there."""
    path = rng.choice(files(folder, ".json"))
    held = json.loads(path.read_text())
    place = rng.choice([held, *(v for v in held.values() if isinstance(v, dict))])
    if place:
        del place[rng.choice(list(place))]
    path.write_text(json.dumps(held))


def changed_table(rng, folder, change):
    path = rng.choice(files(folder, ".parquet"))
    table = pq.read_table(path)
    pq.write_table(change(table), path)


def missing_column(rng, folder):
    """A table lacks a column."""
    changed_table(rng, folder, lambda t: t.drop([rng.choice(t.column_names)]))


def wrong_type(rng, folder):
    """A column holds something else."""

    def change(table):
        name = rng.choice(table.column_names)
        n = len(table)
        other = rng.choice(
            [
                pa.array(["x"] * n),
                pa.array([None] * n, pa.int64()),
                pa.array([None] * n),
                pa.array([[1.0, 2.0]] * n),
                pa.array([[float(i)] * (i % 3) for i in range(n)]),
                pa.array([b"\xff"] * n),
                pa.array([{"a": 1}] * n),
                pa.array(np.full(n, np.nan)),
                pa.array(np.full(n, np.inf)),
                pa.array(np.full(n, -(2**62))),
                pa.array(np.full(n, 2**62)),
                pa.array([True] * n),
                pa.array([[[0.0] * 2] * 3] * n),
                pa.array(np.zeros(n, dtype=np.float16)),
                pa.array([1] * n, pa.timestamp("us")),
            ]
        )
        return table.set_column(table.column_names.index(name), name, other)

    changed_table(rng, folder, change)


def other_rows(rng, folder):
    """A table lost rows, has some twice, or none."""

    def change(table):
        rows = list(range(len(table)))
        kept = rng.choice(
            [[], rows[:1], rows[::2], rows + rows, rows[::-1], rng.sample(rows, len(rows) // 2)]
        )
        return table.take(pa.array(kept, pa.int64()))

    changed_table(rng, folder, change)


def wild_numbers(rng, folder):
    """Numbers of a column of the data are huge, tiny, or not numbers."""

    def change(table):
        names = [n for n in table.column_names if pa.types.is_floating(innermost(table.schema.field(n).type))]
        if not names:
            return table
        name = rng.choice(names)
        column = table.column(name).combine_chunks()
        values = np.array(column.to_pylist(), dtype=np.float64)
        wild = rng.choice([np.nan, np.inf, 1e38, 1e300, 1e-300, 0.0])
        share = rng.choice([1, 7])
        values[::share] = wild
        return table.set_column(table.column_names.index(name), name, pa.array(values.tolist()))

    changed_table(rng, folder, change)


def innermost(kind):
    while pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    return kind


def no_episodes(rng, folder):
    """The metadata list none."""
    for path in files(folder / "meta"):
        if path.name == "episodes.jsonl":
            path.write_text("")
        elif "episodes" in path.parts:
            pq.write_table(pq.read_table(path).slice(0, 0), path)


def very_many_episodes(rng, folder):
    """Metadata of a million episodes, and tables of three."""
    number = 1_000_000
    path = folder / "meta/episodes.jsonl"
    if path.is_file():
        lines = (f'{{"episode_index": {n}, "tasks": ["x"], "length": 60}}' for n in range(number))
        path.write_text("\n".join(lines))
        return
    (path,) = files(folder / "meta/episodes")
    table = pq.read_table(path)
    many = table.take(pa.array(np.zeros(number, dtype=np.int64)))
    pq.write_table(many.set_column(0, "episode_index", pa.array(np.arange(number))), path)


def very_many_instructions(rng, folder):
    """A million instructions."""
    number = 1_000_000
    path = folder / "meta/tasks.jsonl"
    if path.is_file():
        path.write_text("\n".join(f'{{"task_index": {n}, "task": "take {n}"}}' for n in range(number)))
    else:
        table = {"task_index": np.arange(number), "task": [f"take {n}" for n in range(number)]}
        pq.write_table(pa.table(table), folder / "meta/tasks.parquet")


def symlinks(rng, folder):
    """A file is a link: to itself, to nothing, to its copy, to a folder."""
    path = rng.choice(files(folder))
    kind = rng.choice(["itself", "nothing", "copy", "folder"])
    copy = path.with_name("the copy" + path.suffix)
    shutil.move(path, copy)
    path.symlink_to({"itself": path, "nothing": "/no/such/file", "copy": copy, "folder": folder}[kind])


def folder_instead_of_file(rng, folder):
    """A folder bears a file's name."""
    path = rng.choice(files(folder))
    path.unlink()
    path.mkdir()


def not_readable(rng, folder):
    """A file or folder may not be read."""
    rng.choice([*files(folder), *(p for p in folder.rglob("*") if p.is_dir())]).chmod(0)


def unicode_names(rng, folder):
    """Cameras, joints, robot and instructions bear names in all scripts."""
    name = rng.choice(
        ["caméra", "前", "\u202egnihton", "a b", "🤖", "x" * 300, "a/b", "..", "", "{0}", "\\", "%s"]
    )
    for path in files(folder, ".json", ".jsonl"):
        text = path.read_text()
        for word in rng.sample(["front", "wrist", "gripper", "Grab the brain", "so101_follower"], 2):
            text = text.replace(word, json.dumps(name)[1:-1])
        path.write_text(text)


def stray_files(rng, folder):
    """Files that do not belong there."""
    for place in ("meta", "data/chunk-000", "."):
        (folder / place / rng.choice([".DS_Store", "file-999.parquet", "ünïcödé.json", "x.mp4"])).write_bytes(
            b"x"
        )
    if (folder / "meta/episodes/chunk-000").is_dir() and rng.random() < 0.5:
        (folder / "meta/episodes/chunk-000/file-999.parquet").write_bytes(b"PAR1")


def damaged_video(rng, folder):
    """A video is cut, overwritten in its middle, or another file."""
    videos = files(folder, ".mp4")
    if not videos:
        return garbage_file(rng, folder)
    path = rng.choice(videos)
    held = bytearray(path.read_bytes())
    kind = rng.choice(["cut", "zeros", "noise", "pointer", "empty", "table"])
    if kind == "cut":
        held = held[: rng.randrange(len(held))]
    elif kind in ("zeros", "noise"):
        first = rng.randrange(len(held) // 2)
        size = len(held) // 3
        held[first : first + size] = bytes(size) if kind == "zeros" else rng.randbytes(size)
    elif kind == "table":
        held = files(folder, ".parquet")[0].read_bytes()
    else:
        held = b"version https://git-lfs.github.com/spec/v1\n" if kind == "pointer" else b""
    path.write_bytes(bytes(held))
    return None


DAMAGES = {
    cut_off: 3,
    overwritten_bytes: 4,
    garbage_file: 2,
    missing_file: 2,
    junk_in_json: 5,
    lost_key: 2,
    missing_column: 2,
    wrong_type: 5,
    other_rows: 3,
    wild_numbers: 3,
    no_episodes: 1,
    very_many_episodes: 1,
    very_many_instructions: 1,
    symlinks: 2,
    folder_instead_of_file: 1,
    not_readable: 1,
    unicode_names: 2,
    stray_files: 1,
    damaged_video: 3,
}
"""Kinds of damage, and how often each is drawn."""


if __name__ == "__main__":
    main()
