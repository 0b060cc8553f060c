"""The trade-off of a differentially private policy: ε against what a release is good for."""

from anon_platform.frontier.dp.running import TradeOff, run_trade_off
from anon_platform.frontier.dp.writing import recommendation, write_trade_off

__all__ = ["TradeOff", "recommendation", "run_trade_off", "write_trade_off"]
