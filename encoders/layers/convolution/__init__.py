"""Long dilated convolutions: by tiles of a Fourier transform on a CPU, as an image on a GPU."""
