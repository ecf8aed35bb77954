-- Counts a wrong code of an authenticator. From the tenth in a row on, none is
-- looked at for a minute, then two, up to an hour: 25 guesses a day.
create or replace function data.count_wrong_code(p_user uuid, p_now timestamptz)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update data.users u
        set wrong_codes = u.wrong_codes + 1,
            codes_from = case when u.wrong_codes + 1 >= 10 then
                p_now + least(interval '1 hour',
                    interval '1 minute' * power(2, least(u.wrong_codes + 1 - 10, 10))) end
        where u.user_id = p_user;
end $$;
