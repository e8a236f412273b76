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
create index address_places_holder on address_places (holder_bucket, touchpoint);
