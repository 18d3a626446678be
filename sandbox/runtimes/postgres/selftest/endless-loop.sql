with d (x) as (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) select count(*) from d a, d b, d c, d e, d f, d g, d h, d i, d j, d k, d l, d m
