"""The trade-off: quality against bytes per video, on the half of the videos that nothing was chosen on."""
