select 2 * n form numbers
