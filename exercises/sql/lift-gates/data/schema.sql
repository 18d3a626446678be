create table passes (
    pass_id     int primary key,
    holder      text not null
);
create table scans (
    scan_id     int primary key,
    pass_id     int not null,
    lift        text not null,
    scanned_at  timestamptz not null,
    opened      boolean not null
);
create index scans_by_time on scans (scanned_at);
create index scans_by_pass on scans (pass_id, scanned_at);
