"""Encoders: features -> embedding, and heads: embedding -> class logits.

    list_encoders(), encoder_level(name), config_class(name)
    build_encoder(name, options) -> Encoder    encoder(features) or encoder(frames, num_frames) -> (B, dim)
    list_heads(), build_head(name, dim, num_classes, options) -> Head
    build_model(ModelConfig(...)) -> Model     model.embed(inputs), model(inputs), model.loss(inputs, targets)
    set_convolution_method(module, method)     how ResidualCNN computes its convolutions; default "auto"

Importing this package registers every encoder and head. A new encoder is one file: a config dataclass, a
class with @register(name, config), and a line below. Errors are ValueErrors that say what was expected.
"""

from encoders.autoencoder import AutoencoderConfig as AutoencoderConfig
from encoders.autoencoder import AutoencoderEncoder as AutoencoderEncoder
from encoders.blended import Blended as Blended
from encoders.bottleneck import prefix_embedding as prefix_embedding
from encoders.dbof import DBoFConfig as DBoFConfig
from encoders.dbof import DBoFEncoder as DBoFEncoder
from encoders.encoder import Encoder as Encoder
from encoders.encoder import EncoderConfig as EncoderConfig
from encoders.encoder import Level as Level
from encoders.encoder import TrainingOutput as TrainingOutput
from encoders.frame_statistics import FrameStatisticsConfig as FrameStatisticsConfig
from encoders.frame_statistics import FrameStatisticsEncoder as FrameStatisticsEncoder
from encoders.heads import Asymmetric as Asymmetric
from encoders.heads import ClassWeighted as ClassWeighted
from encoders.heads import Criterion as Criterion
from encoders.heads import Head as Head
from encoders.heads import HeadConfig as HeadConfig
from encoders.heads import Logistic as Logistic
from encoders.heads import MoE as MoE
from encoders.heads import MoEConfig as MoEConfig
from encoders.heads import build_head as build_head
from encoders.heads import cross_entropy as cross_entropy
from encoders.heads import effective_number_weights as effective_number_weights
from encoders.heads import list_heads as list_heads
from encoders.identity import IdentityConfig as IdentityConfig
from encoders.identity import IdentityEncoder as IdentityEncoder
from encoders.input_norm import InputNorm as InputNorm
from encoders.input_norm import InputNormConfig as InputNormConfig
from encoders.input_norm import dequantize as dequantize
from encoders.layers.convolution.positions import Method as Method
from encoders.layers.convolution.positions import set_convolution_method as set_convolution_method
from encoders.layers.fully_connected import FullyConnectedConfig as FullyConnectedConfig
from encoders.linear import LinearConfig as LinearConfig
from encoders.linear import LinearEncoder as LinearEncoder
from encoders.lstm import BiLSTMConfig as BiLSTMConfig
from encoders.lstm import BiLSTMEncoder as BiLSTMEncoder
from encoders.lstm import LSTMConfig as LSTMConfig
from encoders.lstm import LSTMEncoder as LSTMEncoder
from encoders.lstm import ResidualLSTMConfig as ResidualLSTMConfig
from encoders.lstm import ResidualLSTMEncoder as ResidualLSTMEncoder
from encoders.lstm import StackedBiLSTMConfig as StackedBiLSTMConfig
from encoders.lstm import StackedBiLSTMEncoder as StackedBiLSTMEncoder
from encoders.mlp import MLPConfig as MLPConfig
from encoders.mlp import MLPEncoder as MLPEncoder
from encoders.model import Inputs as Inputs
from encoders.model import Model as Model
from encoders.model import ModelConfig as ModelConfig
from encoders.model import build_model as build_model
from encoders.model import count_parameters as count_parameters
from encoders.model import model_config as model_config
from encoders.multi_modal import MultiModalConfig as MultiModalConfig
from encoders.multi_modal import MultiModalEncoder as MultiModalEncoder
from encoders.nextvlad import NeXtVLADConfig as NeXtVLADConfig
from encoders.nextvlad import NeXtVLADEncoder as NeXtVLADEncoder
from encoders.qrnn import QRNNConfig as QRNNConfig
from encoders.qrnn import QRNNEncoder as QRNNEncoder
from encoders.registry import build_encoder as build_encoder
from encoders.registry import config_class as config_class
from encoders.registry import encoder_level as encoder_level
from encoders.registry import encoder_title as encoder_title
from encoders.registry import list_encoders as list_encoders
from encoders.registry import register as register
from encoders.residual_cnn import ResidualCNN as ResidualCNN
from encoders.residual_cnn import ResidualCNNConfig as ResidualCNNConfig
from encoders.residual_cnn import ResidualCNNFC as ResidualCNNFC
from encoders.torch_settings import keep_freed_memory as keep_freed_memory
from encoders.transformer import TransformerConfig as TransformerConfig
from encoders.transformer import TransformerEncoder as TransformerEncoder
