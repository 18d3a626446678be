create table plans (
    plan_id      int primary key,
    name         text not null
);
create table invoices (
    invoice_id   int primary key,
    plan_id      int not null references plans,
    amount_cents int not null,
    issued_at    timestamptz not null,
    paid_at      timestamptz
);
create table refunds (
    refund_id    int primary key,
    invoice_id   int not null references invoices,
    amount_cents int not null
);
