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
