"""From rows to packs: what one forward pass computes, as numpy arrays, for any backend.

    TrainingRow ──encode──► EncodedRow ──batches──► rows of a step ──pack──► Packs

A pack merges rows into a tree over their tokens: rows that begin alike (system prompt, document) share that part, and
each token sees exactly its ancestors at its own depth, so every row is computed as if it were alone. The order of
rows is a pure function of (seed, epoch): the step number is all that a checkpoint has to remember.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lab_desktop.artifacts import ChatMessage, TrainingRow

ChatRow = Callable[[Sequence[ChatMessage]], tuple[Sequence[int], Sequence[int]]]
"""Messages to (prompt tokens, answer tokens) in the model's own chat template; the answer ends with the end of turn."""


@dataclass(frozen=True)
class EncodedRow:
    """A training row in tokens; fields as in `TrainingRow`."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    learns_prompt: bool = False
    keeps_base: bool = False

    @property
    def tokens(self) -> tuple[int, ...]:
        return self.prompt + self.answer

    @property
    def first_learned(self) -> int:
        """Place of the first token that is learned; the very first token has nothing before it to be foretold from."""
        return 1 if self.learns_prompt else max(1, len(self.prompt))

    @property
    def learned(self) -> int:
        """How many tokens the loss counts."""
        return len(self.prompt) + len(self.answer) - self.first_learned


@dataclass(frozen=True)
class Pack:
    """Several rows as one sequence of tree nodes, and what is learned where.

    Attributes:
        tokens: (T,) int64, every parent before its children.
        positions: (T,) int64, depth in the tree: the token's place in its row.
        sees: (T, T) bool, sees[i, j] where j is i or an ancestor of i.
        index: (N,) int64, the node after which a token is learned.
        token: (N,) int64, the token that comes next there (of no account where `is_base`).
        weight: (N,) float32, for how many rows it stands.
        is_base: (N,) bool, the target is the base model's distribution and not `token`.
        rows: what it was merged from.
        nodes: for each row the nodes of its tokens but the last, in order.
        base_place: (N,) int64, where `is_base`: which of the learned places of `base_rows`, counted through; else -1.
    """

    tokens: np.ndarray
    positions: np.ndarray
    sees: np.ndarray
    index: np.ndarray
    token: np.ndarray
    weight: np.ndarray
    is_base: np.ndarray
    rows: tuple[EncodedRow, ...]
    nodes: tuple[np.ndarray, ...]
    base_place: np.ndarray

    def seen_within(self, window: int) -> np.ndarray:
        """(T, T) bool: `sees` for a layer that looks only `window` tokens back along a row, itself included; 0: all."""
        near = self.positions[:, None] - self.positions[None] < window
        return self.sees & near if window else self.sees

    @property
    def base_rows(self) -> tuple[EncodedRow, ...]:
        """The `keeps_base` rows in it."""
        return tuple(row for row in self.rows if row.keeps_base)

    @property
    def answer_weight(self) -> float:
        """Learned tokens of the rows in it, without the `keeps_base` ones."""
        return float(self.weight[~self.is_base].sum())

    @property
    def base_weight(self) -> float:
        """Learned tokens of the `keeps_base` rows in it."""
        return float(self.weight[self.is_base].sum())


_FAMILY_TOKENS = 64
"""Rows that share at least so many first tokens share a document or examples, not only a system prompt."""


def encode(rows: Iterable[TrainingRow], chat_row: ChatRow, max_tokens: int) -> tuple[list[EncodedRow], int]:
    """Rows in tokens, and how many were left out because they are longer than `max_tokens` or have no answer."""
    encoded = []
    left_out = 0
    for row in rows:
        prompt, answer = chat_row(row.messages)
        one = EncodedRow(tuple(prompt), tuple(answer), row.learns_prompt, row.keeps_base)
        if one.learned < 1 or len(one.tokens) > max_tokens:
            left_out += 1
        else:
            encoded.append(one)
    return encoded, left_out


def batches(
    rows: Sequence[EncodedRow], seed: int, epoch: int, rows_per_step: int, together: int = 1
) -> list[list[EncodedRow]]:
    """The rows of each step of an epoch: each row once, shuffled by (seed, epoch), steps of nearly equal size.

    Args:
        together: so many rows that begin alike (a long document) stay neighbours, so that packs can share what they
            begin with. 1 mixes all.
    """
    random = np.random.default_rng((seed, epoch))
    if together > 1:
        groups = [
            [int(number) for number in part]
            for family in _families(rows)
            for part in np.array_split(random.permutation(family), -(-len(family) // together))
        ]
        order = [number for place in random.permutation(len(groups)) for number in groups[place]]
    else:
        order = random.permutation(len(rows)).tolist()
    steps = -(-len(rows) // rows_per_step)
    return [[rows[number] for number in step] for step in np.array_split(order, steps)] if steps else []


def _families(rows: Sequence[EncodedRow]) -> list[list[int]]:
    """Numbers of rows that begin with the same long text; a row like no other is a family of its own."""
    line = sorted(range(len(rows)), key=lambda number: rows[number].tokens)
    found: list[list[int]] = []
    for place, number in enumerate(line):
        if place and _shared(rows[line[place - 1]].tokens, rows[number].tokens) >= _FAMILY_TOKENS:
            found[-1].append(number)
        else:
            found.append([number])
    return found


def general_batch(rows: Sequence[EncodedRow], seed: int, first: int, count: int) -> list[EncodedRow]:
    """`count` rows from number `first` on of an endless line in which all rows come round and round, shuffled anew."""
    line: list[EncodedRow] = []
    for number in range(first, first + count if rows else first):
        turn, place = divmod(number, len(rows))
        line.append(rows[np.random.default_rng((seed, turn)).permutation(len(rows))[place]])
    return line


def pack(rows: Sequence[EncodedRow], pack_tokens: int) -> list[Pack]:
    """Merge rows into packs of at most `pack_tokens` nodes (a longer row gets its own) at the least total cost.

    Rows are sorted, so those that begin alike are neighbours, and the sorted line is cut at the best places (dynamic
    programming over cuts).
    """
    line = in_line(rows)
    return [merge(line[start:end]) for start, end in _cuts(line, pack_tokens)]


def in_line(rows: Sequence[EncodedRow]) -> list[EncodedRow]:
    """The rows in an order in which those that begin alike are neighbours."""
    return sorted(rows, key=lambda row: (row.tokens, row.keeps_base))


def merge(rows: Sequence[EncodedRow]) -> Pack:
    """One pack of these rows. Its loss is the sum of the rows' own losses: what they share counts once for each."""
    node_of: dict[tuple[int, int], int] = {}
    tokens: list[int] = []
    parents: list[int] = []
    targets: dict[tuple[int, int, bool], float] = {}
    base_place: dict[int, int] = {}
    base_places = 0
    nodes = []
    for row in rows:
        path: list[int] = []
        node = -1
        first = row.first_learned
        line = row.tokens
        for place, token in enumerate(line):
            if place >= first:
                # What the base says does not depend on the token written in the row.
                key = (node, 0 if row.keeps_base else token, row.keeps_base)
                targets[key] = targets.get(key, 0.0) + 1.0
                if row.keeps_base:
                    base_place.setdefault(node, base_places)
                    base_places += 1
            if place == len(line) - 1:
                break  # nothing is foretold from the last token, so it need not be computed
            child = node_of.get((node, token))
            if child is None:
                child = node_of[node, token] = len(tokens)
                tokens.append(token)
                parents.append(node)
            node = child
            path.append(node)
        nodes.append(np.array(path, np.int64))
    count = len(tokens)
    sees = np.zeros((count, count), bool)
    positions = np.zeros(count, np.int64)
    for node, parent in enumerate(parents):
        if parent >= 0:
            sees[node] = sees[parent]
            positions[node] = positions[parent] + 1
        sees[node, node] = True
    keys = sorted(targets)
    return Pack(
        tokens=np.array(tokens, np.int64),
        positions=positions,
        sees=sees,
        index=np.array([key[0] for key in keys], np.int64),
        token=np.array([key[1] for key in keys], np.int64),
        weight=np.array([targets[key] for key in keys], np.float32),
        is_base=np.array([key[2] for key in keys], bool),
        rows=tuple(rows),
        nodes=tuple(nodes),
        base_place=np.array([base_place[key[0]] if key[2] else -1 for key in keys], np.int64),
    )


# What a pack costs, in the time of one token: a part for each pack (starting some hundred small operations, reading
# every weight) and a part for dense attention. Estimates for the practice model on two cores.
_PACK_COST = 60.0
_ATTENTION_COST = 1 / 2500


def _cuts(rows: Sequence[EncodedRow], pack_tokens: int) -> list[tuple[int, int]]:
    new = [len(row.tokens) - 1 for row in rows]  # nodes a row adds after the row before it
    for number in range(1, len(rows)):
        new[number] -= _shared(rows[number - 1].tokens, rows[number].tokens)
    best = [0.0] + [float("inf")] * len(rows)
    start_of = [0] * (len(rows) + 1)
    for start, row in enumerate(rows):
        size = 0
        for end in range(start + 1, len(rows) + 1):
            size += len(row.tokens) - 1 if end == start + 1 else new[end - 1]
            if size > pack_tokens and end > start + 1:
                break
            cost = best[start] + _PACK_COST + size + size * size * _ATTENTION_COST
            if cost < best[end]:
                best[end], start_of[end] = cost, start
    cuts = []
    end = len(rows)
    while end:
        cuts.append((start_of[end], end))
        end = start_of[end]
    return cuts[::-1]


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    shared = 0
    # Neither row's last token becomes a node.
    for left, right in zip(one[:-1], other[:-1], strict=False):
        if left != right:
            break
        shared += 1
    return shared
