"""Figures: pictures of runs, made of panels, colours, legends and text."""
