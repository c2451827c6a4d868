"""The talk's cells in a real kernel, with the one import line changed; what is made anew after the pool."""
import pytest

nbformat = pytest.importorskip('nbformat')
nbclient = pytest.importorskip('nbclient')
pytest.importorskip('ipykernel')

# (cell, what it gives: the value's text, or what it prints). The first are the talk's.
cells = [
    ('def makeCake():\n    return [f"slice_{i}" for i in range(4)]', ''),
    ('def EatSlice(cakeSlice):\n    return f"{cakeSlice}_eaten"', ''),
    ('cake = makeCake()\nfor cakeSlice_i, cakeSlice in enumerate(cake):\n    print(f"Eating slice {cakeSlice_i}")\n'
     '    cake[cakeSlice_i] = EatSlice(cakeSlice)', ''.join(f'Eating slice {i}\n' for i in range(4))),
    ('cake', "['slice_0_eaten', 'slice_1_eaten', 'slice_2_eaten', 'slice_3_eaten']"),
    ('EatSliceLambda = lambda cakeSlice: f"{cakeSlice}_eaten"\nEatSliceLambda("Slice")', "'Slice_eaten'"),
    ('chocolateCake = list(map(EatSliceLambda, makeCake()))\nchocolateCake',
     "['slice_0_eaten', 'slice_1_eaten', 'slice_2_eaten', 'slice_3_eaten']"),
    ('import forkful as multiprocessing', ''),
    ('strawberryCake = makeCake()\nstrawberryCake', "['slice_0', 'slice_1', 'slice_2', 'slice_3']"),
    ('def EatSliceParallel(cakeSlice_i):\n'
     '    strawberryCake[cakeSlice_i] = EatSlice(strawberryCake[cakeSlice_i])', ''),
    ('with multiprocessing.Pool(2) as pool:\n    pool.map(EatSliceParallel, range(len(strawberryCake)))', ''),
    ('strawberryCake', "['slice_0', 'slice_1', 'slice_2', 'slice_3']"),      # the original is untouched
    # Ours.
    ('pool = multiprocessing.Pool(2)\npool.map(EatSliceLambda, strawberryCake)',
     "['slice_0_eaten', 'slice_1_eaten', 'slice_2_eaten', 'slice_3_eaten']"),
    ('factor = 3\ndef times(x):\n    return x * factor\npool.map(times, range(4))', '[0, 3, 6, 9]'),
    ('factor = 4\npool.map(times, range(4))', '[0, 4, 8, 12]'),
    ('def times(x):\n    return x + factor\npool.map(times, range(4))', '[4, 5, 6, 7]'),
    ('class Slice:\n    def __init__(self, n):\n        self.n = n\n'
     'made = pool.map(Slice, range(3))\n[type(s) is Slice for s in made], [s.n for s in made]',
     '([True, True, True], [0, 1, 2])'),
    ('manager = multiprocessing.Manager()\nshared = manager.list(makeCake())\n'
     'def eat(i):\n    shared[i] = EatSlice(shared[i])\npool.map(eat, range(4))\nlist(shared)',
     "['slice_0_eaten', 'slice_1_eaten', 'slice_2_eaten', 'slice_3_eaten']"),
    # To the cell that made the pool, as with multiprocessing: a worker's stream has that cell's header.
    ('with multiprocessing.Pool(2) as own:\n    own.map(lambda i: print("worker prints"), [0])\n'
     '    own.close()\n    own.join()',
     'worker prints\n'),
    ('import os\n[type(o.error).__name__ for o in pool.try_map(lambda i: i and os._exit(i), [0, 3, 0])]',
     "['NoneType', 'WorkerCrashed', 'NoneType']"),
    ('pool.terminate()\nmanager.shutdown()\nwith multiprocessing.SnapshotPool(2) as snapshot:\n'
     '    got = snapshot.map(lambda i: times(i) + len(strawberryCake), range(2))\ngot', '[8, 9]'),
]


def text_of(cell):
    text = ''
    for output in cell.outputs:
        text += output.text if output.output_type == 'stream' else output.data['text/plain']
    return text


def test_the_talks_notebook():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source, _ in cells])
    nbclient.NotebookClient(notebook, timeout=30, startup_timeout=50, kernel_name='python3').execute()
    assert [text_of(cell) for cell in notebook.cells] == [expected for _, expected in cells]
