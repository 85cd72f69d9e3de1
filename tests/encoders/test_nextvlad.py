"""NeXtVLAD against the paper's sum of residuals, one frame, group and cluster at a time."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from encoders import build_encoder, count_parameters
from encoders.layers import pooling
from encoders.layers.grouped_vlad import ContextGating, GroupedVLAD
from encoders.layers.norm import BatchNorm
from encoders.nextvlad import NeXtVLADEncoder
from tests.encoders.examples import small_encoder

LENGTHS = torch.tensor([8, 1, 3, 7, 2])


def frames_like(lengths: Tensor, longest: int = 8, width: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(len(lengths), longest, width, dtype=torch.float64, generator=generator)


def shaken(module: torch.nn.Module) -> torch.nn.Module:
    """In double precision, with norms that have seen something and learned something."""
    torch.manual_seed(6)
    for part in module.double().modules():
        if isinstance(part, BatchNorm):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            for parameter in part.parameters():
                torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return module


def normed(norm: BatchNorm, x: Tensor) -> Tensor:
    x = (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight
    return x if norm.bias is None else x + norm.bias


def vlad_of_one_video(vlad: GroupedVLAD, frames: Tensor) -> Tensor:
    """(T, inputs) without padding -> (K * D,), every residual written out."""
    width, clusters = vlad.group_width, vlad.clusters
    total = torch.zeros(clusters, width, dtype=frames.dtype)
    for frame in frames:
        expanded = vlad.expand.weight @ frame + vlad.expand.bias
        gates = 1 / (1 + torch.exp(-(vlad.gate.weight @ expanded + vlad.gate.bias)))
        scores = normed(vlad.assign_norm.norm, vlad.assign.weight @ expanded)
        for g in range(vlad.groups):
            group = expanded[g * width : (g + 1) * width]
            shares = torch.exp(scores[g * clusters : (g + 1) * clusters])
            for k in range(clusters):
                total[k] += gates[g] * shares[k] / shares.sum() * (group - vlad.centres[k])
    return torch.cat([row / row.square().sum().sqrt() for row in total])


def one_video(encoder: NeXtVLADEncoder, frames: Tensor) -> Tensor:
    """(T, input_dim) without padding -> (hidden_size,)."""
    vlad = normed(encoder.vlad_norm, vlad_of_one_video(encoder.vlad, frames))
    hidden = normed(encoder.hidden_norm, encoder.hidden.weight @ vlad)
    if encoder.config.hidden_activation == "relu":
        hidden = hidden.clamp_min(0)
    if not encoder.config.gating_reduction:
        return hidden
    gating = encoder.gating
    inner = normed(gating.norm, gating.squeeze.weight @ hidden).clamp_min(0)
    return hidden / (1 + torch.exp(-(gating.excite.weight @ inner)))


@pytest.mark.parametrize("options", [{}, {"gating_reduction": 0}, {"hidden_activation": "none"}])
@pytest.mark.parametrize("sizes", [{}, {"groups": 4, "expansion": 3, "clusters": 5}, {"groups": 1}])
def test_evaluation_equals_a_loop_over_frames_groups_and_clusters(
    options: dict[str, object], sizes: dict[str, int]
) -> None:
    encoder = shaken(small_encoder("nextvlad", dim=0, **options, **sizes))
    frames = frames_like(LENGTHS)
    embedding = encoder(frames, LENGTHS)
    assert embedding.shape == (5, 24)
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(embedding[row], one_video(encoder, frames[row, :length]))


def test_training_norms_the_assignments_over_the_valid_frames() -> None:
    vlad = GroupedVLAD(16, expansion=2, groups=4, clusters=3, momentum=1.0).double().train()
    frames = frames_like(LENGTHS)
    trained = vlad(frames, LENGTHS)
    valid = torch.cat([frames[row, :length] for row, length in enumerate(LENGTHS.tolist())])
    scores = F.linear(vlad.expand(valid), vlad.assign.weight)
    norm = vlad.assign_norm.norm
    torch.testing.assert_close(norm.running_mean, scores.mean(0))
    norm.running_var.copy_(scores.var(0, unbiased=False))  # what the batch itself was normed by
    for row, length in enumerate(LENGTHS.tolist()):
        torch.testing.assert_close(trained[row], vlad_of_one_video(vlad, frames[row, :length]))


def test_padding_changes_neither_training_nor_its_gradients() -> None:
    frames, results = frames_like(LENGTHS), []
    padding = torch.arange(8) >= LENGTHS[:, None]
    dirty = frames.masked_fill(padding[:, :, None], float("nan"))
    longer = torch.cat([dirty, torch.full((5, 4, 16), 50.0, dtype=torch.float64)], dim=1)
    for x in (frames, longer):
        encoder = small_encoder("nextvlad", dropout=0.0).double().train()
        embedding = encoder(x, LENGTHS)
        gradients = torch.autograd.grad(embedding.square().sum(), list(encoder.parameters()))
        results.append((embedding, *gradients, *encoder.buffers()))
    for short, long in zip(*results, strict=True):
        torch.testing.assert_close(long, short, rtol=1e-9, atol=1e-12)


def test_each_cluster_has_unit_length_but_for_a_video_without_frames() -> None:
    vlad = GroupedVLAD(16, expansion=2, groups=8, clusters=5)
    lengths = torch.where(nothing := torch.tensor([True, False, False, False, True]), 0, LENGTHS)
    frames = frames_like(LENGTHS).float().requires_grad_()
    lengthwise = vlad(frames, lengths).view(5, 5, vlad.group_width).norm(dim=2)
    torch.testing.assert_close(lengthwise, (~nothing).float()[:, None].expand(5, 5))
    (gradient,) = torch.autograd.grad(lengthwise.sum(), frames)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("training", [False, True])
def test_videos_without_frames_give_one_finite_constant(training: bool) -> None:
    encoder = small_encoder("nextvlad", dropout=0.0).train(training)
    embedding = encoder(torch.randn(3, 4, 16), torch.tensor([0, 4, 0]))
    assert torch.isfinite(embedding).all()
    assert torch.equal(embedding[0], embedding[2])


def test_no_tensor_holds_the_residuals() -> None:
    """T * G * K * D numbers per video would be 128 times the memory of the weights at the default sizes."""
    encoder = build_encoder("nextvlad", {"input_dim": 64, "clusters": 16, "hidden_size": 8}).train()
    sizes: list[int] = []

    def watch(saved: Tensor) -> Tensor:
        sizes.append(saved.numel())
        return saved

    batch, frames = 4, 50
    with torch.autograd.graph.saved_tensors_hooks(watch, lambda saved: saved):
        encoder(torch.randn(batch, frames, 64), torch.full((batch,), frames)).sum().backward()
    assert max(sizes) == batch * frames * max(2 * 64, 8 * 16)


def test_chunks_of_videos_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = small_encoder("nextvlad").double()
    frames = frames_like(LENGTHS)
    expected = encoder(frames, LENGTHS)
    monkeypatch.setattr(pooling, "BUDGET", 2 * 8 * 32)
    torch.testing.assert_close(encoder(frames, LENGTHS), expected)


def test_dropout_is_on_the_vlad_vector_in_training_only() -> None:
    encoder = small_encoder("nextvlad", dropout=0.9)
    frames, lengths = torch.randn(6, 8, 16), torch.full((6,), 8)
    assert torch.equal(encoder(frames, lengths), encoder(frames, lengths))
    encoder.train()
    assert not torch.equal(encoder(frames, lengths), encoder(frames, lengths))


@pytest.mark.parametrize(("input_dim", "clusters"), [(1152, 64), (1152, 128), (1024, 128), (128, 64)])
def test_the_number_of_parameters_is_the_sum_of_the_layers(input_dim: int, clusters: int) -> None:
    with torch.device("meta"):
        encoder = build_encoder("nextvlad", {"input_dim": input_dim, "clusters": clusters})
    expanded, width = 2 * input_dim, 2 * input_dim // 8 * clusters
    vlad = (input_dim + 1) * expanded + (expanded + 1) * 8 + expanded * 8 * clusters + width
    gating = 2 * 1024 * 128 + 2 * 128
    norms = 2 * 8 * clusters + width + 2 * 1024
    assert count_parameters(encoder) == vlad + width * 1024 + gating + norms
    assert encoder.dim == 1024


def test_gating_keeps_at_least_one_number() -> None:
    assert ContextGating(4, reduction=8).squeeze.weight.shape == (1, 4)


def test_wrong_options_are_refused() -> None:
    for wrong, message in (
        ({"input_dim": 129, "expansion": 1}, "= 129 must be a multiple of groups = 8"),
        ({"groups": 7}, "= 2304 must be a multiple of groups = 7"),
        ({"clusters": 0}, "clusters must be positive"),
        ({"gating_reduction": -1}, "gating_reduction must not be negative"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\)"),
    ):
        with pytest.raises(ValueError, match=message):
            build_encoder("nextvlad", wrong)
    with pytest.raises(ValueError, match="= 10 must be a multiple of groups = 4"):
        GroupedVLAD(5, expansion=2, groups=4, clusters=3)
