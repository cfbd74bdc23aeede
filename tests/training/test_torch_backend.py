from __future__ import annotations

import gguf
import numpy as np
import pytest
import torch

from lab_desktop import paths
from lab_desktop.errors import ModelError, TrainingError
from lab_desktop.training.batches import EncodedRow, merge, pack
from lab_desktop.training.torch_backend import TorchBackend
from tests.fakes import tiny_model
from tests.training.students import row, rows_about_a_document


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


def backend_of(model, **options):
    return TorchBackend(model, rank=4, scale=2.0, seed=0, precision=torch.float32, **options)


def taught(backend, steps=3):
    """With factors that are not zero, so that the adapter says something."""
    rows = rows_about_a_document()
    for _ in range(steps):
        backend.gradient(merge(rows), 1 / 20, 0.0)
        backend.apply(1e-2)
    return backend


def llama_cpp_logits(model, tokens):
    import llama_cpp

    exact = int(gguf.GGMLQuantizationType.F32)
    # It keeps keys and values in half precision unless told otherwise.
    llama = llama_cpp.Llama(
        str(model), n_ctx=len(tokens) + 8, logits_all=True, verbose=False, type_k=exact, type_v=exact, flash_attn=False
    )
    llama.eval(list(tokens))
    scores = np.array(llama.scores[: len(tokens)])
    llama.close()
    return scores


def line_of(tokens):
    """One row as a pack of its own."""
    return merge([EncodedRow(tuple(tokens), (0,))])


def test_logits_are_those_of_llama_cpp_on_the_same_file(tiny):
    tokens = [int(token) for token in np.random.default_rng(1).integers(0, 256, 60)]

    difference = backend_of(tiny).logits(line_of(tokens)) - llama_cpp_logits(tiny, tokens)

    assert np.abs(difference).max() < 1e-3


def test_logits_of_a_quantised_file_are_those_of_llama_cpp_but_for_its_rounding(tmp_path):
    model = tiny_model(tmp_path / "tiny.gguf", quantization=gguf.GGMLQuantizationType.Q8_0)
    tokens = [int(token) for token in np.random.default_rng(1).integers(0, 256, 60)]

    ours = backend_of(model).logits(line_of(tokens))

    # With such weights llama.cpp rounds what goes through them to eight bits as well; we do not.
    difference = ours - llama_cpp_logits(model, tokens)
    assert np.sqrt((difference**2).mean()) < 0.03 * ours.std()


@pytest.mark.slow
def test_logits_of_the_practice_model_are_those_of_llama_cpp():
    tokens = [int(token) for token in np.random.default_rng(1).integers(100, 40000, 60)]

    ours = backend_of(paths.practice_model()).logits(line_of(tokens))

    theirs = llama_cpp_logits(paths.practice_model(), tokens)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.995
    assert (ours.argmax(-1) == theirs.argmax(-1)).mean() > 0.85


def test_packed_rows_have_the_logits_of_separate_rows(tiny):
    backend = taught(backend_of(tiny))
    rows = rows_about_a_document()
    packed = merge(rows)

    together = backend.logits(packed)

    for each in rows:
        alone = backend.logits(merge([each]))
        node_of = {}
        for node in range(len(packed.tokens)):
            seen = np.flatnonzero(packed.sees[node])
            node_of[tuple(packed.tokens[seen])] = node
        nodes = [node_of[each.tokens[: place + 1]] for place in range(len(each.tokens) - 1)]
        assert np.abs(together[nodes] - alone).max() < 1e-3


def test_packed_rows_have_the_loss_and_gradients_of_separate_rows(tiny):
    rows = [*rows_about_a_document(), row("Hello", "Good day", keeps_base=True), row("Hell", "o!", keeps_base=True)]
    alone, together = taught(backend_of(tiny)), taught(backend_of(tiny))

    one = np.sum([alone.gradient(merge([each]), 0.1, 0.3) for each in rows], axis=0)
    other = np.sum([together.gradient(each, 0.1, 0.3) for each in pack(rows, 150)], axis=0)

    assert one == pytest.approx(other, rel=1e-5)
    assert one[1] > 0
    theirs = together.gradients()
    for name, gradient in alone.gradients().items():
        assert np.abs(gradient - theirs[name]).max() < 1e-4 * max(1.0, np.abs(gradient).max())


@pytest.mark.parametrize("frozen_share", [0.0, 0.5])
def test_reading_rows_ahead_changes_nothing(tiny, frozen_share):
    general = [row("Hello", "Good day", keeps_base=True), row("Hell", "o!", keeps_base=True)]
    rows = [*rows_about_a_document(), *general]
    plain, prepared = (taught(backend_of(tiny, frozen_share=frozen_share)) for _ in range(2))
    assert ("0" in {name.split(".")[2] for name in plain.factors()}) == (not frozen_share)
    told = []
    prepared.prepare([row("What else?", "Nothing."), *rows], tell=lambda done, packs: told.append((done, packs)))

    # Which layers are called shows that what was read ahead is used.
    called = []
    prepared._layers[0].register_forward_pre_hook(lambda *_: called.append(0))
    losses = [backend.gradient(merge(rows), 0.1, 0.3) for backend in (plain, prepared)]

    assert len(called) == (0 if frozen_share else 1)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for name, gradient in plain.gradients().items():
        assert np.abs(gradient - prepared.gradients()[name]).max() < 1e-5 * max(1.0, np.abs(gradient).max()), name
    assert told[0][0] == 0
    assert told[-1] == (told[0][1], told[0][1])


def test_what_the_base_thinks_of_a_row_is_computed_once(tiny, monkeypatch):
    rows = [*rows_about_a_document(), row("Hello", "Good day", keeps_base=True)]
    backend = taught(backend_of(tiny))
    first = backend.gradient(merge(rows), 0.1, 0.3)
    passes = []
    hidden = backend._hidden
    monkeypatch.setattr(backend, "_hidden", lambda each: passes.append(each) or hidden(each))

    assert backend.gradient(merge(rows), 0.1, 0.3) == first
    assert len(passes) == 1


def test_gradients_are_those_of_plain_autograd(tiny):
    rows = [*rows_about_a_document(), row("Hello", "Good day", keeps_base=True)]
    backend = taught(backend_of(tiny))
    packed = merge(rows)
    for each in pack(rows, 1000):
        backend.gradient(each, 0.1, 0.3)

    # The slow way: merge every factor into its weight and let autograd walk through all of it.
    reference = backend_of(tiny)
    factors = {name: torch.tensor(values, requires_grad=True) for name, values in backend.factors().items()}
    base = torch.tensor(reference.logits(packed)).log_softmax(-1)
    weights = {
        f"{module}.weight": reference._network.model.get_submodule(module).weight
        + 2.0 * factors[f"{module}.lora_b"] @ factors[f"{module}.lora_a"]
        for module in {name.rpartition(".")[0] for name in factors}
    }
    for module in reference._adapted.values():
        module.is_on = False
    network = reference._network
    network.model.model.rotary_emb.inv_freq = torch.from_numpy(network.plan.rotations[0].speeds)
    hidden = torch.func.functional_call(
        network.model.model,
        {name.removeprefix("model."): value for name, value in weights.items()},
        kwargs={
            "input_ids": torch.tensor(packed.tokens)[None],
            "position_ids": torch.tensor(packed.positions)[None],
            "attention_mask": torch.where(torch.tensor(packed.sees), 0.0, -1e9)[None, None],
            "use_cache": False,
        },
    ).last_hidden_state[0]
    scores = network.model.lm_head(hidden).log_softmax(-1)
    loss = 0.0
    for index, token, weight, is_base in zip(packed.index, packed.token, packed.weight, packed.is_base, strict=True):
        if is_base:
            loss += 0.3 * weight * (base[index].exp() * (base[index] - scores[index])).sum()
        else:
            loss -= 0.1 * weight * scores[index, token]
    loss.backward()

    for name, gradient in backend.gradients().items():
        wanted = factors[name].grad.numpy()
        assert np.abs(gradient - wanted).max() < 1e-4 * max(1.0, np.abs(wanted).max()), name


def test_saving_memory_changes_no_gradient(tiny):
    plain, saving = taught(backend_of(tiny)), taught(backend_of(tiny, saves_memory=True))
    packed = merge(rows_about_a_document())

    assert plain.gradient(packed, 0.1, 0.0) == saving.gradient(packed, 0.1, 0.0)
    assert all(np.array_equal(values, saving.gradients()[name]) for name, values in plain.gradients().items())


def test_a_fresh_adapter_changes_nothing(tiny):
    backend = backend_of(tiny)
    packed = merge(rows_about_a_document())

    assert np.abs(backend.logits(packed) - backend.logits(packed, with_adapter=False)).max() == 0


def test_loss_falls_and_held_out_accuracy_rises_on_a_few_rows(tiny):
    backend = TorchBackend(tiny, rank=8, scale=2.0, seed=0)
    rows = rows_about_a_document()
    packs = pack(rows, 400)
    count = sum(each.answer_weight for each in packs)
    before = backend.evaluate(packs)

    for _ in range(60):
        for each in packs:
            backend.gradient(each, 1 / count, 0.0)
        backend.apply(1e-2)

    after = backend.evaluate(packs)
    assert after[0] < before[0] / 4
    assert after[1] > 0.8 > before[1]


def test_rows_that_keep_the_base_hold_the_student_near_it(tiny):
    learned = rows_about_a_document()
    kept = [row("Hello", "Good day"), row("Twice two", "four")]

    def drift(base_rows):
        backend = backend_of(tiny)
        for _ in range(40):
            for each in pack([*learned, *base_rows], 400):
                backend.gradient(each, 1 / 80, 2 / 20)
            backend.apply(1e-2)
        packed = merge(kept)
        one, other = (
            torch.tensor(backend.logits(packed, with_adapter=adapted)).log_softmax(-1)[packed.index]
            for adapted in (False, True)
        )
        return float((one.exp() * (one - other)).sum(-1).mean())

    unguarded = drift([])
    guarded = drift([EncodedRow(each.prompt, each.answer, keeps_base=True) for each in kept])

    assert guarded < unguarded / 10


def test_an_adapter_of_another_rank_is_refused(tiny):
    backend = TorchBackend(tiny, rank=2, scale=2.0, seed=0)

    with pytest.raises(TrainingError, match="another model"):
        backend.load_factors(backend_of(tiny).factors())


def test_a_family_that_cannot_be_trained_is_named(tmp_path):
    path = tmp_path / "other.gguf"
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    with pytest.raises(ModelError, match='"mamba", which cannot be taught'):
        backend_of(path)


def test_a_model_whose_output_is_its_embedding_is_tied(tmp_path, tiny):
    backend = backend_of(tiny)
    assert backend._network.head.data_ptr() != backend._network.model.model.embed_tokens.weight.data_ptr()

    reader = gguf.GGUFReader(tiny)
    path = tmp_path / "tied.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith(("GGUF.", "general.architecture")):
            kind = field.types[0]
            writer.add_key_value(field.name, field.contents(), kind, field.types[-1] if len(field.types) > 1 else None)
    for tensor in reader.tensors:
        if tensor.name != "output.weight":
            writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    tokens = list(range(40, 80))

    assert np.abs(backend_of(path).logits(line_of(tokens)) - llama_cpp_logits(path, tokens)).max() < 1e-3
