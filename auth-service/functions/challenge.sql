-- Writes a sign-in that waits for a code. Those that waited for too long go.
create or replace function data.challenge(
    p_user uuid, p_challenge uuid, p_client jsonb, p_now timestamptz, p_until timestamptz
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    delete from data.challenges c where c.user_id = p_user and c.expires_at <= p_now;
    insert into data.challenges (user_id, id, expires_at) values (p_user, p_challenge, p_until)
        on conflict do nothing;
    if found then
        -- Nobody is signed in yet.
        perform data.audit(p_user, 'sign_in.challenged', p_client - 'actor', null, null, p_now);
    end if;
end $$;
