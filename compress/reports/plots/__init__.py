"""Drawing: SVG, scales, where labels go."""
