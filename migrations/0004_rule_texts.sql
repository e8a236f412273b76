-- What each version of a rule said, so that a decision of the past can be read with the rule it was made by.
create table rule_texts (
    version text not null primary key,
    content text not null,
    first_at bigint not null
);
create index runs_of_rule on runs (rule, instant);
