create table numbers (n int);
