"""Networks of the user's own: a function builds them, and gbvis runs it only where the call names it.

No file ever chooses this kind: it is not among `kind.KINDS`.
"""
