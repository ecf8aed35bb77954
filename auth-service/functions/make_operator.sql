-- Makes the account with this e-mail an operator's, for whoever may call this
-- service's database. Without an account it makes one as p_user, if there is a
-- password. Whoever calls it vouches for the address. Outcomes:
--   made        there was none
--   granted     there was one; now it is an operator's
--   kept        it was one already
--   unverified  nobody has shown yet that the address is theirs, and p_unverified
--               does not say that this is known
--   missing     there is none, and no password
create or replace function api.make_operator(
    p_user uuid, p_email text, p_email_canonical text, p_password_hash text, p_pepper_id text,
    p_unverified boolean, p_client jsonb, p_now timestamptz
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_owner uuid;
    v_found data.users;
begin
    perform set_config('app.user_id', p_user::text, true);
    perform set_config('app.email', p_email_canonical, true);
    if p_password_hash is not null then
        insert into data.user_emails (email_canonical, user_id)
        values (p_email_canonical, p_user) on conflict do nothing;
    end if;
    v_owner := data.enter_by_email(p_email_canonical);
    if v_owner is null then
        return 'missing';
    end if;
    if v_owner = p_user then
        insert into data.users (
            user_id, email, email_verified, display_name, password_hash, pepper_id, is_admin,
            created_at, updated_at
        ) values (p_user, p_email, true, '', p_password_hash, p_pepper_id, true, p_now, p_now)
        on conflict do nothing;
        if found then
            perform data.audit(p_user, 'admin.user.made_operator', p_client, null, null, p_now);
        end if;
        return 'made';
    end if;
    select u.* into strict v_found from data.users u where u.user_id = v_owner for update;
    if v_found.is_admin then
        return 'kept';
    end if;
    if not (v_found.email_verified or p_unverified) then
        return 'unverified';
    end if;
    update data.users u set is_admin = true, email_verified = true where u.user_id = v_owner;
    perform data.audit(v_owner, 'admin.user.made_operator', p_client, null, null, p_now);
    return 'granted';
end $$;
