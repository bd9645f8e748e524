"""The one exception for what a user can cause."""


class UserError(Exception):
    """Something the user gave cannot be used: one sentence that names what was wrong and what to do.

    Programs print the sentence on stderr and exit with status 2, never a traceback.
    """
