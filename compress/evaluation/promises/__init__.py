"""Which store of the fewest bytes keeps a promise, chosen on one half of the videos and proven on the other.

promise.py  what is promised, one change and how low it may be in truth, and the order of the stores
choice.py   each store tried in turn on the confirmation half, up to the first that fails
"""

from compress.evaluation.promises.choice import Candidate as Candidate
from compress.evaluation.promises.choice import Choice as Choice
from compress.evaluation.promises.choice import Scores as Scores
from compress.evaluation.promises.choice import Tried as Tried
from compress.evaluation.promises.choice import choose as choose
from compress.evaluation.promises.promise import OPTIONS as OPTIONS
from compress.evaluation.promises.promise import QUANTITIES as QUANTITIES
from compress.evaluation.promises.promise import Change as Change
from compress.evaluation.promises.promise import Promise as Promise
from compress.evaluation.promises.promise import Quantity as Quantity
