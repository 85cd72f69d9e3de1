# %% [markdown]
# # Near neighbours, in full and in few bytes
# Vectors without labels: PCA and a product code make them small, and an index finds the nearest either way.

# %%
import numpy as np

import compress

random = np.random.default_rng(0)
centres = random.normal(size=(100, 128))
X = (centres[random.integers(100, size=2000)] + 0.7 * random.normal(size=(2000, 128))).astype(np.float32)
ids = [f"video-{number:04d}" for number in range(len(X))]

# %% [markdown]
# ## The exact answer

# %%
exact = compress.Index.build(X, ids=ids)
nearest = exact.search(X[:200], k=10)
print("nearest to", ids[0], "are", nearest.ids[0][:5])

# %% [markdown]
# ## The same in 32 bytes per row instead of 512

# %%
encoder = compress.Encoder.fit("pca", X, dim=64)
Z = encoder.encode(X)
codec = compress.Codec.fit("opq32", Z)
index = compress.Index.build(codec.encode(Z), codec=codec, ids=ids)
found = index.search(encoder.encode(X[:200]), k=10)
shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.ids, nearest.ids, strict=True)])
print(f"{codec.bytes_per_video} bytes per row find {100 * shared:.0f} % of the 10 nearest")
