"""The option that says whether positive and negative saliency can be compared."""

from typing import Annotated

from gbvis.cli.option_groups import option

SaliencyScale = Annotated[
    str,
    option(
        "--saliency-scale",
        metavar="shared|own",
        text="One scale for positive and negative saliency, or one each.",
    ),
]
