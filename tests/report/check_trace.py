"""check_trace.py FOLDER: every FOLDER/*.trace has what a trace viewer asks for, and its slices nest.

Times are cut off to whole nanoseconds first, as the viewer does.
"""
import collections
import json
import pathlib
import sys

REQUIRED = {
    "M": {"name", "ph", "pid", "tid", "args"},
    "X": {"name", "ph", "pid", "tid", "ts", "dur"},
    "i": {"name", "ph", "s", "pid", "tid", "ts"},
}


def nanoseconds(microseconds):
    return int(microseconds * 1000)


def check(name, trace, report):
    assert set(trace) == {"traceEvents"}, name
    events = trace["traceEvents"]
    names = {}
    process_of = {}
    slices = collections.defaultdict(list)
    for event in events:
        missing = REQUIRED[event["ph"]] - set(event)
        assert not missing, f"{name}: {event} lacks {missing}"
        track = event["tid"]
        assert event["pid"] > 0 and track > 0, f"{name}: 0 has a meaning of its own"
        assert process_of.setdefault(track, event["pid"]) == event["pid"], f"{name}: tid {track} in two processes"
        if event["ph"] == "M":
            if event["name"] == "thread_name":
                names[track] = event["args"]["name"]
            continue
        assert event["ts"] >= 0, f"{name}: {event}"
        assert track in names, f"{name}: a track without a name: {event}"
        if event["ph"] == "i":
            assert event["s"] == "t", f"{name}: {event}"
        else:
            assert event["dur"] >= 0, f"{name}: {event}"
            slices[track].append(event)
    for track, drawn in slices.items():
        open_until = []
        before = -1
        for event in drawn:  # parents come before their children
            begin = nanoseconds(event["ts"])
            end = begin + nanoseconds(event["dur"])
            assert begin >= before, f"{name}: {event} is out of order"
            before = begin
            while open_until and open_until[-1] <= begin:
                open_until.pop()
            assert not open_until or end <= open_until[-1], f"{name}: {event} does not nest"
            open_until.append(end)

    # Nothing of the report is lost.
    # Those of a total come once more: its own timeline is before those of its calls.
    drawn = [total for total in report["totals"] if total["calls"] > 1 and len(report["calls"]) > 1] + report["calls"]
    callers = [track for track, known in names.items() if known == "caller"]
    assert len(callers) == len(drawn), name
    expected = collections.Counter()
    for call in drawn:
        timeline = call["timeline"] or {"chunks": [], "events": []}
        expected["chunks"] += len(timeline["chunks"])
        expected["events"] += len(timeline["events"])
        assert sum(known.startswith("worker") for known in names.values()) >= call["workers"], name
    assert sum(event["ph"] == "i" for event in events) == expected["events"], name
    assert sum("count" in event.get("args", {}) and event["ph"] == "X" for event in events) == expected["chunks"], name
    return len(events)


folder = pathlib.Path(sys.argv[1])
traces = sorted(folder.glob("*.trace"))
total = 0
for path in traces:
    total += check(path.name, json.loads(path.read_text()), json.loads(path.with_suffix(".json").read_text()))
assert len(traces) > 12 and total > 10_000, (len(traces), total)
print(f"{len(traces)} traces, {total} events, all nested")
