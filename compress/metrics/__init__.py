"""How good scores and neighbours are: pure functions over `TopScores`, and one accumulator of it."""

from compress.metrics.accumulator import MetricAccumulator as MetricAccumulator
from compress.metrics.bootstrap import Interval as Interval
from compress.metrics.bootstrap import Replicates as Replicates
from compress.metrics.bootstrap import difference as difference
from compress.metrics.bootstrap import interval as interval
from compress.metrics.bootstrap import replicates as replicates
from compress.metrics.figures import METRICS as METRICS
from compress.metrics.figures import Figures as Figures
from compress.metrics.figures import Metric as Metric
from compress.metrics.figures import figures as figures
from compress.metrics.full_map import FullMAP as FullMAP
from compress.metrics.gap import gap as gap
from compress.metrics.hit_at_one import hit_at_one as hit_at_one
from compress.metrics.mean_average_precision import full_mean_average_precision as full_mean_average_precision
from compress.metrics.mean_average_precision import mean_average_precision as mean_average_precision
from compress.metrics.mean_average_precision import per_class_average_precision as per_class_average_precision
from compress.metrics.perr import perr as perr
from compress.metrics.perr import precision_at_equal_recall as precision_at_equal_recall
from compress.metrics.retrieval import label_precision_at_k as label_precision_at_k
from compress.metrics.retrieval import mean_average_precision_at_k as mean_average_precision_at_k
from compress.metrics.retrieval import ndcg_jaccard_at_k as ndcg_jaccard_at_k
from compress.metrics.retrieval import neighbour_recall as neighbour_recall
from compress.metrics.top_k import top_k as top_k
from compress.metrics.top_of_batch import top_of_batch as top_of_batch
from compress.metrics.top_scores import TopScores as TopScores
