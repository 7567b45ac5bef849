"""What stands between two dollar signs is shown as it is written: JupyterLab takes it for a formula."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
FORMULA = "from IPython.display import HTML\nHTML('<p>from $x$ to $y$</p>')"
COSTS = "from nbchalice.ui.render.cards import Card\nCard('', '<p class=\"ours\">from $5 to $6</p>')"


@pytest.mark.parametrize("kind", ["lab", "notebook"])
def test_dollar_signs_of_a_result_make_no_formula(open_notebook, kind):
    front = open_notebook(f"formulas-{kind}", [FORMULA, COSTS], kind)
    costs = front.run(COSTS.splitlines()[0])
    expect(costs.locator(".ours")).to_have_text("from $5 to $6")
    formula = front.run(FORMULA.splitlines()[0])
    expect(formula.locator("mjx-container")).to_have_count(2)
    expect(costs.locator("mjx-container")).to_have_count(0)
