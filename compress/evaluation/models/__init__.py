"""How good trained runs are with their own heads, one alone or the mean of several."""

from compress.evaluation.models.current import model_is_current as model_is_current
from compress.evaluation.models.measure import evaluate_models as evaluate_models
from compress.evaluation.models.members import Member as Member
from compress.evaluation.models.members import load_members as load_members
from compress.evaluation.models.members import precisions_of as precisions_of
from compress.evaluation.models.videos import TrainingVideos as TrainingVideos
from compress.evaluation.models.videos import Views as Views
from compress.evaluation.models.videos import common as common
from compress.evaluation.models.videos import pair_views as pair_views
from compress.evaluation.models.videos import training_videos as training_videos
