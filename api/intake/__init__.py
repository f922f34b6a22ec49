"""The doors of monitors: one pure parser for each product, and the one view behind them."""
