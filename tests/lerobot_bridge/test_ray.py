"""`--ray` gives what is given without it; all in one file, since a cluster takes a while to begin."""

import json
import math
from importlib.util import find_spec

import pytest
from dataset_folder import write_v3
from sound_dataset import sound_dataset

from regrasp import faults
from regrasp.cli import main
from regrasp.data.station import load_station
from regrasp.errors import RegraspError, StationError
from regrasp.fan_out import fan_out
from regrasp.lerobot_bridge.scoring import score

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra 'ray'")


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    """A cluster of this machine, begun as `--ray` begins one; those who ask for one later join it."""
    with fan_out(ray=True):
        yield
    import ray

    assert not ray.is_initialized()


def test_results_come_in_order_from_the_callers_folder(tmp_path, monkeypatch):
    with fan_out(ray=True) as each:
        assert list(each(math.factorial, range(12))) == [math.factorial(number) for number in range(12)]
        (tmp_path / "desk.yaml").write_text("name: desk\nrobot: {type: so101_twin}\n")
        monkeypatch.chdir(tmp_path)
        (station,) = each(load_station, ["desk.yaml"])
        with pytest.raises(StationError) as raised:
            list(each(load_station, ["nowhere"]))
    assert station == load_station("desk.yaml")
    with pytest.raises(StationError) as expected:
        load_station("nowhere")
    assert str(raised.value) == str(expected.value)


def test_pieces_that_fail_beside_others_end_nothing_else():
    with fan_out(ray=True) as each:
        for _ in range(60):
            with pytest.raises(ValueError, match=r"math domain error|expected a nonnegative input"):
                list(each(math.sqrt, [4.0, -1.0, 9.0, 16.0, -2.0]))
        assert list(each(math.sqrt, [4.0])) == [2.0]


def test_audits_say_the_same(tmp_path, monkeypatch, capsys):
    def audited(*words):
        monkeypatch.setattr("sys.argv", ["regrasp", "audit", "sound", "broken", "--json", *words])
        with pytest.raises(SystemExit) as left:
            main()
        told = json.loads(capsys.readouterr().out)
        return left.value.code, [{**one, "seconds": None} for one in told["audits"]], told["unreadable"]

    monkeypatch.chdir(tmp_path)
    write_v3(sound_dataset(cameras=False), tmp_path / "sound")
    write_v3(faults.nan_values(sound_dataset(cameras=False), episodes=[1]), tmp_path / "broken")
    assert audited("--ray") == audited()
    assert audited()[0] == 1


def test_starts_end_as_in_one_process(trained, station):
    alone = score(trained.checkpoint, station, task="Grab the brain", starts=range(3), seed=5)
    assert (
        score(trained.checkpoint, station, task="Grab the brain", starts=range(3), seed=5, ray=True) == alone
    )


def test_a_ray_cluster_that_cannot_be_reached_is_a_sentence(monkeypatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with (
        pytest.raises(
            RegraspError, match=r"^Could not join the Ray cluster at 127\.0\.0\.1:9 \(RAY_ADDRESS\): "
        ),
        fan_out(ray=True),
    ):
        pass
