"""Every ```python block of README.md and docs/*.md is run, and prints what the ```text block right behind it says.

- A block is a program of its own, run as __main__, with line numbers of the page in what it says.
- <!-- python: continues --> above a block: it goes on where the block before it ended, in the same process.
- `...` in a text block stands for anything, for figures that vary. Above a text block that is all figures stands
  <!-- python: varies -->: then something has to be printed, no matter what. A block without a text block behind it
  prints nothing.
- The page has to exist and to have examples: nothing passes by not being there.
"""
import os
import pathlib
import re
import subprocess
import sys

import pytest

import forkful

root = pathlib.Path(__file__).resolve().parents[2]
here = pathlib.Path(forkful.__file__).parents[1]
pages = sorted({root / 'README.md', *root.glob('docs/*.md')})
must_have_examples = {'README.md', 'docs/python.md'}
LIMIT = 120         # seconds for a program
between = '\x1e'    # printed between blocks that continue each other

_fence = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_mark = re.compile(r'<!-- python: (\w+) -->\n\Z')


class Block:
    def __init__(self, page, line, code):
        self.name = f'{page.relative_to(root)}:{line}'
        self.line, self.code = line, code
        self.expected, self.varies = '', False

    def says(self, printed):
        return printed.strip() != '' if self.varies else says(self.expected, printed)


def marks_above(text):
    """The words of the marks at the end of the text."""
    marks = set()
    while mark := _mark.search(text):
        marks.add(mark[1])
        text = text[:mark.start()]
    assert marks <= {'continues', 'varies'}, marks
    return marks


def blocks_of(page):
    """Its programs: lists of blocks that continue each other."""
    text = page.read_text()
    programs, last = [], None
    for found in _fence.finditer(text):
        kind, content = found.groups()
        marks = marks_above(text[:found.start()])
        if kind == 'python':
            last = Block(page, text.count('\n', 0, found.start()) + 2, content)
            if 'continues' in marks:
                programs[-1].append(last)
            else:
                programs.append([last])
            continue
        if kind == 'text' and last is not None:
            last.expected, last.varies = content, 'varies' in marks
        last = None
    return programs


examples = {page: blocks_of(page) for page in pages}
programs = [program for page in pages for program in examples[page]]


def as_program(blocks):
    """One script of them, each at the line that it has in its page."""
    script = ''
    for block in blocks:
        if script:
            script = script.rstrip('\n') + f'\nprint({between!r}, end="", flush=True)\n'
        script += '\n' * (block.line - 1 - script.count('\n')) + block.code
    return script


def says(expected, printed):
    """Whether what was printed is what the page says, `...` standing for anything."""
    pattern = '.*?'.join(re.escape(part) for part in expected.split('...'))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


@pytest.mark.parametrize('page', sorted(must_have_examples))
def test_a_page_has_examples(page):
    assert any(block.expected for program in examples[root / page] for block in program)


@pytest.mark.parametrize('blocks', programs, ids=lambda blocks: blocks[0].name)
def test_an_example_prints_what_the_page_says(blocks, tmp_path):
    script = tmp_path / 'program.py'
    script.write_text(as_program(blocks))
    path = os.pathsep.join([str(here), *filter(None, [os.environ.get('PYTHONPATH')])])
    ran = subprocess.run([sys.executable, script.name], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True,
                         text=True, timeout=LIMIT, env={**os.environ, 'PYTHONPATH': path})
    assert ran.returncode == 0, f'{blocks[0].name} failed:\n{ran.stderr}'
    printed = ran.stdout.split(between)
    assert len(printed) == len(blocks)
    for block, text in zip(blocks, printed):
        assert block.says(text), f'{block.name} printed\n{text}\nand the page says\n{block.expected}'


def test_what_varies_is_written_as_three_dots():
    assert says('1 of ...\n', '1 of 7\n') and says('...\nend\n', 'many\nlines\nend\n')
    assert not says('1\n', '2\n') and not says('a...\n', 'b\n') and not says('', 'something\n')
    assert not says('1 (2)\n', '1 2\n')


PAGE = """A page.
```python
for i in range(2):
    print(i)
```
```text
0
1
```
Words.
<!-- python: continues -->
```python
print(i + 1)
```
<!-- python: varies -->
```text
2 and more
```
```sh
false
```
```text
of something else
```
"""


def test_blocks_are_read_with_their_marks_and_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], 'root', tmp_path)
    page = tmp_path / 'page.md'
    page.write_text(PAGE)
    (first, second), = blocks_of(page)
    assert (first.name, first.expected, first.varies) == ('page.md:3', '0\n1\n', False)
    assert (second.line, second.expected, second.varies) == (13, '2 and more\n', True)
    assert second.says('3') and not second.says('\n') and not first.says('3')
    lines = as_program([first, second]).splitlines()
    assert lines[2] == 'for i in range(2):' and lines[12] == 'print(i + 1)'
