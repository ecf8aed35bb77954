-- Accounts for an operator, newest first, from before (p_before, p_before_user)
-- on; or the one with an e-mail.
create or replace function api.list_users(
    p_client jsonb, p_email_canonical text, p_before timestamptz, p_before_user uuid,
    p_limit bigint, p_now timestamptz
) returns table (
    user_id uuid, email text, email_verified boolean, display_name text,
    created_at timestamptz, updated_at timestamptz,
    suspended_at timestamptz, has_second_factor boolean, is_admin boolean
) language plpgsql security definer set search_path = pg_catalog, pg_temp rows 50 as $$
declare
    v_users uuid[];
begin
    perform data.operating(p_client, p_now);
    if p_email_canonical is not null then
        perform set_config('app.email', p_email_canonical, true);
        v_users := array(
            select e.user_id from data.user_emails e where e.email_canonical = p_email_canonical);
    else
        perform set_config('app.list', 'on', true);
        v_users := array(
            select u.user_id from data.users u
            where (u.created_at, u.user_id) < (
                coalesce(p_before, 'infinity'),
                coalesce(p_before_user, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            )
            order by u.created_at desc, u.user_id desc
            limit p_limit
        );
        perform set_config('app.list', '', true);
    end if;
    return query
        select a.user_id, a.email, a.email_verified, a.display_name, a.created_at, a.updated_at,
            a.suspended_at, a.has_second_factor, a.is_admin
        from unnest(v_users) with ordinality as listed (user_id, n)
        cross join lateral data.account_of(listed.user_id) a
        order by listed.n;
end $$;
