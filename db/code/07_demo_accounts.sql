-- A production start asks this: the passwords of demo accounts are public.
create or replace function app.has_demo_accounts() returns boolean
language plpgsql stable security definer
as $$
begin
    return exists (
        select from dudao.users u
        where u.is_demo and u.password_hash is not null);
end
$$;
