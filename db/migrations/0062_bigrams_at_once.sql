-- The same pairs in a third of the time: one query a text, not one a word.
create or replace function app.bigrams(input text) returns text[]
language plpgsql immutable parallel safe
as $$
begin
    -- null for what holds no word: as a search it finds nothing, not all
    return (
        select array_agg(distinct substr(word, place, 2) order by substr(word, place, 2))
        from regexp_split_to_table(lower(app.simplified(input)),
                '[\s!-/:-@\[-`{-~\u00a0-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+')
                as word,
            -- one of a word of one letter, none of none
            generate_series(1, greatest(length(word) - 1, least(length(word), 1))) as place);
end
$$;
