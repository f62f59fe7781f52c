"""From demonstrations to a policy that can be trusted, and the cause when it fails.

Every verb of the command line is a function here, with the same result as an object:

```python
import regrasp

regrasp.audit("my_dataset").findings
regrasp.diagnose("outputs/run", train="my_dataset", rollouts="my_rollouts").causes
```

The functions are imported when they are first used: looking at a table needs no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regrasp.data.contract import read_contract
    from regrasp.data.contract_measuring import measure_contract
    from regrasp.data.dataset import read_dataset
    from regrasp.data.rollouts import read_rollouts
    from regrasp.data.station import load_station
    from regrasp.diagnosis.audit import audit
    from regrasp.diagnosis.coverage import coverage
    from regrasp.diagnosis.diagnose import diagnose
    from regrasp.diagnosis.preflight import preflight
    from regrasp.lerobot_bridge.editing import fix
    from regrasp.lerobot_bridge.merging import merge
    from regrasp.lerobot_bridge.recording import record
    from regrasp.lerobot_bridge.rollout import rollout
    from regrasp.lerobot_bridge.selecting import select
    from regrasp.lerobot_bridge.training import train
    from regrasp.training.plan import plan

__version__ = "0.1.0"

__all__ = [
    "audit",
    "coverage",
    "diagnose",
    "fix",
    "load_station",
    "measure_contract",
    "merge",
    "plan",
    "preflight",
    "read_contract",
    "read_dataset",
    "read_rollouts",
    "record",
    "rollout",
    "select",
    "train",
]

_HOMES = {
    "audit": "diagnosis.audit",
    "coverage": "diagnosis.coverage",
    "diagnose": "diagnosis.diagnose",
    "fix": "lerobot_bridge.editing",
    "load_station": "data.station",
    "measure_contract": "data.contract_measuring",
    "merge": "lerobot_bridge.merging",
    "plan": "training.plan",
    "preflight": "diagnosis.preflight",
    "read_contract": "data.contract",
    "read_dataset": "data.dataset",
    "read_rollouts": "data.rollouts",
    "record": "lerobot_bridge.recording",
    "rollout": "lerobot_bridge.rollout",
    "select": "lerobot_bridge.selecting",
    "train": "lerobot_bridge.training",
}


def __getattr__(name: str) -> Any:
    """Import a function of `__all__` when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'regrasp' has no attribute {name!r}")
    return getattr(importlib.import_module(f"regrasp.{_HOMES[name]}"), name)
