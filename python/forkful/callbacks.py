"""What the extension calls of the module. Imported by whatever makes it work: pools, arrays, advice.

errors comes along before anything can fail, since an import takes descriptors and memory, which may be what is missing.
"""
from . import _core, errors, failures, shipping

_core.setup(shipping.loads, shipping.load_call, shipping.enter, shipping.find_class, errors.add_note, failures.of_item,
            failures.of_call)
