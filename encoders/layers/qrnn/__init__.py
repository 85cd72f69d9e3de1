"""The layer of a QRNN: one matrix product for all gates, then pooling over time by one of several methods."""
