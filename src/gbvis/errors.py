"""The one error that is meant for people."""


class GbvisError(Exception):
    """Something the user can mend, said in two lines.

    Attributes:
        problem: What was found, where, and what was expected; lower case, no full stop.
        hint: What to do next.
        exit_code: 1 where one video fails and the others go on, 2 where the call itself is wrong.
        ends_call: True where the others would fail too: the call is wrong, or there is no room for its results.
    """

    def __init__(self, problem: str, hint: str, exit_code: int = 1, ends_call: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.exit_code = exit_code
        self.ends_call = ends_call or exit_code != 1
