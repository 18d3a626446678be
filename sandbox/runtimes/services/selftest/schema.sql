create table doubled (number int primary key, result int not null);
