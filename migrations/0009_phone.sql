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
