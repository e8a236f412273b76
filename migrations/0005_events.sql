-- Events that rules wait for: what came in and was not looked at by every one of them.

-- One row: how many transactions have brought in events. Whoever brings some raises it first and so holds it until the
-- end of the transaction: what has a smaller number is there for everybody who sees a larger one.
create table event_arrivals (
    one bigint not null primary key,
    arrivals bigint not null
);
insert into event_arrivals (one, arrivals) values (0, 0);

create table event_inbox (
    bucket bigint not null,
    event text not null,
    customer text not null,
    name text not null,
    arrival bigint not null,
    primary key (bucket, event)
);
create index event_inbox_arrival on event_inbox (name, arrival);

-- The event that a live rule waits for, and up to which arrival it has taken up what came. Null before its first run.
alter table rule_states add column on_event text;
alter table rule_states add column events_until bigint;

-- What a run that was caused by events took up: those that arrived after the one, up to the other. The first of a rule
-- has no `arrived_after`: it looks at what was there already.
alter table runs add column arrived_after bigint;
alter table runs add column arrived_until bigint;
