"""check_json.py SCHEMA FOLDER: every FOLDER/*.json is as the schema says, and what has to add up does."""
import json
import pathlib
import sys

import jsonschema

schema_path, folder = sys.argv[1:]
schema = json.loads(pathlib.Path(schema_path).read_text())
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)

# A schema that lets everything pass would check nothing.
assert not validator.is_valid({"forkful": "0.1.0", "calls": [{}]})

calls = 0
timelines = 0
for path in sorted(pathlib.Path(folder).glob("*.json")):
    document = json.loads(path.read_text(encoding="utf-8"))
    for error in validator.iter_errors(document):
        sys.exit(f"{path.name}: {error.json_path}: {error.message}")
    for call in document["calls"] + document["totals"]:
        calls += 1
        timelines += call["timeline"] is not None
        rows = [call["caller_ns"]] + [row["time_ns"] for row in call["per_worker"]]
        for part, total in call["time_ns"].items():
            assert total == sum(row[part] for row in rows), f"{path.name}: {part}"
        if call["finished"] and (call["calls"] == 1 or path.name != "several.json"):
            assert sum(call["time_ns"].values()) == call["wall_ns"] * len(rows), path.name
        assert call["away_ns"] <= call["caller_ns"]["idle"], path.name
        assert all(row["off_core_ns"] <= row["time_ns"]["compute"] for row in call["per_worker"]), path.name
        assert all(row["peak_private_bytes"] <= row["peak_memory_bytes"] for row in call["per_worker"]), path.name
        if call["calls"] == 1:
            assert call["queued_ns"] <= call["wall_ns"], path.name
        if path.name in ("real-map.json", "real-in-place.json"):  # every slice was run once, and is drawn once
            assert sum(row["slices"] for row in call["per_worker"]) == call["slices"] > 0, path.name
            assert sum(chunk["count"] for chunk in call["timeline"]["chunks"]) == call["slices"], path.name
        if path.name == "real-crash.json":
            events = [(event["what"], event["slice"]) for event in call["timeline"]["events"]]
            assert ("worker_died", 17) in events and ("slice_failed", 21) in events, events
            assert call["deaths"] == 1, call["deaths"]
    # Every call is in the total of its pool, and nothing else is.
    assert [total["pool"] for total in document["totals"]] == sorted({call["pool"] for call in document["calls"]}), path.name
    for total in document["totals"]:
        mine = [call for call in document["calls"] if call["pool"] == total["pool"]]
        for field in ("calls", "slices", "chunks", "bytes_in", "bytes_broadcast", "bytes_out", "bytes_shared", "page_faults",
                      "bytes_copied_on_write", "deaths", "retries"):
            assert total[field] == sum(call[field] for call in mine), f"{path.name}: {field}"
        assert total["queued_ns"] == sum(call["queued_ns"] for call in mine), path.name
        assert total["beside_others"] == any(call["beside_others"] for call in mine), path.name
        assert total["wall_ns"] <= sum(call["wall_ns"] for call in mine), path.name
        if all(call["calls"] == 1 for call in mine):
            assert {slow["call"] for slow in total["slowest"]} <= {call["call"] for call in mine}, path.name
        if path.name == "program.json" and total["timeline"]:
            for call in mine:
                drawn = sum(chunk["count"] for chunk in total["timeline"]["chunks"] if chunk["call"] == call["call"])
                assert drawn == sum(chunk["count"] for chunk in call["timeline"]["chunks"]), call["call"]
            steps = total["timeline"]["caller"]
            assert all(one["end_ns"] <= next["begin_ns"] for one, next in zip(steps, steps[1:]))
assert calls > 20 and timelines > 10, (calls, timelines)
print(f"{calls} calls as the schema says")
