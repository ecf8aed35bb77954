-- Users whose account is gone. Their counters stay for a while, to say that
-- nothing may be written for them any more: a token can live longer than its
-- account.

alter table data.user_state add column erased_at timestamptz;
