"""What every layer shares: data objects, event types, constants, errors and the clock."""
