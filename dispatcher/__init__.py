"""The dispatching domain: model, rules, evaluation, planning and the checker of published plans."""
