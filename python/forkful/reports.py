"""What a call was: the engine's report, as Python's object."""


class Report:
    """Of one call. str() is the text that a person reads; the fields are those of docs/report.md."""

    def __init__(self, engine_report):
        self._of = engine_report

    def __str__(self):
        return self._of.text()
