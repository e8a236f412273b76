-- Courtesy, and a person's rights: what the ledger proves, what customers prefer, caps, stops, and what comes back.

-- What a customer asked for on the preference page. Lists by blanks; `quiet` in their local time.
create table preferences (
    bucket bigint not null,
    customer text not null,
    channels text,
    locale text,
    quiet text,
    updated_at bigint not null,
    primary key (bucket, customer)
);

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

-- Whether a touchpoint takes a place under the caps: 0 none, 1 one, 2 one once it is let go (it waits for it), -1 none
-- and waits all the same. Set when it is planned; whether the place is still taken follows from the state.
alter table touchpoints add column counts bigint not null default 0;
-- By the last moment at which it may go, which no change of state moves: a look at a window reads that window.
create index touchpoints_counted on touchpoints (bucket, customer, expires_at) where counts > 0;

-- Which address has had a rule's promotional message about an occurrence, as a keyed hash, and by which touchpoint.
-- Here `bucket` is the address's: the first byte of its hash.
create table address_places (
    bucket bigint not null,
    address_hash text not null,
    rule text not null,
    occurrence text not null,
    holder_bucket bigint not null,
    touchpoint text not null,
    taken_at bigint not null,
    primary key (bucket, address_hash, rule, occurrence)
);
create index address_places_taken on address_places (taken_at);
create index address_places_holder on address_places (touchpoint);

-- People who were erased: keyed hashes of their key, of their addresses and of the keys of rows that others hang on,
-- so that imports leave them out. `person` is the hash of the customer's key.
create table erased (
    person text not null,
    hash text not null,
    at bigint not null,
    primary key (person, hash)
);
create index erased_hash on erased (hash);

-- How far a database source was read (`since`), and what was wrong when it was read last.
alter table sources add column mark text;
alter table sources add column problem text;
alter table sources add column problem_at bigint;

-- How often somebody said stop: each suppression, each no, each pause raises it in its own transaction. A message that
-- was looked at before the last of them is looked at again in the transaction that marks it as about to be sent.
create table stops (
    name text not null primary key,
    generation bigint not null
);
insert into stops (name, generation) values ('all', 0);

-- What the guard needs to know of the past: the size of each run, why a rule paused itself, and since when it is counted.

-- How many a run reached, or would have reached where it was cancelled.
alter table runs add column reached bigint;
create index runs_reached on runs (rule, instant) where reached > 0;

-- Why a rule was paused without being told to; null where somebody paused it.
alter table pauses add column reason text;

-- Bounces and complaints from before do not count: a rule that paused itself was let go on then.
alter table rule_states add column counted_from bigint;

create index touchpoints_refused on touchpoints (updated_at) where state in ('failed', 'bounced');
create index touchpoint_events_complained on touchpoint_events (at) where kind = 'complained';

-- What the public pages need. The keys by which their links are signed: the newest signs, all of them verify, because
-- the way out of a message never expires.
create table token_keys (
    number bigint not null primary key,
    secret text not null,
    made_at bigint not null
);

-- What comes back from providers: receipts, replies and keys pressed in calls.

-- Everything that a provider told, once: what is told again is known by its name. The bucket is of the event's own
-- name, since nobody may know yet whom it is about. What came before its touchpoint was ready waits as `pending`.
-- Nothing of what customers wrote lies here.
create table provider_events (
    bucket bigint not null,
    provider text not null,
    event_id text not null,
    kind text not null,
    touchpoint text,
    provider_id text,
    detail text,
    at bigint not null,
    pending bigint not null,
    primary key (bucket, provider, event_id)
);
create index provider_events_at on provider_events (pending, at);

-- What customers wrote back, word for word. `meaning` is stop, start, help or other; `review` asks a person to look.
-- The bucket is the customer's, or that of the number's hash where nobody is known by it.
create table replies (
    bucket bigint not null,
    provider text not null,
    event_id text not null,
    customer text,
    touchpoint text,
    channel text not null,
    address_hash text not null,
    shown text not null,
    words text not null,
    meaning text not null,
    keyword text,
    review bigint not null,
    at bigint not null,
    primary key (bucket, provider, event_id)
);
create index replies_customer on replies (bucket, customer, at);
create index replies_at on replies (at);

-- Which text message a reply answers: the latest to its number.
create index touchpoints_texts on touchpoints (address, sent_at) where channel = 'sms' and sent_at is not null;

create index provider_events_told on provider_events (at) where pending = 0;
create index provider_events_touchpoint on provider_events (touchpoint) where touchpoint is not null;
