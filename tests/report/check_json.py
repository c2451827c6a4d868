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
    for call in document["calls"]:
        calls += 1
        timelines += call["timeline"] is not None
        rows = [call["caller_ns"]] + [row["time_ns"] for row in call["per_worker"]]
        for part, total in call["time_ns"].items():
            assert total == sum(row[part] for row in rows), f"{path.name}: {part}"
        if call["finished"]:
            assert sum(call["time_ns"].values()) == call["wall_ns"] * len(rows), path.name
        if path.name in ("real-map.json", "real-in-place.json"):  # every slice was eaten once, and is drawn once
            assert sum(row["slices"] for row in call["per_worker"]) == call["slices"] > 0, path.name
            assert sum(chunk["count"] for chunk in call["timeline"]["chunks"]) == call["slices"], path.name
        if path.name == "real-crash.json":
            events = [(event["what"], event["slice"]) for event in call["timeline"]["events"]]
            assert ("worker_died", 17) in events and ("slice_failed", 21) in events, events
            assert call["deaths"] == 1, call["deaths"]
assert calls > 20 and timelines > 10, (calls, timelines)
print(f"{calls} calls as the schema says")
