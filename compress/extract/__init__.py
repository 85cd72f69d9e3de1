"""Raw videos to frame-level and video-level shards of the YouTube-8M layout (needs the extra `video`).

videos      which files, and the id of each
frames      the frames to look at, decoded by PyAV: rate, rotation, damage
pictures    what a backbone wants to see: resized, cropped, turned upright
sound       the sound track as mono samples; log-mel patches of it
backbones   networks from pictures or patches to features
processes   one function over many items in several processes
features    every video through the backbones, in several processes, kept on disk video by video
projection  PCA with whitening and 8-bit quantisation, fitted once and kept
shards      kept features through the projection into shards
labels      labels of the videos from a table
folder      the folder of an extraction: what is in it, and whether it is what is asked for
account     what a person is told of an extraction
"""
