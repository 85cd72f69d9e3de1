"""Which store of the fewest bytes keeps a promise, chosen on one half of the videos and proven on the other.

promise.py    what is promised: by how much each figure may drop, and how sure that must be
change.py     one change and how low it may be in truth
half_test.py  the changes of a store against the baseline on one half
order.py      from the selection half: which stores are tried, and in which order
choice.py     from the confirmation half: each tried in turn, up to the first that fails
"""

from compress.evaluation.promises.change import Change as Change
from compress.evaluation.promises.choice import Choice as Choice
from compress.evaluation.promises.choice import Tried as Tried
from compress.evaluation.promises.choice import choose as choose
from compress.evaluation.promises.half_test import Candidate as Candidate
from compress.evaluation.promises.half_test import Scores as Scores
from compress.evaluation.promises.promise import OPTIONS as OPTIONS
from compress.evaluation.promises.promise import QUANTITIES as QUANTITIES
from compress.evaluation.promises.promise import Promise as Promise
from compress.evaluation.promises.promise import Quantity as Quantity
