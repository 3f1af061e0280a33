"""What resolved work orders say about engineers: how fast they are at a skill, and how often the first visit fixes it.

Few orders say little, and old ones less: each engineer's figure is drawn toward that of all engineers at the skill
(empirical Bayes, the strength taken from how far engineers really lie apart), and an order counts half after
each half-life. Orders about asset models that take everybody longer, or that nobody fixes at once, are not held against
those who are sent to them. Everything is pure, and the same orders in any sequence give the same figures.

First-time fixes are beta-binomial, durations log-normal with a common variance that has an inverse gamma prior. Every
level of drawing has a weak prior of its own (the constants below), so that one order is already a legal history.

References:
    Casella, G. (1985). An introduction to empirical Bayes data analysis. The American Statistician 39(2), 83-87.
    Kleinman, J. C. (1973). Proportions with extraneous variance. JASA 68(341), 46-54: moments of the beta-binomial.
    DerSimonian, R., Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7(3), 177-188:
        moments of the variance between groups.
    Ibrahim, J. G., Chen, M.-H. (2000). Power prior distributions for regression models. Statistical Science 15(1),
        46-60: observations that count less than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, fsum, log, sqrt

HALF_LIFE_DAYS = 180.0
"""After so many days an order counts half."""
LARGEST_RATIO = 8.0
"""Durations beyond so many times the estimate, or below its inverse, count as this: an end was reported too late."""
_Z90 = 1.6448536269514722
_DAY_SECONDS = 86_400

# Weak priors: worth so many orders, or so many engineers, of evidence.
_MODEL_ORDERS = 10.0
_SPREAD_ENGINEERS = 4.0
_SPREAD_OF_FIXES = 1 / 11  # intraclass correlation: an engineer's own record weighs as much as the group's after 10
_SPREAD_OF_PACE = 0.15**2  # variance of the engineers' log factors
_NOISE_ORDERS = 10.0
_NOISE_OF_PACE = 0.4**2  # variance of one order's log ratio


@dataclass(frozen=True, slots=True)
class ResolvedOrder:
    """What one resolved order says about one engineer and one skill it required.

    Attributes:
        engineer: The engineer's id.
        skill: A skill that the order required.
        resolved_at: When it was resolved, in epoch seconds UTC; an instant after `now` counts as now.
        asset_model: The type of machine, if known.
        first_time_fix: Whether this visit fixed it for good; None says nothing about it.
        actual_seconds: How long the work took, 1 or more; None, here or below, says nothing about the pace.
        estimated_seconds: The estimate, 1 or more, without the engineer's own factor. Where the engineer only stood
            in for the skill, with the factor of the substitution, which the planner multiplies by anyway.

    Raises:
        ValueError: an empty id, or seconds below 1.
    """

    engineer: str
    skill: str
    resolved_at: int
    asset_model: str | None = None
    first_time_fix: bool | None = None
    actual_seconds: int | None = None
    estimated_seconds: int | None = None

    def __post_init__(self) -> None:
        if not self.engineer or not self.skill:
            raise ValueError("a resolved order needs the ids of an engineer and a skill")
        for name, seconds in (("actual", self.actual_seconds), ("estimated", self.estimated_seconds)):
            if seconds is not None and seconds < 1:
                raise ValueError(f"{name}_seconds {seconds} must be 1 or more")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its uncertainty: it lies between `low` and `high` with a probability of 90 %.

    `orders` is how many orders of today the engineer's own evidence is worth; 0 is the group's figure alone.
    """

    value: float
    low: float
    high: float
    orders: float


@dataclass(frozen=True, slots=True)
class Experience:
    """An engineer at a skill; None where no order says anything.

    Attributes:
        duration_factor: Multiplies the estimate; above 1 is slower. The middle value (median) to expect.
        fix_probability: That one visit fixes the fault, 0 to 1.
    """

    engineer: str
    skill: str
    duration_factor: Estimate | None
    fix_probability: Estimate | None


@dataclass(frozen=True, slots=True)
class History:
    """The figures of a group of engineers.

    Attributes:
        experiences: By (engineer, skill), one for each pair with a resolved order, sorted.
        groups: By skill, what to expect of an engineer without any; its `engineer` is empty.
    """

    experiences: Mapping[tuple[str, str], Experience]
    groups: Mapping[str, Experience]

    def of(self, engineer: str, skill: str) -> Experience | None:
        """The engineer's figures at a skill, those of the group without any; None for a skill of no resolved order."""
        own = self.experiences.get((engineer, skill))
        if own is None and skill in self.groups:
            return replace(self.groups[skill], engineer=engineer)
        return own


def learn(resolved: Iterable[ResolvedOrder], *, now: int, half_life_days: float = HALF_LIFE_DAYS) -> History:
    """Figures for every engineer and skill that resolved orders name, and for each skill's group.

    Args:
        resolved: The orders, in any sequence; one that required several skills stands once for each.
        now: Epoch seconds UTC; ages are counted up to then, and what was resolved later is left out.
        half_life_days: After so many days an order counts half, above 0.

    Raises:
        ValueError: a half-life of 0 or less.

    Example:
        >>> day = 86_400
        >>> orders = [ResolvedOrder("Li", "pump", day, None, True, 2700, 3600) for _ in range(20)]
        >>> orders += [ResolvedOrder("Wu", "pump", day, None, n > 0, 3600, 3600) for n in range(2)]
        >>> found = learn(orders, now=day)
        >>> li, wu = found.experiences.values()
        >>> li.duration_factor.value < wu.duration_factor.value < 1
        True
        >>> wu.fix_probability.low < 0.7 < wu.fix_probability.value
        True
    """
    if not half_life_days > 0:
        raise ValueError(f"a half-life of {half_life_days} days must be above 0")
    by_skill: dict[str, list[tuple[ResolvedOrder, float]]] = {}
    for order in resolved:
        if order.resolved_at > now:
            continue
        age_days = (now - order.resolved_at) / _DAY_SECONDS
        by_skill.setdefault(order.skill, []).append((order, 0.5 ** (age_days / half_life_days)))
    experiences: dict[tuple[str, str], Experience] = {}
    groups: dict[str, Experience] = {}
    for skill in sorted(by_skill):
        orders = [(order, weight) for order, weight in by_skill[skill] if weight > 0]
        paces = _paces([_Sample.of_pace(order, weight) for order, weight in orders if _has_pace(order)])
        fixes = _fixes([_Sample.of_fix(order, weight) for order, weight in orders if order.first_time_fix is not None])
        for engineer in sorted({order.engineer for order, _ in by_skill[skill]}):
            pace, fix = (found.get(engineer, found.get(None)) for found in (paces, fixes))
            experiences[engineer, skill] = Experience(engineer, skill, pace, fix)
        groups[skill] = Experience("", skill, paces.get(None), fixes.get(None))
    return History({key: experiences[key] for key in sorted(experiences)}, groups)


def engineer_fields(experiences: Iterable[Experience]) -> dict[str, dict[str, dict[str, float]]]:
    """By engineer, the fields `duration_factors` and `fix_probability` of a planning document's `engineers[]`.

    Values have three decimals. What no order says anything about is left out.

    Example:
        >>> pace = Estimate(0.90019, 0.8, 1.0, 12.0)
        >>> engineer_fields([Experience("Li", "pump", pace, None)])
        {'Li': {'duration_factors': {'pump': 0.9}}}
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for item in experiences:
        for name, estimate in (("duration_factors", item.duration_factor), ("fix_probability", item.fix_probability)):
            if estimate is not None:
                fields = found.setdefault(item.engineer, {})
                fields.setdefault(name, {})[item.skill] = round(estimate.value, 3)
    return found


@dataclass(frozen=True, slots=True)
class _Sample:
    """One observation: `value` is 0 or 1 for a fix, the logarithm of actual / estimated for a pace."""

    engineer: str
    asset_model: str | None
    value: float
    weight: float

    @classmethod
    def of_pace(cls, order: ResolvedOrder, weight: float) -> _Sample:
        ratio = (order.actual_seconds or 1) / (order.estimated_seconds or 1)
        ratio = min(LARGEST_RATIO, max(1 / LARGEST_RATIO, ratio))
        return cls(order.engineer, order.asset_model, log(ratio), weight)

    @classmethod
    def of_fix(cls, order: ResolvedOrder, weight: float) -> _Sample:
        return cls(order.engineer, order.asset_model, float(bool(order.first_time_fix)), weight)


def _has_pace(order: ResolvedOrder) -> bool:
    return order.actual_seconds is not None and order.estimated_seconds is not None


_ByEngineer = Mapping[str | None, Estimate]
"""Under None what to expect of an engineer without orders."""


def _paces(samples: Sequence[_Sample]) -> _ByEngineer:
    if not samples:
        return {}
    # The group is drawn toward its estimates by one imagined order that took as long as estimated.
    total = _weight(samples)
    group = _sum(samples) / (total + 1)
    offsets: dict[str | None, float] = {
        model: fsum(s.weight * (s.value - group) for s in own) / (_weight(own) + _MODEL_ORDERS)
        for model, own in _by_model(samples).items()
    }
    engineers = _by_engineer(
        [
            _Sample(s.engineer, s.asset_model, s.value - group - offsets.get(s.asset_model, 0.0), s.weight)
            for s in samples
        ]
    )
    means = {name: _sum(own) / _weight(own) for name, own in engineers.items()}
    weights = {name: _weight(own) for name, own in engineers.items()}
    squares = fsum(s.weight * (s.value - means[s.engineer]) ** 2 for own in engineers.values() for s in own)
    freedom = fsum(weights[name] - fsum(s.weight**2 for s in own) / weights[name] for name, own in engineers.items())
    noise = (_NOISE_ORDERS * _NOISE_OF_PACE + squares) / (_NOISE_ORDERS + freedom)
    middle = fsum(weights[name] * means[name] for name in engineers) / total
    apart = fsum(weights[name] * (means[name] - middle) ** 2 for name in engineers)
    room = total - fsum(weight**2 for weight in weights.values()) / total
    measured = max(0.0, apart - (len(engineers) - 1) * noise) / room if room > 0 else 0.0
    spread = _with_prior(_SPREAD_OF_PACE, measured, weights.values(), noise / _SPREAD_OF_PACE)

    def estimate(mean: float, weight: float) -> Estimate:
        strength = noise / spread
        centre = group + weight * mean / (weight + strength)
        error = _Z90 * sqrt(noise / (weight + strength) + noise / (total + 1))
        return Estimate(exp(centre), exp(centre - error), exp(centre + error), weight)

    return {None: estimate(0.0, 0.0)} | {name: estimate(means[name], weights[name]) for name in engineers}


def _fixes(samples: Sequence[_Sample]) -> _ByEngineer:
    if not samples:
        return {}
    # Jeffreys' prior keeps the group away from 0 and 1.
    total, fixed = _weight(samples), _sum(samples)
    group = (fixed + 0.5) / (total + 1)
    rates: dict[str | None, float] = {
        model: (_MODEL_ORDERS * group + _sum(own)) / (_MODEL_ORDERS + _weight(own))
        for model, own in _by_model(samples).items()
    }
    engineers = _by_engineer(samples)
    weights = {name: _weight(own) for name, own in engineers.items()}
    pooled = fixed / total
    variance = pooled * (1 - pooled)
    apart = fsum(weights[name] * (_sum(own) / weights[name] - pooled) ** 2 for name, own in engineers.items())
    room = total - fsum(weight**2 for weight in weights.values()) / total - (len(engineers) - 1)
    measured = (apart / variance - (len(engineers) - 1)) / room if room > 0 and variance > 0 else 0.0
    measured = min(1.0, max(0.0, measured))
    spread = _with_prior(_SPREAD_OF_FIXES, measured, weights.values(), 1 / _SPREAD_OF_FIXES - 1)
    strength = 1 / spread - 1

    def estimate(own: Sequence[_Sample]) -> Estimate:
        weight = _weight(own)
        expected = fsum(s.weight * rates.get(s.asset_model, group) for s in own) / weight if own else group
        good = strength * expected + _sum(own)
        bad = strength * (1 - expected) + weight - _sum(own)
        # What the engineer makes of the machines he had, as odds, at the group's machines.
        centre = log(good / bad) + _logit(group) - _logit(expected)
        error = _Z90 * sqrt(1 / good + 1 / bad)
        return Estimate(_expit(centre), _expit(centre - error), _expit(centre + error), weight)

    return {None: estimate(())} | {name: estimate(own) for name, own in engineers.items()}


def _with_prior(prior: float, measured: float, weights: Iterable[float], strength: float) -> float:
    """A spread between engineers: what is measured, as far as it carries.

    An engineer counts as far as their own orders (`weights`) would count beside a prior of that strength: whoever
    has one order says next to nothing about how far engineers lie apart.
    """
    known = max(0.0, fsum(weight / (weight + strength) for weight in weights) - 1)
    return (_SPREAD_ENGINEERS * prior + known * measured) / (_SPREAD_ENGINEERS + known)


def _by_engineer(samples: Iterable[_Sample]) -> dict[str, list[_Sample]]:
    found: dict[str, list[_Sample]] = {}
    for sample in samples:
        found.setdefault(sample.engineer, []).append(sample)
    return found


def _by_model(samples: Iterable[_Sample]) -> dict[str, list[_Sample]]:
    found: dict[str, list[_Sample]] = {}
    for sample in samples:
        if sample.asset_model is not None:
            found.setdefault(sample.asset_model, []).append(sample)
    return found


def _weight(samples: Iterable[_Sample]) -> float:
    return fsum(sample.weight for sample in samples)


def _sum(samples: Iterable[_Sample]) -> float:
    return fsum(sample.weight * sample.value for sample in samples)


def _logit(probability: float) -> float:
    return log(probability / (1 - probability))


def _expit(odds: float) -> float:
    return 1 / (1 + exp(-odds))
