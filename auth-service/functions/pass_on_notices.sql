-- Puts what the user p_user has not been told yet under nobody's name, so that it
-- is sent although the account goes: whoever took an account over cannot hide by
-- deleting it. What carries a token leads nowhere any more, and stays behind.
create or replace function data.pass_on_notices(p_user uuid)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- The policy of the sender is the one that lets a mail change its user.
    perform set_config('app.lease', 'on', true);
    update data.outbox o
        set user_id = '00000000-0000-0000-0000-000000000000', display_name = ''
        from (
            select d.id from data.outbox d
            where d.user_id = p_user and d.next_attempt_at is not null
                and not d.parameters ? 'token'
            order by d.id desc
            limit 100
        ) unsent
        where o.user_id = p_user and o.id = unsent.id;
    perform set_config('app.lease', '', true);
end $$;
