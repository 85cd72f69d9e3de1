"""What encoders are built from: recurrent cells, convolutions, norms, pooling over the frames."""
