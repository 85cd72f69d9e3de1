"""The layer of a QRNN: one matrix product for all gates, then pooling over time by any of several methods."""
