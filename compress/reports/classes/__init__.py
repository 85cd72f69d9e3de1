"""Rare and frequent classes: average precision by frequency, the Zipf plot, classes that changed most."""
