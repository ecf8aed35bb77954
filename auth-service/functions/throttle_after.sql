-- A throttle after one more attempt. p_rule says how many attempts are `free`,
-- after how many seconds one is forgotten (`forget`), and how long the next has
-- to wait: `first` seconds, doubling up to `most`; without them until one is
-- forgotten. What was forgotten until now is counted from p_counted_at.
create or replace function data.throttle_after(
    p_attempts bigint, p_counted_at timestamptz, p_rule jsonb, p_now timestamptz,
    out attempts bigint, out counted_at timestamptz, out free_at timestamptz, out expires_at timestamptz
) language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    v_free bigint := (p_rule ->> 'free')::bigint;
    v_first float8 := (p_rule ->> 'first')::float8;
    v_most float8 := (p_rule ->> 'most')::float8;
    v_forget interval := make_interval(secs => (p_rule ->> 'forget')::float8);
    v_beyond bigint;
    -- Clocks of replicas differ; one that is behind forgets nothing.
    v_forgotten bigint := greatest(0, floor(
        extract(epoch from p_now - p_counted_at) / extract(epoch from v_forget)));
begin
    attempts := greatest(0, p_attempts - v_forgotten) + 1;
    counted_at := case when attempts = 1 then p_now else p_counted_at + v_forget * v_forgotten end;
    -- Not p_now: another replica's clock may be behind ours.
    free_at := '-infinity';
    v_beyond := attempts - v_free;
    if v_beyond >= 0 and v_first is null then
        free_at := counted_at + v_forget * (v_beyond + 1);
    elsif v_beyond >= 0 then
        -- Attempts beyond those that lead to the longest wait are not kept.
        v_beyond := least(v_beyond, ceil(ln(v_most / v_first) / ln(2)));
        attempts := v_free + v_beyond;
        free_at := p_now + make_interval(secs => least(v_most, v_first * power(2, v_beyond)));
    end if;
    expires_at := greatest(free_at, counted_at) + v_forget * attempts;
end $$;
