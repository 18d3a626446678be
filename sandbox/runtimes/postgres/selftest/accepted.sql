select 2 * n from numbers
