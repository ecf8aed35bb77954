-- Adds a refusal to the audit log of p_user, at most p_most of any kind in a minute,
-- and of those that anybody can provoke a hundred in a day: however many, by whatever
-- means and for however long, the log grows no faster. What takes the password or a
-- session is bounded by its throttles, and noted however full the day is.
create or replace function data.audit_refusal(
    p_user uuid, p_kind text, p_client jsonb, p_session uuid, p_details jsonb, p_most bigint,
    p_now timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_acting text := current_setting('app.user_id', true);
    v_a_day constant bigint := 100;
    v_by_anybody constant boolean := p_kind = 'sign_in.throttled'
        or p_kind = 'sign_in.refused' and not coalesce(p_details ? 'step', false);
    v_minute_ago constant timestamptz := p_now - interval '1 minute';
    v_day_ago constant timestamptz := p_now - interval '1 day';
begin
    perform set_config('app.user_id', p_user::text, true);
    update data.audit_heads h set
        refusals = case when h.refusals_since <= v_minute_ago then 1 else h.refusals + 1 end,
        refusals_since = case when h.refusals_since <= v_minute_ago then p_now else h.refusals_since end,
        day_refusals = case
            when not v_by_anybody then h.day_refusals
            when h.day_since <= v_day_ago then 1
            else h.day_refusals + 1 end,
        day_since = case
            when v_by_anybody and h.day_since <= v_day_ago then p_now else h.day_since end
        where h.user_id = p_user and p_most > 0
            and (h.refusals < p_most or h.refusals_since <= v_minute_ago)
            and (not v_by_anybody or h.day_refusals < v_a_day or h.day_since <= v_day_ago);
    if found then
        perform data.audit(p_user, p_kind, p_client, p_session, p_details, p_now);
    end if;
    perform set_config('app.user_id', coalesce(v_acting, ''), true);
end $$;
