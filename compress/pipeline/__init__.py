"""Makes what is missing: the rows of the papers' tables, the points of the trade-off, the demo.

A pipeline is a list of targets in an order. A `Target` (engine.py) knows

    name, facts     what it is called, and what a plan lists about it
    status()        how far it is: a `State`, the epochs done, or the reason why it does not fit
    work(costs)     what is left to make, each with estimated seconds and memory
    steps()         the jobs that make it, in order
    essential       whether the others are pointless without it

and the engine does the rest, the same for all:

    plan            targets -> `Planned`: status, cost (shared work is counted once), or a `Failure` for one
                    that cannot be made
    make_missing    makes what is missing in order, goes on after one fails, stops on Ctrl-C between steps;
                    called again it continues

maker           the jobs of one workspace, with the settings that all targets share
costs           what trainings, encoders, fresh heads and resampling cost, measured on a few steps
stores          the target that trade-off and demo share: a store judged by a fresh head
paper_tables    rows of Tables 2, 3, QRNN and 4
tradeoff        points of quality against bytes, from `tradeoff_points` and `tradeoff_runs`
demo            sample data to Table 4 in minutes, in the folder that `demo_folder` prepares
"""
