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
