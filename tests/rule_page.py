"""The tables of docs/rules.md, made from the rule catalogue and the weights.

`python -m tests.rule_page` writes them anew.
"""

import re
from fractions import Fraction
from pathlib import Path

from dispatcher.model import LEVELS
from dispatcher.objective import PROFILES, Weights, make_weights
from dispatcher.rules import HARD_RULES, SOFT_RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rules.md"


def table_of_hard_rules() -> str:
    rows = [f"| `{rule.name}` | {rule.meaning} |" for rule in HARD_RULES]
    return "\n".join(["| rule | meaning |", "|---|---|", *rows])


def table_of_soft_rules() -> str:
    """A weight per profile; four by level, from L1 to L4, for the rules that grade by level."""
    profiles = {profile: make_weights(profile) for profile in PROFILES}
    head = ["rule", "amount", "unit", *(f"`{profile}`" for profile in profiles)]
    rows = [
        [f"`{rule.name}`", rule.meaning, rule.unit, *(weight_text(of, rule.name) for of in profiles.values())]
        for rule in SOFT_RULES
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def weight_text(weights: Weights, rule: str) -> str:
    if rule in weights.by_level:
        return " / ".join(_decimal(weights.of(rule, level)) for level in LEVELS)
    return _decimal(weights.of(rule))


def _decimal(milli: int) -> str:
    value = Fraction(milli, 1000)
    return str(value.numerator) if value.denominator == 1 else str(float(value))


def with_tables(page: str) -> str:
    """The page with its two tables made anew."""
    for name, table in (("hard", table_of_hard_rules()), ("soft", table_of_soft_rules())):
        parts = re.split(rf"(<!-- {name} rules -->|<!-- end of {name} rules -->)", page)
        if len(parts) != 5:
            raise ValueError(f"docs/rules.md needs one pair of marks for the table of {name} rules")
        parts[2] = f"\n\n{table}\n\n"
        page = "".join(parts)
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
