"""`gbvis warm`: calls that are served by a process which has everything loaded, after ssh-agent's manners.

Four kinds of process: the call that the user typed (`client`) sends all that it was given to the front (`front`), which
has everything loaded but torch, and so no threads; it forks a child for the call (`child`), which becomes what the call
would have been. Networks run in the worker (`gbvis.steps.worker`), a child of the front.
"""

VARIABLE = "GBVIS_WARM"
"""The environment variable that says where a front listens."""
