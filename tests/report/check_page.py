"""check_page.py FOLDER UPLOT: every FOLDER/*.html in a headless Chromium: no complaint, no request, and the numbers of the report.

Pages are those of samples.cpp; NAME.json beside NAME.html holds the same calls. With KEEP=FOLDER in the environment,
screenshots and a printed copy of each are left there to be looked at.
"""
import html
import json
import math
import os
import pathlib
import sys
from decimal import ROUND_HALF_UP, Decimal

from browser import Browser


def fixed(value, digits):
    """As JavaScript's toFixed: of the exact value of a double, halves up."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def human_time(ns):
    if ns < 1e3:
        return f"{math.floor(ns + 0.5)} ns"
    for unit, name, digits in ((1e3, "µs", 1), (1e6, "ms", 1), (1e9, "s", 2)):
        if ns < 999.95 * unit or name == "s":
            return f"{fixed(ns / unit, digits)} {name}"


def human_bytes(size):
    if size < 1000:
        return f"{size} B"
    for name in ("KB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.95 or name == "TB":
            return f"{fixed(size, 1)} {name}"


def human(field, value):
    parent = field.rsplit(".", 1)[0]
    if field.endswith("_ns") or parent.endswith("_ns"):
        return human_time(value)
    if "bytes" in field:
        return human_bytes(value)
    if field == "imbalance":
        return fixed(value, 2)
    return str(value) if field in ("pool", "call") or field.endswith(".call") else f"{value:,}"


def look_up(call, field):
    for step in field.split("."):
        call = call[int(step)] if step.isdigit() else call[step]
    return call


def leaves(value, path=""):
    """The paths of all numbers of a call but those of its timeline."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not (path == "" and name == "timeline"):
                yield from leaves(inner, f"{path}{name}.")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}{index}.")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path[:-1]


# Written in words ("slices 70-79"), or the table's own row.
NOT_AS_FIGURES = (".worker", ".first", ".count")
FIGURES = "[...document.querySelectorAll('data[data-field]')].map(e => [e.dataset.field, e.value, e.textContent])"


def predict(call, workers, length):
    """The formula of docs/report.md."""
    rows = [row["time_ns"] for row in call["per_worker"]]
    slices = call["slices"]
    once = call["caller_ns"]["wake"] + sum(row["wake"] for row in rows) / len(rows)
    each = length + sum(row["pass_in"] + row["pass_out"] for row in rows) / slices
    uneven = max(call["imbalance"], 1) if workers > 1 else 1
    of_one = slices / call["calls"]
    busiest = min(max(of_one / workers * uneven, math.ceil(of_one / workers)), of_one) * call["calls"]
    return (once + call["caller_ns"]["start"] / len(rows) * workers
            + call["caller_ns"]["pass_in"] + call["caller_ns"]["reassemble"] + each * busiest)


class Checks:
    def __init__(self, folder):
        self.folder = folder
        self.browser = Browser()
        self.figures = 0

    def open(self, name, **how):
        url = (self.folder / name).resolve().as_uri()
        self.browser.open(url, **how)
        self.is_quiet(name, url)
        return url

    def is_quiet(self, name, url):
        self.browser.evaluate("1")  # its messages come before this answer
        assert self.browser.complaints == [], f"{name}: {self.browser.complaints}"
        assert self.browser.requests == [url], f"{name}: {self.browser.requests}"

    def figures_are(self, name, call):
        shown = self.browser.evaluate(FIGURES)
        for field, value, text in shown:
            expected = look_up(call, field)
            assert float(value) == expected, f"{name}: {field} is {expected}, the page says {value}"
            written = text.replace("\u00a0", " ")
            assert written == human(field, expected), f"{name}: {field} is {human(field, expected)}, the page says {written}"
        fields = {field for field, _, _ in shown}
        for field in leaves(call):
            if field.endswith(NOT_AS_FIGURES) or (call["time_ns"]["compute"] == 0 and "_ns" in field):
                continue
            assert field in fields, f"{name}: {field} is not on the page"
        self.figures += len(shown)

    def words(self):
        """Halves above all: what is measured hits one now and then, and languages differ in how they round it."""
        self.open("ordinary.html")
        halves = [unit * at // 1000 for unit in (10**6, 10**9, 10**12) for at in (1050, 1250, 1750, 625_250, 625_350, 999_949, 999_950)]
        numbers = [0, 1, 999, 1000, 1050, 1250, 1350, 1750, *halves]
        for expected, name in ((human_time, "time"), (human_bytes, "bytes")):
            written = self.browser.evaluate(f"{numbers}.map(forkful.{name})")
            for number, text in zip(numbers, written, strict=True):
                assert text.replace("\u00a0", " ") == expected(number), f"{name}({number}) is {text}, not {expected(number)}"

    def page(self, name):
        calls = json.loads((self.folder / f"{name}.json").read_text())["calls"]
        url = self.open(f"{name}.html")
        if len(calls) == 1:
            self.figures_are(name, calls[0])
            assert self.browser.evaluate("document.querySelector('.advice')?.textContent ?? ''").endswith(calls[0]["advice"])
            warnings = self.browser.evaluate("[...document.querySelectorAll('section > ul:not(.legend) > li')].map(e => e.textContent)")
            assert warnings == calls[0]["warnings"], name
        wide = self.browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, f"{name}: {wide} pixels too wide"
        keep = os.environ.get("KEEP")
        if keep:
            self.browser.screenshot(f"{keep}/{name}.png")
            self.browser.pdf(f"{keep}/{name}.pdf")
            self.is_quiet(name, url)
            for mode, how in (("dark", {"dark": True}), ("narrow", {"width": 400})):
                self.open(f"{name}.html", **how)
                self.browser.screenshot(f"{keep}/{name}-{mode}.png")

    def drawn(self):
        """The fewest colours that a chart of the page has: a canvas that nobody drew on has one, axes alone have a few greys."""
        return self.browser.evaluate("""Math.min(...[...document.querySelectorAll('.timeline canvas')].map((canvas) => {
            const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            const colours = new Set();
            for (let at = 0; at < dots.length; at += 4) {
              const [red, green, blue] = dots.slice(at, at + 3);
              if (Math.max(red, green, blue) - Math.min(red, green, blue) > 40) colours.add(red * 65536 + green * 256 + blue);
            }
            return colours.size;
        }))""")

    def says(self):
        return self.browser.evaluate("document.querySelector('.says').textContent").replace("\u00a0", " ")

    def keyboard(self):
        self.open("ordinary.html")
        chunks = json.loads((self.folder / "ordinary.json").read_text())["calls"][0]["timeline"]["chunks"]
        rows = [[chunk for chunk in chunks if chunk["worker"] == worker] for worker in (0, 1)]

        def is_focused(chunk):
            last = chunk["first"] + chunk["count"] - 1
            expected = (f"slices {chunk['first']}-{last} on worker {chunk['worker']}: {human_time(chunk['end_ns'] - chunk['begin_ns'])}, "
                        f"from {human_time(chunk['begin_ns'])} to {human_time(chunk['end_ns'])}; computing ")
            assert self.says().startswith(expected), f"{self.says()!r} is not {expected!r}"

        self.browser.evaluate("document.querySelector('.timeline').focus()")
        self.browser.press("ArrowRight")
        is_focused(rows[0][0])
        self.browser.press("ArrowRight")
        is_focused(rows[0][1])
        self.browser.press("End")
        is_focused(rows[0][-1])
        self.browser.press("ArrowDown")
        assert "on worker 1" in self.says(), self.says()
        self.browser.press("Home")
        is_focused(rows[1][0])
        before = self.ticks()
        self.browser.press("+")
        zoomed = self.ticks()
        self.browser.press("0")
        assert before != zoomed and self.ticks() == before, (before, zoomed)
        # Every control can be reached without a mouse.
        assert self.browser.evaluate("[...document.querySelectorAll('button, input, select, summary, .timeline')].every(e => e.tabIndex === 0)")

    def ticks(self):
        return self.browser.evaluate("""(() => {
            const canvas = document.querySelector('.timeline canvas');
            const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return dots.reduce((sum, dot, at) => (sum * 31 + dot + at) % 1000003, 7);
        })()""")

    def sliders(self):
        self.open("ordinary.html")
        call = json.loads((self.folder / "ordinary.json").read_text())["calls"][0]
        estimated = "Number(document.querySelector('[data-estimated]').value)"
        length = call["time_ns"]["compute"] / call["slices"]
        assert math.isclose(self.browser.evaluate(estimated), predict(call, 2, length), rel_tol=1e-9)
        # Close to what was measured, or its formula is not of this call.
        assert 0.8 < predict(call, 2, length) / call["wall_ns"] < 1.2
        for workers, position in ((7, 100), (64, 30), (1, 140)):
            for name, value in (("workers", workers), ("length", position)):
                self.browser.evaluate(f"(() => {{ const slider = document.querySelector('[data-slider={name}]');"
                                      f"slider.value = {value}; slider.dispatchEvent(new Event('input')); }})()")
            found = self.browser.evaluate(estimated)
            assert math.isclose(found, predict(call, workers, 10 ** (position / 20)), rel_tol=1e-9), (workers, position, found)

    def several(self):
        for name in ("several", "program"):
            document = json.loads((self.folder / f"{name}.json").read_text())
            url = self.open(f"{name}.html")
            choices = [None] + [total for total in document["totals"] if total["calls"] > 1] + document["calls"]
            assert len(document["totals"]) > 1, name
            assert self.browser.evaluate("document.querySelector('#which-call').length") == len(choices), name
            assert self.browser.evaluate("document.querySelector('#which-call').selectedIndex") == 0, name
            assert self.drawn() > 3, self.drawn()
            # First the whole program: one timeline, and the remarks about each pool.
            advice = self.browser.evaluate("[...document.querySelectorAll('.advice')].map(e => e.textContent)")
            said = [total["advice"] for total in document["totals"]]
            assert len(advice) == len(said) and all(one.endswith(other) for one, other in zip(advice, said)), (advice, said)
            for at, call in enumerate(choices):
                if call is None:
                    continue
                self.browser.evaluate(f"(() => {{ const list = document.querySelector('#which-call'); list.selectedIndex = {at};"
                                      "list.dispatchEvent(new Event('change')); })()")
                self.figures_are(f"{name}, {at}", call)
            self.is_quiet(name, url)

    def program(self):
        """All calls of all pools on one timeline: the keyboard walks from the first call of a worker to its last."""
        document = json.loads((self.folder / "program.json").read_text())
        self.open("program.html")
        origin = min(total["began_ns"] for total in document["totals"] if total["timeline"])
        total = next(total for total in document["totals"] if total["timeline"] and total["calls"] > 20)
        chunks = [chunk for chunk in total["timeline"]["chunks"] if chunk["worker"] == 0]
        self.browser.evaluate("document.querySelector('.timeline').focus()")
        for key, chunk in (("ArrowRight", chunks[0]), ("End", chunks[-1])):
            self.browser.press(key)
            expected = f" of call {chunk['call']} on pool {total['pool']} worker 0: {human_time(chunk['end_ns'] - chunk['begin_ns'])}, from "
            expected += human_time(chunk["begin_ns"] + total["began_ns"] - origin)
            assert expected in self.says(), f"{self.says()!r} has no {expected!r}"

    def embedded(self):
        self.open("embedded.page.html")
        assert self.browser.evaluate("document.title") == "A tour"
        assert self.browser.evaluate("[...document.querySelectorAll('article')].map(e => e.dataset.drawn)") == ["1", "0"]
        sections = self.browser.evaluate("[...document.querySelectorAll('article')].map(e => e.querySelectorAll('section').length)")
        assert sections[0] == 3 and sections[1] > 5, sections
        assert self.drawn() > 3, self.drawn()

    def printed(self):
        url = self.open("crashes.html", dark=True)
        self.browser.pdf(self.folder / "crashes.pdf")
        self.is_quiet("crashes, printed", url)
        assert (self.folder / "crashes.pdf").stat().st_size > 20_000
        # Afterwards it is as it was.
        assert self.browser.evaluate("document.documentElement.dataset.print") is None
        assert self.browser.evaluate("document.querySelectorAll('details[open]').length") == 0


def main():
    folder = pathlib.Path(sys.argv[1])
    library = pathlib.Path(sys.argv[2]).read_text()
    checks = Checks(folder)
    try:
        pages = sorted(path.stem for path in folder.glob("*.html") if path.with_suffix(".json").exists())
        assert len(pages) > 15, pages
        for name in pages:
            checks.page(name)
        checks.open("ordinary.html")
        assert checks.drawn() > 3, checks.drawn()
        checks.open("ordinary.html", dark=True)
        assert checks.drawn() > 3, checks.drawn()
        checks.open("crashes.html", width=400)
        assert checks.browser.evaluate("document.querySelectorAll('article img, article script').length") == 0
        checks.words()
        checks.keyboard()
        checks.sliders()
        checks.several()
        checks.program()
        checks.embedded()
        checks.printed()
    finally:
        checks.browser.close()

    large = (folder / "large.html").read_text()
    chunks = len(json.loads((folder / "large.json").read_text())["calls"][0]["timeline"]["chunks"])
    assert chunks == 10_000 and len(large.encode()) <= 1_000_000, (chunks, len(large.encode()))
    assert library in large, "the plotting library is not the file that is kept in the repository"
    # Without scripts there is the report as text.
    assert "2 workers died" in html.unescape((folder / "crashes.html").read_text().split("<noscript>")[1].split("</noscript>")[0])
    assert checks.figures > 1_000, checks.figures
    print(f"{len(pages)} pages, {checks.figures} figures as in the reports; 10000 chunks are {len(large.encode())} bytes")


main()
