# %% [markdown]
# # 1024 bytes per row to 64, and is anything lost?
# Any (n, D) array will do in place of `X`; `Y` holds its labels. Open this file as a notebook (VS Code,
# Jupyter with jupytext), or run it.

# %%
import numpy as np

import compress

random = np.random.default_rng(0)
directions = random.normal(size=(30, 256))


def videos(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 256) and labels (n, 30) of invented videos."""
    labels = random.random((n, 30)) < 0.04
    labels[np.arange(n), random.integers(30, size=n)] = True
    return (labels @ directions + 2 * random.normal(size=(n, 256))).astype(np.float32), labels


X, Y = videos(1500)
X_test, Y_test = videos(800)

# %% [markdown]
# ## Compress
# With labels, a linear encoder is trained for them; `opq64` stores each row in 64 bytes.

# %%
small = compress.Compressor(dim=64, codec="opq64").fit(X, Y)
codes, test_codes = small.transform(X), small.transform(X_test)
print(f"{X[0].nbytes} bytes per row before, {small.bytes_per_row_} after")

# %% [markdown]
# ## Judge
# A new classifier is trained on the original rows, another one on what the codes give back. Both are measured
# on rows that neither has seen, and compared row by row.

# %%
before = compress.judge(X, Y, X_test, Y_test)
after = compress.judge(small.inverse_transform(codes), Y, small.inverse_transform(test_codes), Y_test)
print(before, after, after.minus(before), sep="\n\n")
