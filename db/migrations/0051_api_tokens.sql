-- Some of an account's roles, to which a machine's session is narrowed; null:
-- all of them (2.1, RFC 6749 3.3).
alter table dudao.sessions
    add column narrowed_to text[];

-- until the token itself is there, the hash of what nobody knows
alter table dudao.api_tokens
    alter column token_hash set default sha256(uuid_send(gen_random_uuid()));
