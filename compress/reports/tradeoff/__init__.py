"""The trade-off: quality against bytes a video, on the half of the videos that chose nothing."""
