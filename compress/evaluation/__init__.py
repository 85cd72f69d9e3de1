"""Does it still work? Fresh heads trained on stored embeddings, neighbours of stored videos, trained runs."""

from compress.evaluation.measure import evaluate as evaluate
from compress.evaluation.models import evaluate_models as evaluate_models
from compress.evaluation.models import model_is_current as model_is_current
