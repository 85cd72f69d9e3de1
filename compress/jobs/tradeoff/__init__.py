"""`compress tradeoff`: quality against bytes, of trained encoders and of what needs no training."""
