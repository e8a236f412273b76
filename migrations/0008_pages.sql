-- What the public pages need. The keys by which their links are signed: the newest signs, all of them verify, because
-- the way out of a message never expires.
create table token_keys (
    number bigint not null primary key,
    secret text not null,
    made_at bigint not null
);
