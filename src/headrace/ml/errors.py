"""Every error a user can meet, as one tree.

HeadraceError
├── DataError                  a table cannot be used
│   ├── SourceError            the file, folder or database cannot be read
│   ├── ParseError             a row of the source does not parse
│   ├── TargetError            the target column cannot be learnt
│   └── ColumnError            a named column is absent, duplicated or of the wrong kind
├── CharterError               the charter is not valid
├── HyperparameterError        a hyperparameter is unknown or out of range
├── OptionError                an option of a command or function is not valid
├── BudgetError                no model could be fitted inside the budget
├── ModelError                 a saved model is damaged, foreign or too new
│   ├── InputError             rows given for prediction do not fit the model
│   └── ParityError            two executions of the same model disagree
├── OutputError                a result cannot be written (disk full, no permission, in the way)
├── NotBuiltError              the task is recognised and not built yet
├── MissingExtraError          an optional package is needed and absent
└── RunInterrupted             the user stopped the run; it can be resumed

Each message is one sentence: what was wrong with which value, where, and what to do.
"""


class HeadraceError(Exception):
    """Root of all errors that a user can meet; `exit_code` is what the command line returns."""

    exit_code = 2


class DataError(HeadraceError):
    """A table cannot be used."""


class SourceError(DataError):
    """The file, folder or database cannot be read."""


class ParseError(DataError):
    """A row of the source does not parse."""


class TargetError(DataError):
    """The target column cannot be learnt."""


class ColumnError(DataError):
    """A named column is absent, duplicated or of the wrong kind."""


class CharterError(HeadraceError):
    """The charter is not valid."""


class HyperparameterError(HeadraceError):
    """A hyperparameter is unknown or out of range."""


class OptionError(HeadraceError):
    """An option of a command or function is not valid."""


class BudgetError(HeadraceError):
    """No model could be fitted inside the budget."""

    exit_code = 1


class ModelError(HeadraceError):
    """A saved model is damaged, foreign or too new."""


class InputError(ModelError):
    """Rows given for prediction do not fit the model."""


class ParityError(ModelError):
    """Two executions of the same model disagree."""

    exit_code = 1


class OutputError(HeadraceError):
    """A result cannot be written."""

    exit_code = 1


class NotBuiltError(HeadraceError):
    """The task is recognised and not built yet."""


class MissingExtraError(HeadraceError):
    """An optional package is needed and absent."""


class RunInterrupted(HeadraceError):  # noqa: N818 (a stop is no error)
    """The user stopped the run; it can be resumed."""

    exit_code = 130
