"""Encoders: features -> embedding, and heads: embedding -> class log-odds.

    list_encoders(), encoder_level(name), config_class(name)
    build_encoder(name, options) -> Encoder    encoder(features) or encoder(frames, num_frames) -> (B, dim)
    list_heads(), build_head(name, dim, num_classes, options) -> Head
    build_model(ModelConfig(...)) -> Model     model.embed(inputs), model(inputs), model.loss(inputs, targets)
    set_convolution_method(module, method)     how ResidualCNN computes its convolutions; default "auto"

Importing this package registers every encoder and head. A new encoder is one file: a config dataclass, a
class with @register(name, config), and a line below. Errors are ValueErrors that say what was expected.
"""

from encoders.autoencoder import AutoencoderConfig, AutoencoderEncoder
from encoders.blended import Blended
from encoders.bottleneck import prefix_embedding
from encoders.dbof import DBoFConfig, DBoFEncoder
from encoders.encoder import Encoder, EncoderConfig, Level, TrainingOutput
from encoders.frame_statistics import FrameStatisticsConfig, FrameStatisticsEncoder
from encoders.heads import (
    Asymmetric,
    ClassWeighted,
    Criterion,
    Head,
    HeadConfig,
    Logistic,
    MoE,
    MoEConfig,
    build_head,
    cross_entropy,
    effective_number_weights,
    list_heads,
)
from encoders.identity import IdentityConfig, IdentityEncoder
from encoders.input_norm import InputNorm, InputNormConfig, dequantize
from encoders.layers.convolution.positions import Method, set_convolution_method
from encoders.layers.fully_connected import FullyConnectedConfig
from encoders.linear import LinearConfig, LinearEncoder
from encoders.lstm import (
    BiLSTMConfig,
    BiLSTMEncoder,
    LSTMConfig,
    LSTMEncoder,
    ResidualLSTMConfig,
    ResidualLSTMEncoder,
    StackedBiLSTMConfig,
    StackedBiLSTMEncoder,
)
from encoders.mlp import MLPConfig, MLPEncoder
from encoders.model import Inputs, Model, ModelConfig, build_model, count_parameters, model_config
from encoders.multi_modal import MultiModalConfig, MultiModalEncoder
from encoders.nextvlad import NeXtVLADConfig, NeXtVLADEncoder
from encoders.qrnn import QRNNConfig, QRNNEncoder
from encoders.registry import (
    build_encoder,
    config_class,
    encoder_level,
    encoder_title,
    list_encoders,
    register,
)
from encoders.residual_cnn import ResidualCNN, ResidualCNNConfig, ResidualCNNFC
from encoders.torch_settings import keep_freed_memory
from encoders.transformer import TransformerConfig, TransformerEncoder

__all__ = [
    "Asymmetric",
    "AutoencoderConfig",
    "AutoencoderEncoder",
    "BiLSTMConfig",
    "BiLSTMEncoder",
    "Blended",
    "ClassWeighted",
    "Criterion",
    "DBoFConfig",
    "DBoFEncoder",
    "Encoder",
    "EncoderConfig",
    "FrameStatisticsConfig",
    "FrameStatisticsEncoder",
    "FullyConnectedConfig",
    "Head",
    "HeadConfig",
    "IdentityConfig",
    "IdentityEncoder",
    "InputNorm",
    "InputNormConfig",
    "Inputs",
    "LSTMConfig",
    "LSTMEncoder",
    "Level",
    "LinearConfig",
    "LinearEncoder",
    "Logistic",
    "MLPConfig",
    "MLPEncoder",
    "Method",
    "MoE",
    "MoEConfig",
    "Model",
    "ModelConfig",
    "MultiModalConfig",
    "MultiModalEncoder",
    "NeXtVLADConfig",
    "NeXtVLADEncoder",
    "QRNNConfig",
    "QRNNEncoder",
    "ResidualCNN",
    "ResidualCNNConfig",
    "ResidualCNNFC",
    "ResidualLSTMConfig",
    "ResidualLSTMEncoder",
    "StackedBiLSTMConfig",
    "StackedBiLSTMEncoder",
    "TrainingOutput",
    "TransformerConfig",
    "TransformerEncoder",
    "build_encoder",
    "build_head",
    "build_model",
    "config_class",
    "count_parameters",
    "cross_entropy",
    "dequantize",
    "effective_number_weights",
    "encoder_level",
    "encoder_title",
    "keep_freed_memory",
    "list_encoders",
    "list_heads",
    "model_config",
    "prefix_embedding",
    "register",
    "set_convolution_method",
]
