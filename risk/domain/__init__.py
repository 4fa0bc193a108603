"""Pure rules of risk: what checks see, what they answer, and which answer wins."""
