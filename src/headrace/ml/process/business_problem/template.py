"""The commented charter that `headrace charter init` writes."""

from __future__ import annotations

from pathlib import Path

from headrace.ml.errors import OutputError

TEMPLATE = """\
# The charter of a Headrace project: the goal in business words and numbers.
# Every key is optional; delete what you do not need. Lines that start with # are comments.

# What is to be solved, in one or two sentences.
problem: ""
# How it is handled today, and what hurts.
current_state: ""
pain_points: []
# What changes when it works.
impact: ""

# When is it a success? Each KPI is a metric with a minimum, a maximum or both.
# Yes/no tasks: roc_auc average_precision log_loss brier accuracy balanced_accuracy precision recall f1 mcc
# Several classes: accuracy balanced_accuracy log_loss f1_macro roc_auc_ovr
# Numbers: rmse mae mape r2 median_absolute_error
# expected_value is money a decision, and needs decisions, costs or error_cost below.
# kpis:
#   - {name: Ranks customers well, metric: roc_auc, minimum: 0.80}
#   - {name: Earns money, metric: expected_value, minimum: 1.5}

# Which label of the target is the one you act on?
# positive_class: "Yes"

# What each outcome of a yes/no decision earns and costs, in money; amounts are never negative.
# decisions:
#   true_positive: {earns: 100, costs: 10}   # acted, and rightly
#   false_positive: {costs: 10}              # acted in vain
#   false_negative: {costs: 0}               # should have acted
#   true_negative: {}                        # rightly left alone
# For several classes: what deciding for another class than the actual one costs; '*' stands for every class.
# costs:
#   urgent: {normal: 50, spam: 200}   # is urgent, decided for normal or spam
#   "*": {"*": 1}                     # every other mistake
# For predicted numbers: what one unit of error costs when the prediction is too low or too high.
# error_cost: {under: 2.0, over: 1.0}
# How many rows can be acted on, and how many arrive; or a share alone, such as 20%.
# capacity: 200 a week
# rate: 1000 a week
currency: USD

# Limits of one prediction, and what computing costs.
# latency_limit_ms: 50
# cost_limit_per_1000: 0.01
# compute_price_per_hour: 0.10

# Columns that may not be used, and columns whose groups must be treated alike.
excluded_columns: []
sensitive_columns: []

# Must people be able to read how the model decides? none, preferred or required
interpretability: none

# Does machine learning fit? Signs for it:
complex_logic: true        # rules would be too many or too intricate to write down
scale: true                # too many decisions to take by hand
personalisation: false     # each customer or item needs its own answer
responsiveness: false      # answers are needed faster than people can give them
# and signs against it:
fixed_rule_is_enough: false
data_changes: true         # false: nothing changes over time
requires_full_accuracy: false
"""


def write_charter_template(path: Path) -> Path:
    """Write a commented charter to `path` and return it; raise `OutputError` where something is in the way."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise OutputError(f"{path} exists already; name another file or delete it first") from None
    except FileNotFoundError:
        raise OutputError(f"the folder {path.parent} does not exist; create it first") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); name another place") from None
    return path
