"""Who plays against the agent. An opponent's move follows from the moves so far and the seed, and from
nothing else: it is the same whatever the agent looks at, and in every process."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

from learnact.domains.games.rules import hands_of, numbers_of, offers_of, payoff_table
from learnact.records import seed_from

_EXPLORES = 1.4
"""The constant of UCT."""
_CONCEDES = 0.5
"""How many of its ten points a bargainer gives up from one of its offers to the next."""


def opponent_move(name: str, state: Any, kind: str, strength: int, seed: int) -> int:
    """The opponent's action in a state in which it is its turn."""
    rng = random.Random(seed_from("games", seed, state.history()))
    if kind == "random":
        return int(rng.choice(state.legal_actions()))
    if name == "leduc_poker":
        return _by_policy(state, strength, rng)
    if name == "bargaining":
        return _bargain(state, strength)
    if name == "tiny_hanabi":
        return _convention(str(state.get_game()))[_knows(state)]
    return searched(state, strength, rng.randrange(2**31))


def searched(state: Any, simulations: int, seed: int) -> int:
    """The action that Monte Carlo tree search chooses, for games in which all is open."""
    import pyspiel

    evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
    bot = pyspiel.MCTSBot(
        state.get_game(), evaluator, _EXPLORES, simulations, max_memory_mb=100, solve=True, seed=seed,
        verbose=False,
    )  # fmt: skip
    return int(bot.step(state))


def _by_policy(state: Any, iterations: int, rng: random.Random) -> int:
    """An action of the average strategy after some iterations of counterfactual regret minimisation."""
    _, policy = _solved(str(state.get_game()), iterations)
    probabilities = policy.action_probabilities(state)
    actions = sorted(probabilities)
    return int(rng.choices(actions, [probabilities[action] for action in actions])[0])


@lru_cache(maxsize=8)
def _solved(game: str, iterations: int) -> tuple[Any, Any]:
    """The solver with its average strategy, which reads the solver's memory and must not outlive it."""
    import pyspiel

    solver = pyspiel.CFRSolver(pyspiel.load_game(game))
    for _ in range(iterations):
        solver.evaluate_and_update_policy()
    return solver, solver.average_policy()


def _bargain(state: Any, strength: int) -> int:
    """A bargainer that wants `strength` of its 10 points at first and gives up some with every offer. It
    agrees to what gives it that much; else it offers the division that is best for the other among those
    that do."""
    seat = state.current_player()
    pool, mine, _ = numbers_of(state, seat)
    offers = offers_of(state)
    wants = max(strength - _CONCEDES * (len(offers) // 2), 1.0)
    agree = next((a for a in state.legal_actions() if state.action_to_string(a) == "Agree"), None)
    if agree is not None:
        given = sum(v * (p - k) for v, p, k in zip(mine, pool, offers[-1], strict=True))
        if given >= wants:
            return int(agree)
    choices = [a for a in state.legal_actions() if a != agree]
    kept = {a: _kept(state, a) for a in choices}
    worth = {a: sum(v * k for v, k in zip(mine, kept[a], strict=True)) for a in choices}
    enough = [a for a in choices if worth[a] >= wants] or [max(choices, key=lambda a: (worth[a], -a))]
    return int(min(enough, key=lambda a: (sum(kept[a]), worth[a], a)))


def _kept(state: Any, action: int) -> list[int]:
    return [int(word) for word in state.action_to_string(action).replace(",", " ").split() if word.isdigit()]


def _knows(state: Any) -> tuple[int, ...]:
    """What the player to move knows: its card, and the first player's move."""
    cards, moves = hands_of(state)
    return (cards[len(moves)], *moves)


@lru_cache(maxsize=512)
def _convention(game: str) -> dict[tuple[int, ...], int]:
    """The strategies of both players that together give most on average: a move for all that a player may
    know. The first of several best ones."""
    import itertools

    import pyspiel

    table = payoff_table(pyspiel.load_game(game))
    cards, moves = range(len(table)), sorted({a for a, _ in table[0][0]})
    best: tuple[float, dict[tuple[int, ...], int]] = (-1.0, {})
    for signals in itertools.product(moves, repeat=len(table)):
        strategy: dict[tuple[int, ...], int] = {(card,): signals[card] for card in cards}
        total = 0.0
        for second, said in itertools.product(cards, moves):
            meant = [card for card in cards if signals[card] == said] or list(cards)
            worth = {b: sum(table[card][second][said, b] for card in meant) for b in moves}
            answer = max(moves, key=lambda b: (worth[b], -b))
            strategy[(second, said)] = answer
            total += worth[answer] if said in signals else 0.0
        if total > best[0]:
            best = (total, strategy)
    return best[1]
