"""The event types. Types that end with a dot are also dispatched under ``type + vt_symbol`` (orders: ``type + vt_orderid``)."""

EVENT_TICK = "eTick."  # TickData
EVENT_PUBLIC_TRADE = "ePublicTrade."  # PublicTradeData
EVENT_AGG_TRADE = "eAggTrade."  # AggTradeData
EVENT_BOOK = "eBook."  # OrderBookData
EVENT_BAR = "eBar."  # BarData
EVENT_TRANSPORT = "eTransport."  # TransportData, in order with its lane's data
EVENT_GAP = "eGap."  # GapData, in order with its lane's data
EVENT_BACKFILL = "eBackfill."  # BackfillData, in order with its lane's data
EVENT_HEALTH = "eHealth."  # HealthData, urgent
EVENT_ORDER = "eOrder."  # OrderData, urgent
EVENT_TRADE = "eTrade."  # TradeData (own fill), urgent
EVENT_POSITION = "ePosition."  # PositionData, urgent
EVENT_ACCOUNT = "eAccount."  # AccountData, urgent
EVENT_QUOTE = "eQuote."  # QuoteData, urgent
EVENT_CONTRACT = "eContract."  # ContractData, urgent
EVENT_LOG = "eLog"  # LogData, urgent
EVENT_TIMER = "eTimer"  # None, urgent, once a second

URGENT_TYPES = frozenset(
    {
        EVENT_ACCOUNT,
        EVENT_CONTRACT,
        EVENT_HEALTH,
        EVENT_LOG,
        EVENT_ORDER,
        EVENT_POSITION,
        EVENT_QUOTE,
        EVENT_TIMER,
        EVENT_TRADE,
    }
)
"""Always drained before market data."""

CONFLATED_TYPES = frozenset({EVENT_TICK, EVENT_BOOK, EVENT_BAR})
"""Under pressure the newest replaces the one waiting: only the present counts in them. A closed bar is never replaced."""
