"""What an open page is told: events are rows, written in the transaction that they tell of."""
