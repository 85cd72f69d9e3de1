"""Learning from finished models: their probabilities are targets, for videos without labels the only ones.

A teacher, or the mean of several, gives soft targets beside the labels (Hinton, Vinyals and Dean, Distilling
the Knowledge in a Neural Network, 2015; for YouTube-8M e.g. Skalic and Austin, Building a Size Constrained
Predictive Model for Video Classification, 2018).
"""

from compress.training.distillation.distillation import Distillation as Distillation
from compress.training.distillation.teachers import Teacher as Teacher
from compress.training.distillation.teachers import Teachers as Teachers
from compress.training.distillation.teachers import load_teachers as load_teachers
