"""Attribution: methods that say how much each pixel of a clip matters for a target, and the recipes of results."""
