"""A folder to resume from is for one setting."""

from __future__ import annotations

import json
from pathlib import Path


def check_setting(work: Path, setting: dict[str, object]) -> None:
    """Keep the setting in an empty folder, and refuse a folder of another one."""
    path = work / "setting.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name, value in setting.items() if kept.get(name) != value]
        if other:
            raise ValueError(
                f"{str(work)!r} holds results of another setting ({', '.join(other)}). Name "
                "another folder with --work."
            )
    elif any(work.iterdir()):
        raise ValueError(
            f"{str(work)!r} holds files without saying of which setting. Name an empty folder with "
            "--work."
        )
    else:
        path.write_text(json.dumps(setting, indent=2), encoding="utf-8")
