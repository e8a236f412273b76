-- What forgetting and erasing look for among what came back.
create index replies_at on replies (at);
create index provider_events_at on provider_events (at) where pending = 0;
create index provider_events_touchpoint on provider_events (touchpoint) where touchpoint is not null;
