create table forms (
    form_id     int primary key,
    received_at timestamptz not null,
    answers     jsonb not null
);
