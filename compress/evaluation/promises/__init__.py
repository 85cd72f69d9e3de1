"""The smallest store that keeps a promise: chosen on one half of the validation set, proven on the other.

promise.py  the promise, a change with its lower bound, the order of the stores
choice.py   tests the stores in order on the confirmation half, up to the first that fails
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
