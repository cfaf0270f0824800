-- One table now; its age is that of its TOAST table when that is older.
SELECT {state}
FROM pg_class AS own
LEFT JOIN pg_class AS toast ON toast.oid = own.reltoastrelid
LEFT JOIN pg_stat_all_tables AS stats ON stats.relid = own.oid
WHERE own.oid = %s
