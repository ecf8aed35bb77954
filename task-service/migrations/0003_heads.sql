-- Only the function that tells the heads of the users being watched turns this
-- setting on. It reads counters, of users that it is given.
create policy heads on data.user_state for select
    using (current_setting('app.heads', true) = 'on');
