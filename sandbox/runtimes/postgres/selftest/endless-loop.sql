select count(*) from (select generate_series(1, 1000000000000)) numbers
