-- Makes the account that was asked for under a stand-in, its address verified.
-- 'taken' if another account has the address by now.
create or replace function data.finish_sign_up(
    p_stand_in uuid, p_payload jsonb, p_client jsonb, p_now timestamptz
) returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_user uuid := (p_payload ->> 'user')::uuid;
begin
    -- The account has its own rows from now on.
    delete from data.mail_tokens where user_id = p_stand_in;
    delete from data.outbox where user_id = p_stand_in;
    perform set_config('app.user_id', v_user::text, true);
    insert into data.user_emails (email_canonical, user_id)
    values (p_payload ->> 'email_canonical', v_user) on conflict do nothing;
    if not found then
        return 'taken';
    end if;
    insert into data.users (
        user_id, email, email_verified, display_name, password_hash, pepper_id,
        created_at, updated_at
    ) values (
        v_user, p_payload ->> 'email', true, p_payload ->> 'display_name',
        p_payload ->> 'password_hash', p_payload ->> 'pepper_id', p_now, p_now
    );
    perform data.audit(v_user, 'sign_up',
        p_client || jsonb_build_object('actor', 'users/' || v_user), null, null, p_now);
    return 'verified';
end $$;
