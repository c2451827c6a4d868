"""What a call was: the engine's report, as Python's object.

Its figures are those of docs/report.md, under the names of the table "JSON" there; a time loses its `_ns` and
is a float of seconds. Sentences are the engine's, with Python's names for what they advise. All is made when
it is asked for: a report that the program does not look at costs nothing.
"""
import html
import json
import os
import re

endings = {'.html': 'html', '.json': 'json', '.trace': 'trace'}

# The engine's names for what a user may do, in Python's. Text is wrapped: any space may be the end of a line.
_names = [(re.compile(pattern.replace(' ', r'\s+')), name) for pattern, name in (
    (r'pool\.with\(\{\.chunk = (\d+)\}\)', r'chunksize=\1'),
    (r'write results in place with map_into, or return a forkful::shared_vector', 'return a shared_array'),
    (r'in a forkful::shared_vector, or take a std::span or std::string_view', 'in a shared_array'),
    (r'a span of a forkful::shared_vector', 'a shared_array'),
    (r'\(for_each on a forkful::shared_vector\)', '(shared_array)'),
    (r'forkful::shared_vector', 'shared_array'),
    (r'write results in place \(map_into\)', 'write results into a shared_array'),
    (r'write the results into shared memory \(map_into\)', 'write the results into a shared_array'),
    (r' \(transform_reduce\)', ''),
    (r'race them \(forkful race\)', 'measure both'),
    (r'call forkful::init first, or make pools', 'make pools'),
    (r'pool_options::record_timeline', 'timeline=True'),
    (r'max_slices_per_worker', 'maxtasksperchild'),
    (r'\bserial_pool\b', 'SerialPool'),
    (r'\bthread_pool\b', 'ThreadPool'),
    (r'\bsnapshot_pool\b', 'SnapshotPool'),
    (r'\bprocess_pool\b', 'Pool'),
)]


def in_python(text):
    """A text of the engine's, with Python's names for what it advises."""
    for pattern, name in _names:
        text = pattern.sub(name, text)
    return text


class Fields:
    """Base of what shows figures of the engine's: attributes are those of its JSON, times are seconds."""

    def to_dict(self):
        """The attributes as dicts, lists and plain values, times as seconds. A new one each time."""
        return json.loads(self.json(), object_hook=_in_seconds)

    def __getattr__(self, name):
        if name.startswith('_'):
            raise AttributeError(name)
        if '_fields' not in self.__dict__:
            self._fields = Record(self.to_dict())
        try:
            return getattr(self._fields, name)
        except AttributeError:
            known = ', '.join(vars(self._fields))
            raise AttributeError(f'{type(self).__name__} has no {name!r}; it has {known}') from None

    def __dir__(self):
        return sorted({*super().__dir__(), *self.to_dict()})


class Report(Fields):
    """Of one call. `str(r)` is the text that a person reads in ten seconds; its last line is what to do next.

    Attributes: `way`, `verb`, `wall` (seconds), `slices`, `chunks`, `workers`, `time` and `caller` (objects
    with `start`, `pass_in`, `wake`, `compute`, `idle`, `pass_out`, `reassemble`, in seconds), `per_worker` (a
    list of objects), `bytes_in`, `bytes_out`, `slowest`, `deaths`, `warnings`, `advice`: docs/report.md has
    them all. In a notebook it shows itself as the engine's page.
    """

    def __init__(self, engine_report):
        self._of = engine_report

    def text(self):
        """At most 80 columns, without colour, ending in a newline."""
        return in_python(self._of.text())

    __str__ = text

    def __repr__(self):
        return f'<forkful.Report: {self.text().splitlines()[0]}>'

    def html(self):
        """One page for a browser, which needs no network."""
        return in_python(self._of.html())

    def json(self):
        """One JSON object: the fields of docs/report.md, times in nanoseconds."""
        return in_python(self._of.json())

    def trace(self):
        """For ui.perfetto.dev, in Chrome's JSON format."""
        return in_python(self._of.trace())

    def save(self, path):
        """Writes a file: `.html` is the page, `.json` the figures, `.trace` is for ui.perfetto.dev.

        Raises ValueError for other endings, and OSError where the file cannot be written.
        """
        form = endings.get(os.path.splitext(os.fsdecode(path))[1].lower())
        if form is None:
            raise ValueError('a report is saved to a file that ends in .html, .json or .trace, and'
                             f' {os.fsdecode(path)!r} does not')
        text = getattr(self, form)()
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    def _repr_html_(self):
        return framed(self.html(), _in_three_rows(self.text()))


class Record:
    """An object with the given attributes; dicts in it, and in lists, are Records, too."""

    def __init__(self, fields):
        for name, value in fields.items():
            setattr(self, name, _as_objects(value))

    def __getattr__(self, name):
        # The names that docs/report.md explains them under.
        if name in ('peak_memory', 'peak_private'):
            return getattr(self, name + '_bytes')
        raise AttributeError(f'it has no {name!r}: docs/report.md lists what it has')

    def __repr__(self):
        return f'Record({", ".join(f"{name}={value!r}" for name, value in vars(self).items())})'

    def __eq__(self, other):
        return type(other) is Record and vars(self) == vars(other)

    __hash__ = None


def _as_objects(value):
    if isinstance(value, dict):
        return Record(value)
    return [_as_objects(one) for one in value] if isinstance(value, list) else value


def _in_seconds(fields):
    """Of one JSON object: a member whose name ends in _ns is a time, of an object each of its members."""
    for name in [name for name in fields if name.endswith('_ns')]:
        value = fields.pop(name)
        if isinstance(value, dict):
            value = {part: nanoseconds / 1e9 for part, nanoseconds in value.items()}
        else:
            value = value / 1e9
        fields[name[:-3]] = value
    return fields


def framed(page, rows):
    """HTML for a notebook's cell: the page in a frame; below it the rows, for viewers without scripts."""
    below = ''.join(f'<div>{html.escape(row)}</div>' for row in rows)
    return (f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts" title="forkful" '
            f'style="width:100%;height:640px;border:0"></iframe>\n'
            f'<div style="font-family:monospace;font-size:85%">{below}</div>')


def _in_three_rows(text):
    """What was run, what was copied, and what to do next."""
    lines = text.strip().splitlines()
    copied = [line for line in lines if line.startswith('copied')]
    start = next((at for at, line in enumerate(lines) if line.startswith('next:')), len(lines))
    following = ' '.join(line.strip() for line in lines[start:])
    return [lines[0], *copied, following] if following else lines
