"""Files of frames: whole or not at all, whatever is killed, damaged, full or started twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from regrasp.errors import DatasetError
from regrasp.lerobot_bridge import frame_cache
from regrasp.lerobot_bridge.frame_cache import (
    Segment,
    Uncached,
    content_digest,
    is_whole,
    make_room,
    make_whole,
    mapped,
    write,
)

SHAPE = (5, 3, 8, 10)


def frames(segment):
    """Noise that depends on the segment, in blocks of two."""
    generator = torch.Generator().manual_seed(segment.first)
    yield from torch.randint(0, 256, segment.shape, dtype=torch.uint8, generator=generator).split(2)


def segments(folder, count=4, shape=SHAPE):
    return [Segment(folder / "front" / f"episode-{i:06d}", "front", 100 * i, shape) for i in range(count)]


def written(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("front/episode-*")}


def assert_right(some):
    for segment in some:
        assert torch.equal(mapped(segment), torch.cat(list(frames(segment))))


def test_every_segment_gets_its_file_and_progress_is_told(tmp_path):
    told, some = [], segments(tmp_path)
    make_whole(some, frames, on_done=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert_right(some)
    assert sorted(path.name for path in (tmp_path / "front").iterdir()) == [s.path.name for s in some]


def test_a_file_is_whole_only_with_its_size_and_its_checksum(tmp_path):
    (segment,) = segments(tmp_path, 1)
    assert not is_whole(segment)
    write(segment, frames)
    assert is_whole(segment)
    assert not is_whole(Segment(segment.path, "front", 0, (4, 3, 8, 10)))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flip_checksum(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def shorten(path):
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("damage", [flip, flip_checksum, shorten, Path.unlink])
def test_a_damaged_file_is_written_anew_and_the_others_are_left(tmp_path, damage):
    some = segments(tmp_path)
    make_whole(some, frames)
    before = written(tmp_path)
    damage(some[2].path)
    make_whole(some, frames)
    after = written(tmp_path)
    assert {path for path in before if after[path] != before[path]} == {some[2].path}
    assert_right(some)


def test_what_is_written_into_a_mapped_file_stays_in_the_process(tmp_path):
    (segment,) = segments(tmp_path, 1)
    write(segment, frames)
    mapped(segment).zero_()
    assert is_whole(segment)


def test_a_mapped_file_takes_no_memory_until_it_is_looked_at(tmp_path):
    some = segments(tmp_path, 1, (64, 3, 400, 400))
    make_whole(some, frames)
    before = _own_memory()
    held = mapped(some[0])
    assert _own_memory() - before < held.numel() // 10
    assert int(held[63, 2, 399, 399]) >= 0


def _own_memory():
    """Bytes that this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


BUILD = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from test_frame_cache import frames, segments
from regrasp.lerobot_bridge.frame_cache import make_whole

def slowly(segment):
    for block in frames(segment):
        time.sleep(0.02)
        yield block

make_whole(segments(Path(sys.argv[1]), 12), slowly)
"""


def build(folder):
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, folder, Path(__file__).parent], start_new_session=True
    )


@pytest.mark.parametrize("whom", ["all", "parent"])
def test_kill_9_leaves_whole_files_from_which_the_next_one_goes_on(tmp_path, whom):
    killed, some = build(tmp_path), segments(tmp_path, 12)
    while killed.poll() is None and len(written(tmp_path)) < 3:
        time.sleep(0.001)
    os.killpg(killed.pid, signal.SIGKILL) if whom == "all" else killed.kill()
    assert killed.wait() == -signal.SIGKILL
    before = written(tmp_path)
    assert 3 <= len(before) < 12
    assert all(is_whole(segment) for segment in some if segment.path in before)
    make_whole(some, frames)
    after = written(tmp_path)
    assert before.items() <= after.items()
    assert_right(some)
    assert not list(tmp_path.glob("front/.*"))


def test_two_that_start_at_once_write_each_file_once(tmp_path):
    two = [build(tmp_path) for _ in range(2)]
    seen = {}
    while any(one.poll() is None for one in two):
        for path in tmp_path.glob("front/episode-*"):
            assert seen.setdefault(path, path.stat().st_ino) == path.stat().st_ino
        time.sleep(0.001)
    assert [one.wait() for one in two] == [0, 0]
    assert len(seen) == 12
    assert_right(segments(tmp_path, 12))
    assert not list(tmp_path.glob("front/.*"))


def test_a_disk_that_would_be_over_full_is_refused_with_its_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_cache, "BYTES_FREE", 10**15)
    with pytest.raises(Uncached) as caught:
        make_room(tmp_path / "one", segments(tmp_path / "one", 1, (10**6, 3, 480, 640)))
    assert "the decoded frames would take 921.6 GB of the" in str(caught.value)
    assert f"free in {tmp_path}, where 1000000 GB must stay free" in str(caught.value)
    assert "(REGRASP_FRAME_CACHE names another folder)" in str(caught.value)


def test_frames_that_are_there_already_need_no_room(tmp_path, monkeypatch):
    some = segments(tmp_path / "one")
    make_whole(some, frames)
    monkeypatch.setattr(frame_cache, "BYTES_FREE", 10**18)
    make_room(tmp_path / "one", some)


def test_frames_that_were_not_used_for_long_make_room_for_others(tmp_path, monkeypatch):
    old, older, mine, new = (tmp_path / name for name in ("old", "older", "mine", "new"))
    for folder, used in ((old, 2), (older, 1), (new, time.time())):
        make_room(folder, [])
        os.utime(folder / "used", (used, used))
    mine.mkdir()  # nothing that was made here
    monkeypatch.setattr(frame_cache, "fits", lambda _size, _folder: not older.exists())
    make_room(new, segments(new))
    assert sorted(tmp_path.iterdir()) == [mine, new, old]
    monkeypatch.setattr(frame_cache, "fits", lambda _size, _folder: False)
    with pytest.raises(Uncached):
        make_room(tmp_path / "another", segments(tmp_path / "another"))
    assert new.exists()  # used a moment ago
    assert mine.exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "front").write_text("a file")
    with pytest.raises(Uncached, match="cannot be written"):
        make_whole(segments(tmp_path), frames)


def test_a_frame_that_cannot_be_decoded_is_said(tmp_path):
    def broken(_segment):
        yield torch.zeros((2, 3, 8, 10), dtype=torch.uint8)
        raise ValueError("no such frame.\nmore words")

    with pytest.raises(DatasetError) as caught:
        make_whole(segments(tmp_path), broken)
    assert str(caught.value) == (
        "Cannot decode front of episode 000000: no such frame. Expected a frame for each row of the tables; "
        "try `regrasp audit`, or train without this episode."
    )
    assert not written(tmp_path)


def test_frames_of_another_size_than_declared_are_refused(tmp_path):
    with pytest.raises(Uncached, match="front gave 240 bytes of frames where 1200 were expected"):
        make_whole(segments(tmp_path), lambda _: iter([torch.zeros((1, 3, 8, 10), dtype=torch.uint8)]))


def test_the_digest_sees_each_byte_each_name_and_each_setting(tmp_path):
    video = tmp_path / "videos" / "front" / "chunk-000" / "file-000.mp4"
    video.parent.mkdir(parents=True)
    video.write_bytes(bytes(100))
    found = [content_digest(tmp_path, ["pyav", 1])]
    found.append(content_digest(tmp_path, ["pyav", 2]))
    video.write_bytes(bytes(99) + b"\x01")
    found.append(content_digest(tmp_path, ["pyav", 1]))
    video.rename(video.with_name("file-001.mp4"))
    found.append(content_digest(tmp_path, ["pyav", 1]))
    assert len(set(found)) == 4
    assert content_digest(tmp_path, ["pyav", 1]) == found[-1]


def test_the_digest_sees_videos_in_a_folder_that_is_linked_to(tmp_path):
    video = tmp_path / "disk" / "front" / "chunk-000" / "file-000.mp4"
    video.parent.mkdir(parents=True)
    video.write_bytes(bytes(100))
    (tmp_path / "d" / "videos").mkdir(parents=True)
    (tmp_path / "d" / "videos" / "front").symlink_to(video.parents[1])
    before = content_digest(tmp_path / "d", [])
    video.write_bytes(bytes(99) + b"\x01")
    assert content_digest(tmp_path / "d", []) != before
