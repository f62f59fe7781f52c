"""However a dataset's files are damaged, one sentence or an audit comes of it; never anything else."""

import json
import random
import shutil

import pytest
from dataset_folder import write_v3, write_v21
from sound_dataset import sound_dataset

from regrasp.diagnosis.audit import audit
from regrasp.errors import RegraspError

JUNK = [None, True, -1, 0, 1e308, float("nan"), "", "x", [], {}, [[]], 10**30, "\0", "../.."]


@pytest.fixture(scope="module")
def sound_folders(tmp_path_factory):
    dataset = sound_dataset(1, episodes=3, seconds=2)
    root = tmp_path_factory.mktemp("sound")
    return [
        write_v3(dataset, root / "v3", codec="libx264", episodes_per_file=2),
        write_v21(dataset, root / "v21"),
    ]


@pytest.mark.parametrize("seed", range(40))
def test_damage_ends_in_a_sentence_or_an_audit(seed, sound_folders, tmp_path):
    rng = random.Random(seed)
    folder = shutil.copytree(rng.choice(sound_folders), tmp_path / "damaged")
    damage(rng, rng.choice(sorted(path for path in folder.rglob("*") if path.is_file())))
    try:
        said = json.dumps(audit(folder).to_json(), allow_nan=False)
    except RegraspError as error:
        said = str(error)
    assert said


def damage(rng, path):
    """Junk into a place of a JSON file; bytes of any other cut off, changed, or all gone."""
    content = path.read_bytes()
    if path.suffix in (".json", ".jsonl"):
        lines = (
            [json.loads(line) for line in content.splitlines()]
            if path.suffix == ".jsonl"
            else [json.loads(content)]
        )
        replace_somewhere(rng, lines)
        path.write_text("\n".join(map(json.dumps, lines)))
        return
    changed = bytearray(content[: rng.choice([len(content), rng.randrange(len(content)), 0])])
    for _ in range(rng.choice([1, 10, 200]) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    path.write_bytes(bytes(changed))


def replace_somewhere(rng, value):
    places = []

    def visit(container):
        for key in container if isinstance(container, dict) else range(len(container)):
            places.append((container, key))
            if isinstance(container[key], dict | list):
                visit(container[key])

    visit(value)
    container, key = rng.choice(places)
    container[key] = rng.choice(JUNK)
