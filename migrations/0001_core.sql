-- plusone's own records. One text for SQLite and PostgreSQL: text and bigint only, times in microseconds UTC,
-- money scaled by 10^4, booleans 0 or 1. Every table that grows with customers carries their bucket in its key.

create table meta (
    name text not null primary key,
    value text not null
);

-- Which daemon owns which bucket. Every planning, claiming and settling transaction locks the rows of its buckets.
create table leases (
    bucket bigint not null primary key,
    owner text not null,
    epoch bigint not null,
    lease_until bigint not null
);

-- What is known of each rule over time: since when it is live, and what it said when it was last in force.
create table rule_states (
    rule text not null primary key,
    version text not null,
    conditions_hash text not null,
    template text not null,
    live_since bigint,
    vanished_at bigint,
    held_reason text
);

-- The last good text of each rule, offer and template file.
create table kept_files (
    path text not null primary key,
    hash text not null,
    content text not null,
    kept_at bigint not null
);

-- A tick is a run: one rule at one instant, inserted by whoever sees it first.
create table runs (
    id text not null primary key,
    rule text not null,
    rule_version text not null,
    instant bigint not null,
    cause text not null,
    state text not null,
    reason text,
    parts bigint not null,
    parts_done bigint not null,
    counts text,
    created_at bigint not null,
    released_at bigint,
    released_by text
);
create unique index runs_tick on runs (rule, instant, cause);
create index runs_open on runs (state, instant) where state in ('planning', 'held');

create table run_parts (
    run_id text not null,
    part bigint not null,
    bucket_from bigint not null,
    bucket_until bigint not null,
    state text not null,
    counts text,
    primary key (run_id, part)
);

-- One row per key: bucket, rule, customer, occurrence, step. What a daemon has claimed carries its epoch: once the
-- leases on the buckets have moved on, a claim of an older epoch is nobody's.
create table touchpoints (
    bucket bigint not null,
    id text not null,
    rule text not null,
    rule_version text not null,
    kind text not null,
    topic text not null,
    purpose text not null,
    customer text not null,
    entity_kind text not null,
    entity_id text not null,
    occurrence text not null,
    step bigint not null,
    run_id text not null,
    as_of bigint not null,
    channel text,
    address text,
    state text not null,
    reason text,
    due_at bigint,
    expires_at bigint,
    priority bigint not null,
    on_doubt text not null,
    owner text,
    epoch bigint,
    doubt_at bigint,
    attempts bigint not null,
    provider text,
    provider_id text,
    cost bigint,
    offer text,
    code text,
    variant text,
    locale text,
    subject text,
    possible_duplicate bigint not null,
    test bigint not null,
    facts text,
    gates text,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    sent_at bigint,
    primary key (bucket, id)
);
create unique index touchpoints_key on touchpoints (bucket, customer, rule, occurrence, step);
-- A lane is a channel and a purpose: each is peeked at alone, so that no lane's backlog hides another's.
create index touchpoints_due on touchpoints (channel, purpose, due_at, bucket, id) where state = 'planned';
create index touchpoints_open on touchpoints (state, epoch)
    where state in ('claimed', 'dispatching', 'in_doubt', 'held');
create index touchpoints_created on touchpoints (created_at, id);
create index touchpoints_provider_id on touchpoints (provider_id) where provider_id is not null;

-- The words as sent, by part: subject, html, text, sms, voice. Apart, so that a change of state stays small.
create table touchpoint_words (
    bucket bigint not null,
    touchpoint text not null,
    words text not null,
    primary key (bucket, touchpoint)
);

-- Append-only. `n` counts the events of one touchpoint and is its `version` at that moment.
create table touchpoint_events (
    bucket bigint not null,
    touchpoint text not null,
    n bigint not null,
    at bigint not null,
    kind text not null,
    detail text,
    primary key (bucket, touchpoint, n)
);

-- Append-only. The current answer is the latest by `at`; of two at one instant the no.
create table consents (
    bucket bigint not null,
    customer text not null,
    topic text not null,
    channel text not null,
    at bigint not null,
    value bigint not null,
    source text not null,
    recorded_at bigint not null,
    primary key (bucket, customer, topic, channel, at, value)
);

-- Never write there. The address itself is not kept: a keyed hash of it, and a masked form to be shown.
create table suppressions (
    address_hash text not null,
    scope text not null,
    shown text not null,
    reason text not null,
    at bigint not null,
    primary key (address_hash, scope)
);

create table pauses (
    scope text not null primary key,
    paused_at bigint not null,
    paused_until bigint
);

-- What is taken out of a budget: reserved and spent together. `period` is 'total' or a business day.
create table offer_budgets (
    offer text not null,
    period text not null,
    taken bigint not null,
    primary key (offer, period)
);

-- How many codes of a pattern were handed out.
create table offer_counters (
    offer text not null primary key,
    used bigint not null
);

-- Codes from a file, each given once.
create table offer_codes (
    offer text not null,
    code text not null,
    position bigint not null,
    taken bigint not null,
    primary key (offer, code)
);
create index offer_codes_free on offer_codes (offer, position) where taken = 0;

create table offer_grants (
    bucket bigint not null,
    touchpoint text not null,
    offer text not null,
    code text,
    customer text not null,
    cost bigint not null,
    value bigint not null,
    day text not null,
    state text not null,
    granted_at bigint not null,
    expires_at bigint,
    settled_at bigint,
    primary key (bucket, touchpoint)
);
create index offer_grants_customer on offer_grants (bucket, customer, offer, granted_at);
create index offer_grants_code on offer_grants (code) where code is not null;
create index offer_grants_freed on offer_grants (offer) where state = 'freed';
create index offer_grants_open on offer_grants (offer, expires_at) where state = 'spent';

-- Which file an entity was last filled from.
create table sources (
    entity text not null primary key,
    fingerprint text not null,
    rows_read bigint not null,
    synced_at bigint not null
);

-- The columns that each entity's table has, by name and type, so that a changed type is noticed.
create table entity_columns (
    entity text not null,
    field text not null,
    type text not null,
    primary key (entity, field)
);

-- Offsets of time zones: from `from_at` on, local time is UTC plus `offset_micros`.
create table zone_offsets (
    zone text not null,
    from_at bigint not null,
    offset_micros bigint not null,
    primary key (zone, from_at)
);
