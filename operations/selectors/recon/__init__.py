"""What the reconciliation pages show: runs, the breaks of a run, one break, differences of runs, ageing, the run report.

Rows an actor may not see are neither listed, counted nor exported (``reconciliation.selectors.seeing``). Every list is read
by key, and what a page costs in statements does not grow with its rows.
"""
