-- What proves an answer: how it came, from where, what was shown, and what else there is. `value` is 0 (no), 1 (yes) or
-- 2 (a yes that waits for its confirmation).
alter table consents add column kind text not null default 'unknown';
alter table consents add column ip text;
alter table consents add column wording text;
alter table consents add column evidence text;

-- Who is to be asked to confirm: few at any time.
create index consents_pending on consents (topic, bucket, customer) where value = 2;

-- The words that customers were shown when they answered, each once, by their SHA-256.
create table wordings (
    hash text not null primary key,
    text text not null,
    first_at bigint not null
);

-- Each reason to suppress an address stands for itself: what lifts one leaves the others.
create table suppressions_by_reason (
    address_hash text not null,
    scope text not null,
    shown text not null,
    reason text not null,
    at bigint not null,
    source text not null,
    evidence text,
    expires_at bigint,
    primary key (address_hash, scope, reason)
);
insert into suppressions_by_reason select address_hash, scope, shown, reason, at, 'unknown', null, null from suppressions;
drop table suppressions;
alter table suppressions_by_reason rename to suppressions;
