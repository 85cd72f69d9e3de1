"""Every hot path beside its rival, in turn in one process a row; not part of what is installed.

    python -m benchmarks              every row; --quick, --only NAME, --list, --json FILE, --markdown FILE
    python -m benchmarks scale        does a video cost the same, and memory stay flat, at 100 times as many?
    python -m benchmarks end-to-end   seconds from shards to a searchable store, stage by stage

row        what a row is: its two sides, its goal, the work it cannot do without
paths/     one file a path: what is compared, that both give the same answer, then the two calls
rivals/    what people would use instead, or the definition written plainly
measure    two calls in turn, A B B A, medians
limits     what this machine can do at most: matrix products, memory, checksums, the disk
run        rows -> results                 results    what was measured, and what follows from it
"""
