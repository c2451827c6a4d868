"""What became of one item of try_map: its value, or the exception that it met."""


class Outcome:
    """`ok`; `value`, which raises `error` if there is one; `error`, else None. True if `ok`; it pickles."""
    __slots__ = ('_value', 'error')

    def __init__(self, value=None, error=None):
        self._value = value
        self.error = error

    @property
    def ok(self):
        return self.error is None

    @property
    def value(self):
        if self.error is not None:
            raise self.error
        return self._value

    def __bool__(self):
        return self.error is None

    def __repr__(self):
        return f'Outcome({self._value!r})' if self.ok else f'Outcome(error={self.error!r})'
