-- Which turns of a rule with a pace are gone: by the start of the period (microseconds since 1970), a row of -1 to lock.
create table rule_turns (
    rule text not null,
    starts_at bigint not null,
    gone bigint not null,
    primary key (rule, starts_at)
);

-- Of which release of the time zone database the rows of a zone in zone_offsets are.
create table zone_releases (
    zone text not null primary key,
    release text not null
);
